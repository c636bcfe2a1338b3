"""Finding the next sound record behind damaged bytes: a checksum that fits tells where reading can go on."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, RecordType

_WINDOW = 1 << 20
_HEAD = FRAME.size + 1
# What can begin a record: a length below MAX_PAYLOAD, any checksum, a known type.
_CANDIDATE = re.compile(b"(?=...[\\x00-\\x%02x]....[\\x01-\\x%02x])" % (MAX_PAYLOAD >> 24, max(RecordType)), re.DOTALL)
_MOST_CHECKED = 64 << 20
"""Bytes whose checksum is computed in vain for one search: what looks like a long record seldom is one."""


class Gap(NamedTuple):
    """Damaged bytes [start, stop) of a journal that were skipped."""

    start: int
    stop: int


def next_sound(path: Path, offset: int) -> int | None:
    """The place of the first sound record at or after `offset`; None when there is none (yet)."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return _search(descriptor, max(offset, len(MAGIC)))
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _search(descriptor: int, offset: int) -> int | None:
    size = os.fstat(descriptor).st_size
    budget = _MOST_CHECKED
    while offset + _HEAD <= size:
        window = os.pread(descriptor, _WINDOW + _HEAD, offset)
        if len(window) < _HEAD:
            return None
        for found in _CANDIDATE.finditer(window):
            begin = found.start()
            length, checksum = FRAME.unpack_from(window, begin)
            if length == 0 or offset + begin + FRAME.size + length > size or (length > _WINDOW and length > budget):
                continue
            payload = window[begin + FRAME.size : begin + FRAME.size + length]
            if len(payload) < length:
                payload = os.pread(descriptor, length, offset + begin + FRAME.size)
            if len(payload) == length and crc32(payload) == checksum:
                return offset + begin
            budget -= length if length > _WINDOW else 0
        offset += max(1, len(window) - _HEAD + 1)
    return None
