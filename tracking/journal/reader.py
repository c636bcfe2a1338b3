"""Reads the bytes of a journal: whole records only, so that a torn tail is never seen."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from tracking.errors import JournalCorrupt, JournalError
from tracking.journal.locking import is_locked
from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, RecordType


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a journal from `offset`; at 0 they begin with the header."""

    offset: int
    data: bytes


def read_stretch(path: Path, offset: int, max_bytes: int) -> Stretch:
    """At most `max_bytes` from `offset`, but always the whole record that starts there when the file has it.

    Empty when nothing new is there, also when the journal does not exist (yet). Raises JournalCorrupt for a file that
    is no journal of a known version, JournalError when the file cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return Stretch(offset, b"")
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error
    try:
        data = os.pread(descriptor, max_bytes, offset)
        if offset == 0 and len(data) >= len(MAGIC):
            _check_magic(path, data)
        wanted = _size_of_first(data, offset)
        if wanted > len(data) == max_bytes:
            data = _read_exactly(descriptor, wanted, offset)
    except OSError as error:
        raise JournalError(f"cannot read the journal {path}: {error.strerror}") from error
    finally:
        os.close(descriptor)
    return Stretch(offset, data)


def writer_lives(path: Path) -> bool:
    """Whether a process still has the journal open for writing. A journal that does not exist has no writer."""
    return is_locked(path)


def _size_of_first(data: bytes, offset: int) -> int:
    """The bytes up to the end of the first record, 0 when not even its length is there."""
    start = len(MAGIC) if offset == 0 else 0
    if len(data) < start + FRAME.size:
        return 0
    length, _ = FRAME.unpack_from(data, start)
    return start + FRAME.size + int(length) if length <= MAX_PAYLOAD else 0


def _read_exactly(descriptor: int, size: int, offset: int) -> bytes:
    """`size` bytes or up to the end of the file; one pread may return less than what was asked for."""
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(descriptor, size, offset)):
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)


def _has_record(data: bytes, place: int) -> bool:
    if len(data) < place + FRAME.size:
        return False
    length, checksum = FRAME.unpack_from(data, place)
    payload = data[place + FRAME.size : place + FRAME.size + length]
    return 0 < length == len(payload) and crc32(payload) == checksum and payload[0] == RecordType.RUN


def _check_magic(path: Path, data: bytes) -> None:
    if data.startswith(MAGIC):
        return
    if data.startswith(MAGIC[:-1]):
        raise JournalCorrupt(f"{path} was written by a newer version (journal {data[7]}, known is {MAGIC[7]}): upgrade")
    if _has_record(data, len(MAGIC)):
        return  # damage to nothing but the header: the checksum says that a record of ours follows
    raise JournalCorrupt(f"{path} is not a journal: it begins with {data[:8]!r}")
