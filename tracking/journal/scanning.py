"""Picks the JSON records of some types out of a journal, passing quickly over the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from tracking.errors import JournalError
from tracking.journal.reader import read_stretch
from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD

_PIECE = 4 << 20


def json_records(path: Path, wanted: frozenset[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(type, body) of each record of these types, in order. Ends where the journal does, or where it is damaged or
    cannot be read."""
    offset = 0
    while True:
        try:
            data = read_stretch(path, offset, _PIECE).data
        except JournalError:
            return
        position = len(MAGIC) if offset == 0 else 0
        while position + FRAME.size < len(data):
            length, checksum = FRAME.unpack_from(data, position)
            begin = position + FRAME.size
            end = begin + length
            if end > len(data) and length <= MAX_PAYLOAD:
                break
            if not 0 < length <= MAX_PAYLOAD:
                return
            if data[begin] in wanted:
                payload = data[begin:end]
                if crc32(payload) != checksum:
                    return
                yield payload[0], json.loads(payload[1:])
            position = end
        if position <= (len(MAGIC) if offset == 0 else 0):
            return
        offset += position
