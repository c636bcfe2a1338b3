"""Copies a file while its SHA-256 is taken, at the speed of the slower of the two and with constant memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

PIECE = 1 << 20
"""Bytes read, hashed and written at a time."""
_BUFFERS = 4
_FICLONE = 0x40049409
"""The ioctl of Linux by which a file shares the blocks of another until one of them is written (btrfs, xfs)."""


def copy_hashed(source: int, target: int, progress: Callable[[int], None] | None = None) -> tuple[str, int]:
    """Copy one open file into another, empty one: (SHA-256, bytes). Hashing goes on in a thread beside the copying.

    `progress` gets the bytes of each piece that is done.
    """
    if _reflink(source, target):
        return hashed(target)  # of the copy: the source may change meanwhile, the copy does not
    digest, size = hashlib.sha256(), 0
    buffers = [bytearray(PIECE) for _ in range(_BUFFERS)]
    pending: list[Future[None] | None] = [None] * _BUFFERS
    with ThreadPoolExecutor(1) as hasher:
        turn = 0
        while True:
            _done(pending[turn])
            count = os.readv(source, [buffers[turn]])
            if not count:
                break
            piece = memoryview(buffers[turn])[:count]
            pending[turn] = hasher.submit(digest.update, piece)
            write_all(target, piece)
            size += count
            turn = (turn + 1) % _BUFFERS
            if progress is not None:
                progress(count)
        for future in pending:
            _done(future)
    return digest.hexdigest(), size


def hashed(file: int) -> tuple[str, int]:
    """SHA-256 and size of an open file, read from its beginning."""
    digest, size = hashlib.sha256(), 0
    buffer = bytearray(PIECE)
    view = memoryview(buffer)
    while count := os.preadv(file, [buffer], size):
        digest.update(view[:count])
        size += count
    return digest.hexdigest(), size


def hash_file(path: str | os.PathLike[str]) -> tuple[str, int]:
    """SHA-256 and size of a file. Raises OSError."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        return hashed(file)
    finally:
        os.close(file)


def write_all(file: int, data: Any) -> None:
    """Write all bytes. Raises OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _done(future: Future[None] | None) -> None:
    if future is not None:
        future.result()


def _reflink(source: int, target: int) -> bool:
    """Whether `target` now shares the blocks of `source`."""
    try:
        import fcntl  # not on Windows
    except ModuleNotFoundError:
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True
