"""Reads `.wandb` files: a log in LevelDB's format whose records are protocol buffers.

https://github.com/google/leveldb/blob/main/doc/log_format.md; the first 7 bytes are W&B's own header.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from tracking.errors import UsageError
from tracking.importing.protobuf import Message

_HEADER = struct.Struct("<4sHB")
_IDENT, _MAGIC = b":W&B", 0xBEE1
_BLOCK = 1 << 15
_CHUNK = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def records(path: Path) -> Iterator[Message]:
    """The records of the file in order, up to the first that is torn or damaged. Raises UsageError for another file."""
    for data in _payloads(path):
        try:
            yield Message(data)
        except ValueError:
            return


def _payloads(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size or _HEADER.unpack(head)[:2] != (_IDENT, _MAGIC):
            raise UsageError(f"{path} is no .wandb file: it begins with {head!r}")
        position, record = _HEADER.size, b""
        while True:
            left = _BLOCK - position % _BLOCK
            if left < _CHUNK.size:  # the rest of a block that is too short for a header is filled with zeros
                file.read(left)
                position += left
                continue
            header = file.read(_CHUNK.size)
            if len(header) < _CHUNK.size:
                return
            checksum, size, kind = _CHUNK.unpack(header)
            body = file.read(size)
            if len(body) < size or kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or checksum != _checksum(kind, body):
                return
            position += _CHUNK.size + size
            record = body if kind in (_FULL, _FIRST) else record + body
            if kind in (_FULL, _LAST):
                yield record


def _checksum(kind: int, body: bytes) -> int:
    """W&B takes the ordinary CRC-32 where LevelDB has a masked Castagnoli one; it covers type and body."""
    from zlib import crc32

    return crc32(body, crc32(bytes((kind,))))
