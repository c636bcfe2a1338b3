"""The last chunk of each series, kept between batches: new points are added to it until it is full."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from tracking.database.dialect import storable
from tracking.store.chunks import CHUNK_POINTS, FLOAT, INT, JSON, SHORT_CHUNK, WORTH_DEFLATING, digest, encode, extremes
from tracking.store.contract import SeriesPart

Row = dict[str, Any]

OPEN_POINTS = 1 << 19
"""About as many points of a run are in open chunks at most."""


@dataclass(slots=True)
class Tail:
    """The end of one series: its open chunk, and how many points lie before it.

    A chunk that is full (or, in a run of many keys, long enough) stays the tail until a later step comes, because the
    last point may still be replaced.
    """

    chunk_no: int = 0
    before: int = 0
    series_kind: str = ""
    kind: str = ""
    steps: array[int] = field(default_factory=lambda: array("q"))
    values: Any = None

    @property
    def count(self) -> int:
        """Points of the whole series."""
        return self.before + len(self.steps)

    @property
    def is_plain(self) -> bool:
        """Whether the open chunk gains from being deflated."""
        return WORTH_DEFLATING <= 8 * len(self.steps) < 8 * CHUNK_POINTS

    def extend(self, part: SeriesPart, full: list[Tail], limit: int = CHUNK_POINTS) -> None:
        """Add points; chunks that have `limit` points and a successor are appended to `full`."""
        steps, values, kind = part.steps, part.values, part.kind
        if self.steps and steps and steps[0] <= self.steps[-1]:
            last = self.steps[-1]
            known = bisect_left(steps, last)  # points before the last one are ignored
            if known < len(steps) and steps[known] == last:
                self._widen(kind)
                self.values[-1] = _as_kind(self.kind, values[known : known + 1])[0]
                known += 1
            steps, values = steps[known:], values[known:]
        begin = 0
        while begin < len(steps):
            if len(self.steps) >= limit:
                full.append(self._close())
            self._widen(kind)
            end = begin + limit - len(self.steps)
            self.steps.extend(array("q", steps[begin:end]))
            self.values.extend(_as_kind(self.kind, values[begin:end]))
            begin = end

    def chunk_row(self, run_id: str, key: str, *, ended: bool) -> Row:
        """The open chunk for the database. It is deflated once it will hardly change again."""
        is_full = len(self.steps) >= CHUNK_POINTS
        return {
            "run_id": run_id,
            "key": key,
            "chunk_no": self.chunk_no,
            "kind": self.kind,
            "count": len(self.steps),
            "first_step": self.steps[0],
            "last_step": self.steps[-1],
            **(_outline(self.steps, self.values) if is_full and self.kind != JSON else _NO_OUTLINE),
            "data": encode(self.kind, self.steps, self.values, deflate=is_full or ended),
        }

    def series_row(self, run_id: str, key: str) -> Row:
        """What is known of the series."""
        return {
            "run_id": run_id,
            "key": key,
            "kind": self.series_kind,
            "count": self.count,
            "chunks": self.chunk_no + 1,
            "last_step": self.steps[-1],
            "last_value": self.values[-1],
        }

    def _close(self) -> Tail:
        """Start the next chunk; the one before, as a tail of its own."""
        closed = Tail(self.chunk_no, self.before, self.series_kind, self.kind, self.steps, self.values)
        self.chunk_no, self.before = self.chunk_no + 1, self.count
        self.kind, self.steps, self.values = "", array("q"), None
        return closed

    def _widen(self, kind: str) -> None:
        """Make the open chunk able to hold values of `kind` beside its own."""
        self.series_kind = wider(self.series_kind, kind)
        target = wider(self.kind, kind)
        if target != self.kind:
            self.kind, self.values = target, _as_kind(target, self.values or ())


_NO_OUTLINE: Row = dict.fromkeys(("low_step", "low", "high_step", "high", "digest"))


def _outline(steps: array[int], values: Any) -> Row:
    """What charts need of a full chunk. Without a finite value `low` and `high` are None."""
    low, high = extremes(values, 0, len(values))
    return {
        "low_step": steps[low],
        "low": values[low] if isfinite(values[low]) else None,
        "high_step": steps[high],
        "high": values[high] if isfinite(values[high]) else None,
        "digest": digest(steps, values),
    }


def wider(one: str, other: str) -> str:
    """The kind that holds values of both; "" is nothing yet."""
    if not one or one == other:
        return other
    return FLOAT if {one, other} == {FLOAT, INT} else JSON


def _as_kind(kind: str, values: Any) -> Any:
    if kind == FLOAT:
        return array("d", values)
    return array("q", values) if kind == INT else list(values)


@dataclass(slots=True)
class History:
    """The tails of one run. `stamp` is the state of the run's row which they belong to."""

    tails: dict[str, Tail] = field(default_factory=dict)
    complete: bool = True
    """Whether a key that is not here has no points in the store either."""
    stamp: tuple[float, int, int] = (0.0, 0, 0)
    dirty: set[str] = field(default_factory=set)
    full: list[tuple[str, Tail]] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(len(tail.steps) for tail in self.tails.values())

    def extend(self, parts: dict[str, SeriesPart]) -> None:
        """Add the points of a batch."""
        # Every batch writes the open chunks once more, so those of a run with thousands of keys must be short.
        keys = max(len(self.tails), len(parts), 1)
        limit = min(CHUNK_POINTS, max(SHORT_CHUNK, OPEN_POINTS // keys))
        for name, part in parts.items():
            if not part.steps:
                continue
            key = storable(name)
            full: list[Tail] = []
            self.tails.setdefault(key, Tail()).extend(part, full, limit)
            self.full += [(key, tail) for tail in full]
            self.dirty.add(key)

    def seal(self) -> None:
        """The run has ended: open chunks that were written plainly are to be written once more, deflated."""
        self.dirty |= {key for key, tail in self.tails.items() if tail.is_plain}

    def chunk_rows(self, run_id: str, *, ended: bool) -> list[Row]:
        """The chunks to write."""
        closed = [tail.chunk_row(run_id, key, ended=True) for key, tail in self.full]
        return closed + [self.tails[key].chunk_row(run_id, key, ended=ended) for key in sorted(self.dirty)]

    def series_rows(self, run_id: str) -> list[Row]:
        """The series to write."""
        return [self.tails[key].series_row(run_id, key) for key in sorted(self.dirty)]

    def written(self) -> None:
        """All rows are in the database."""
        self.dirty.clear()
        self.full.clear()


class TailCache:
    """Histories of the runs that were written last, so that an open chunk need not be read back each time."""

    def __init__(self, most_points: int = 2_000_000) -> None:
        self._most_points = most_points
        self._points = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[History, int]] = OrderedDict()

    def take(self, run_id: str) -> History | None:
        """The history of a run, which leaves the cache: whoever changes it may fail."""
        with self._lock:
            history, points = self._kept.pop(run_id, (None, 0))
            self._points -= points
            return history

    def put(self, run_id: str, history: History) -> None:
        """Keep a history that was written; the oldest go when there is too much."""
        points = history.points
        with self._lock:
            _, replaced = self._kept.pop(run_id, (None, 0))
            self._kept[run_id] = (history, points)
            self._points += points - replaced
            while self._points > self._most_points:
                _, (_, gone) = self._kept.popitem(last=False)
                self._points -= gone
