"""The folder of blobs: files named by the SHA-256 of their content, written once and never changed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _hashlib import HASH

PIECE = 1 << 20
"""Bytes read, hashed and written at a time."""
SMALL = 1 << 20
"""Bytes up to which a file is read at once, so that one that is stored already is not written again."""
FRESH = 3600.0
"""Seconds for which a blob counts as just stored. One that is used again after that gets a new time, so that whoever
removes old blobs that nothing names leaves alone what is about to be named."""
_DIGITS = frozenset("0123456789abcdef")
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)


class Blob:
    """A stored content: its SHA-256 as 64 hex digits, and its size in bytes."""

    __slots__ = ("digest", "size")

    def __init__(self, digest: str, size: int) -> None:
        self.digest, self.size = digest, size


class Blobs:
    """Blobs below one folder: `<root>/<first two digits>/<digest>`; unfinished ones in `<root>/tmp`.

    A blob appears by an atomic rename, so that a reader never sees half of one; two writers of the same content end
    with the same file. Every writing call may raise OSError (disk full, not writable) and then leaves nothing behind.
    Usable by several threads and processes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """Where the blob lies, or would lie. Raises ValueError for what is no SHA-256."""
        return Path(self._place(digest))

    def has(self, digest: str) -> bool:
        return os.path.isfile(self._place(digest))

    def open(self, digest: str) -> BinaryIO:
        """The blob for reading. Raises FileNotFoundError."""
        return open(self._place(digest), "rb")

    def read(self, digest: str) -> bytes:
        """All bytes of a blob. Raises FileNotFoundError."""
        with self.open(digest) as file:
            return file.read()

    def put_bytes(self, data: bytes | bytearray | memoryview) -> Blob:
        """Store these bytes."""
        view = memoryview(data).cast("B")
        blob = Blob(hashlib.sha256(view).hexdigest(), len(view))
        if not self._reuse(blob):
            self._write_small(blob, view)
        return blob

    def put_file(self, source: str | os.PathLike[str], progress: Callable[[int], None] | None = None) -> Blob:
        """Store a copy of a file, read once: its memory need does not grow with the file. `progress` gets the bytes of
        each piece of a large one."""
        file = os.open(source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            if os.fstat(file).st_size <= SMALL:
                data = os.read(file, SMALL + 1)
                if not os.read(file, 1):
                    return self.put_bytes(data)
                os.lseek(file, 0, os.SEEK_SET)  # it grew
            return self._put_large(file, progress)
        finally:
            os.close(file)

    def take(self, source: Path, digest: str) -> Blob:
        """Have a blob of another folder here too: by a second name where possible (blobs never change), else copied.

        Raises FileNotFoundError, and ValueError when what was copied is not what the digest says.
        """
        size = source.stat().st_size
        if self._reuse(Blob(digest, size)):
            return Blob(digest, size)
        target = self._place(digest)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(source, target)
        except FileExistsError:
            pass
        except OSError:  # another file system, or one without links
            blob = self.put_file(source)
            if blob.digest != digest:
                raise ValueError(f"{source} is damaged: its content is not what its name says") from None
        return Blob(digest, size)

    @contextlib.contextmanager
    def writer(self) -> Iterator[BlobWriter]:
        """A stream into a new blob, which exists (`writer.blob`) when the block ends without an error."""
        with self._unfinished() as (path, file):
            writer = BlobWriter(file, hashlib.sha256())
            yield writer
            writer.close()
            if not self._reuse(writer.blob):
                self._place_at(path, writer.blob)

    def delete(self, digest: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._place(digest))

    # -- inside ---------------------------------------------------------------------------------

    def _place(self, digest: str) -> str:
        if len(digest) != 64 or not _DIGITS.issuperset(digest):
            raise ValueError(f"{digest!r} is no SHA-256")
        return f"{self.root}/{digest[:2]}/{digest}"

    def _write_small(self, blob: Blob, data: memoryview) -> None:
        """Write a new blob. Not by `_unfinished`: of many small files each call counts."""
        path = f"{self.root}/tmp/{os.getpid()}-{os.urandom(6).hex()}"
        file = self._open_new(path)
        try:
            try:
                while data:
                    data = data[os.write(file, data) :]
            finally:
                os.close(file)
            self._place_at(path, blob)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise

    def _put_large(self, source: int, progress: Callable[[int], None] | None) -> Blob:
        from tracking.blobs.copying import copy_hashed  # a run that only stores figures needs no threads

        with self._unfinished() as (path, file):
            blob = Blob(*copy_hashed(source, file, progress))
            if not self._reuse(blob):
                self._place_at(path, blob)
        return blob

    def _reuse(self, blob: Blob) -> bool:
        """Whether the blob is there, and whole; it counts as fresh then."""
        place = self._place(blob.digest)
        try:
            found = os.stat(place)
            if found.st_size != blob.size:
                return False  # a power cut emptied it
            if time.time() - found.st_mtime > FRESH:
                os.utime(place)
        except OSError:
            return False  # it is not there, or is another user's and cannot be made fresh: write it anew
        return True

    @contextlib.contextmanager
    def _unfinished(self) -> Iterator[tuple[str, int]]:
        """A new file in `tmp` and its descriptor; what is left of it when the block ends is removed."""
        path = f"{self.root}/tmp/{os.getpid()}-{os.urandom(6).hex()}"
        file = self._open_new(path)
        try:
            yield path, file
        finally:
            os.close(file)
            with contextlib.suppress(OSError):
                os.unlink(path)

    def _open_new(self, path: str) -> int:
        try:
            return os.open(path, _NEW, 0o444)
        except FileNotFoundError:
            os.makedirs(f"{self.root}/tmp", exist_ok=True)
            return os.open(path, _NEW, 0o444)

    def _place_at(self, path: str, blob: Blob) -> None:
        target = self._place(blob.digest)
        try:
            os.replace(path, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(path, target)


class BlobWriter:
    """A blob that is being written; `blob` once it is closed."""

    def __init__(self, file: int, digest: HASH) -> None:
        self.blob: Blob
        self._file, self._hash, self._size = file, digest, 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        view = memoryview(data).cast("B")
        self._hash.update(view)
        self._size += len(view)
        rest = view
        while rest:
            rest = rest[os.write(self._file, rest) :]
        return len(view)

    def close(self) -> None:
        self.blob = Blob(self._hash.hexdigest(), self._size)
