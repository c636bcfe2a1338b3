"""A few points of every metric from a run's own journal: enough for a sparkline, however long the journal is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from struct import Struct
from struct import error as PackError
from zlib import crc32

from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, ROW_HEAD, ROW_KINDS, ROW_PREFIX, RecordType

WHOLE_BYTES = 2 << 20
"""A journal up to this size is walked from end to end; of a longer one only stretches are."""
_STRETCH = 1 << 16
_STRETCHES = 64
_POINTS = 160
"""Rows of one layout that are looked into: several times what a sparkline shows."""
_LOST_LIMIT = 1 << 14  # bytes to search for a record when a stretch begins in the middle of one
_ROW, _JSONROW, _KEYS = int(RecordType.ROW), int(RecordType.JSONROW), int(RecordType.KEYS)

Curves = dict[str, list[float]]


class _Layout:
    """The columns of some rows, and where in the data these rows lie."""

    __slots__ = ("keys", "places", "struct")

    def __init__(self, keys: list[str], kinds: str) -> None:
        self.keys, self.struct = keys, Struct(ROW_PREFIX + kinds)
        self.places: list[int] = []


def outline(path: Path) -> Curves:
    """For each numeric key some of its values in order, the newest among them; {} when the journal cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return {}
    try:
        size = os.fstat(descriptor).st_size
        if size <= WHOLE_BYTES:
            return _Outline().of([(0, os.pread(descriptor, size, 0))])
        head = 1 << 18
        starts = [head + (size - head - _STRETCH) * number // (_STRETCHES - 1) for number in range(_STRETCHES)]
        pieces = [(start, os.pread(descriptor, _STRETCH, start)) for start in starts]
        return _Outline().of([(0, os.pread(descriptor, head, 0)), *pieces])
    except (OSError, ValueError, KeyError, TypeError):  # damaged: the store will say so
        return {}
    finally:
        os.close(descriptor)


class _Outline:
    def __init__(self) -> None:
        self._layouts: dict[int, _Layout] = {}
        self._points: dict[str, dict[int, float]] = {}

    def of(self, pieces: list[tuple[int, bytes]]) -> Curves:
        """The curves of a journal whose pieces, which may overlap, begin at these places."""
        share = max(1, _POINTS // len(pieces))
        for start, data in pieces:
            loose = self._walk(data, _first_record(data) if start else len(MAGIC))
            for layout in self._layouts.values():
                for place in _spread(layout.places, share):
                    self._take_row(start, data, place, layout)
                layout.places.clear()
            for place in _spread(loose, share):
                self._take_loose(start, data, place)
        return {key: [points[place] for place in sorted(points)] for key, points in self._points.items()}

    def _walk(self, data: bytes, position: int) -> list[int]:
        """Note where the rows of each layout lie; the places of the loose ones."""
        loose: list[int] = []
        size, row_size, layouts = len(data), ROW_HEAD.size, self._layouts
        row_head, frame = ROW_HEAD.unpack_from, FRAME.unpack_from
        while position + row_size <= size:
            length, _, kind, number, _, _ = row_head(data, position)
            end = position + FRAME.size + length
            if end > size or not 0 < length <= MAX_PAYLOAD:
                break
            if kind == _ROW:
                layout = layouts.get(number)
                if layout is not None and layout.struct.size == length:
                    layout.places.append(position)
            elif kind == _JSONROW:
                loose.append(position)
            elif kind == _KEYS:
                self._declare(data[position + FRAME.size + 1 : end])
            position = end
        if position + FRAME.size < size:  # the last record may be shorter than a row
            length, _ = frame(data, position)
            if data[position + FRAME.size] == _KEYS and position + FRAME.size + length <= size:
                self._declare(data[position + FRAME.size + 1 : position + FRAME.size + length])
        return loose

    def _declare(self, body: bytes) -> None:
        found = json.loads(body)
        if set(found["kinds"]) <= ROW_KINDS:
            self._layouts.setdefault(int(found["layout"]), _Layout(found["keys"], found["kinds"]))

    def _take_row(self, start: int, data: bytes, place: int, layout: _Layout) -> None:
        try:
            values = layout.struct.unpack_from(data, place + FRAME.size)
        except PackError:
            return
        for key, value in zip(layout.keys, values[4:], strict=True):
            self._points.setdefault(key, {})[start + place] = value

    def _take_loose(self, start: int, data: bytes, place: int) -> None:
        length, _ = FRAME.unpack_from(data, place)
        body = json.loads(data[place + FRAME.size + 1 : place + FRAME.size + length])
        for key, value in body["data"].items():
            if isinstance(value, int | float):
                self._points.setdefault(key, {})[start + place] = value


def _spread(places: list[int], count: int) -> list[int]:
    """At most `count` of the places, evenly, the last one among them."""
    if len(places) <= count:
        return places
    return [places[(number + 1) * len(places) // count - 1] for number in range(count)]


def _first_record(data: bytes) -> int:
    """Where the first whole record of a stretch begins, found by its checksum; the end when there is none."""
    known = frozenset(map(int, RecordType))
    for position in range(min(_LOST_LIMIT, len(data) - ROW_HEAD.size)):
        if data[position + FRAME.size] not in known:
            continue
        length, checksum = FRAME.unpack_from(data, position)
        end = position + FRAME.size + length
        if length > 0 and end <= len(data) and crc32(data[position + FRAME.size : end]) == checksum:
            return position
    return len(data)
