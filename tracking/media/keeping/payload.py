"""The bytes of one media file on their way: in memory, in a file, or still in the place that they are read from.

A media object encodes its data when it is made, so that a buffer which is used again does no harm; what is small waits
in memory, the rest in a temporary file. So encoded data is never in memory twice, and seldom once.
"""

from __future__ import annotations

import io
import os
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from tracking import context
from tracking.media.contract import Sink

Opener = Callable[[Mapping[str, Any]], BinaryIO]
"""Gives the open file that a record speaks of: it gets the mapping with "path", "sha256" and "size"."""

IN_MEMORY = 8 << 20
"""Raw bytes: data beyond is encoded into a temporary file."""
ALL_IN_MEMORY = 64 << 20
"""Encoded bytes that all living media objects of a process may keep in memory together."""
_MIMES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "bmp": "image/bmp", "gif": "image/gif",
    "webp": "image/webp", "svg": "image/svg+xml", "tif": "image/tiff", "tiff": "image/tiff", "wav": "audio/wav",
    "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "mp4": "video/mp4", "webm": "video/webm",
    "html": "text/html", "json": "application/json", "glb": "model/gltf-binary", "gltf": "model/gltf+json",
    "obj": "model/obj", "stl": "model/stl", "pdb": "chemical/x-pdb", "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
_held = 0


class Payload(ABC):
    """Bytes with an extension (without its dot, such as "png" or "pts.json"). May be put and opened many times."""

    def __init__(self, extension: str) -> None:
        self.extension = extension

    @property
    def mime(self) -> str:
        return _MIMES.get(self.extension.rpartition(".")[2].lower(), "application/octet-stream")

    @abstractmethod
    def put(self, sink: Sink, name: str) -> dict[str, Any]:
        """Give the bytes to a sink; `name` has no extension yet. Raises OSError when they are lost or not writable."""

    @abstractmethod
    def open(self) -> BinaryIO:
        """The bytes for reading, from their start. Raises OSError."""

    def name(self, stem: str) -> str:
        return f"{stem}.{self.extension}"


class InMemory(Payload):
    """Bytes that wait in memory, once."""

    def __init__(self, extension: str, buffer: io.BytesIO) -> None:
        super().__init__(extension)
        self._buffer = buffer
        _hold(size := buffer.getbuffer().nbytes)
        weakref.finalize(self, _hold, -size)

    def put(self, sink: Sink, name: str) -> dict[str, Any]:
        return sink.add_bytes(self.name(name), self._buffer.getbuffer(), self.mime)

    def open(self) -> BinaryIO:
        return io.BytesIO(self._buffer.getvalue())

    def __reduce__(self) -> tuple[Any, ...]:
        return of_bytes, (self._buffer.getvalue(), self.extension)


class OnDisk(Payload):
    """A file: the user's, which stays where it is, or a temporary one of ours, which goes with this object."""

    def __init__(self, extension: str, path: Path, ours: bool = False) -> None:
        super().__init__(extension)
        self.path, self._ours = path, ours
        if ours:
            weakref.finalize(self, _remove, path, os.getpid())

    def put(self, sink: Sink, name: str) -> dict[str, Any]:
        return sink.add_file(self.name(name), self.path, self.mime)

    def open(self) -> BinaryIO:
        return self.path.open("rb")

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, or what another process gets of it, must not need a temporary file that goes with this object."""
        return (
            (of_bytes, (self.path.read_bytes(), self.extension))
            if self._ours
            else (OnDisk, (self.extension, self.path))
        )


class Stored(Payload):
    """A file that a record speaks of; opened when somebody wants to see it."""

    def __init__(self, record: Mapping[str, Any], opener: Opener) -> None:
        file = str(record["path"]).rpartition("/")[2]
        super().__init__(str(record.get("format") or _extension(file)))
        self.record, self._opener = record, opener

    def put(self, sink: Sink, name: str) -> dict[str, Any]:
        with self.open() as file, _temporary(self.extension) as copy:
            while piece := file.read(1 << 20):
                copy.write(piece)
            copy.flush()
            return sink.add_file(self.name(name), copy.name, self.mime)

    def open(self) -> BinaryIO:
        return self._opener(self.record)


class Nothing(Payload):
    """Of a disabled run: takes the place of bytes that nobody will want."""

    def put(self, sink: Sink, name: str) -> dict[str, Any]:
        if not silent():
            raise OSError("it was made while a disabled run was the current one, so it is empty")
        return {"path": self.name(name), "sha256": "", "size": 0}

    def open(self) -> BinaryIO:
        return io.BytesIO()


class Lost(Payload):
    """Bytes that could not be encoded because of the disk: logging them says so, and training goes on."""

    def __init__(self, extension: str, problem: str) -> None:
        super().__init__(extension)
        self._problem = problem

    def put(self, sink: Sink, name: str) -> dict[str, Any]:
        raise OSError(self._problem)

    def open(self) -> BinaryIO:
        raise OSError(self._problem)


def silent() -> bool:
    """Whether the run of the calling code is disabled, so that its media need not be made.

    In a forked worker they are made: it may send them to the process that logs.
    """
    run = context.current_run()
    return run is not None and run.disabled


def of_file(path: str | os.PathLike[str], extension: str) -> Payload:
    """A file of the user, kept as it is."""
    return OnDisk(extension, Path(path).absolute())


def of_bytes(data: bytes, extension: str) -> Payload:
    """Bytes that are encoded already."""
    return encoded(extension, lambda file: _write_all(file, data), len(data))


def of_text(text: str, extension: str) -> Payload:
    """A text as UTF-8, encoded piece by piece."""

    def write(file: BinaryIO) -> None:
        for start in range(0, len(text), 1 << 20):
            # A lone surrogate may be in it, but no pair can be cut: Python's text has no pairs.
            file.write(text[start : start + (1 << 20)].encode("utf-8", "backslashreplace"))

    return encoded(extension, write, len(text))


def encoded(extension: str, write: Callable[[BinaryIO], None], expected: int) -> Payload:
    """Run an encoder, which writes into the file that it gets. `expected`: about how many bytes it has to encode.

    A temporary folder that is full costs memory instead; whatever the encoder itself raises goes through.
    """
    if silent():
        return Nothing(extension)
    if expected > IN_MEMORY or _held + expected > ALL_IN_MEMORY:
        try:
            with _temporary(extension, keep=True) as file:
                written = OnDisk(extension, Path(file.name), ours=True)
                write(file)
            return written
        except OSError:
            pass  # a full disk and a bad image look alike: in memory only the bad image fails again
    buffer = io.BytesIO()
    write(buffer)
    return InMemory(extension, buffer)


def encoded_file(extension: str, write: Callable[[Path], None]) -> Payload:
    """Run an encoder which wants the path of a file of its own. What the disk refuses is told when it is logged."""
    if silent():
        return Nothing(extension)
    try:
        with _temporary(extension, keep=True) as file:
            written = OnDisk(extension, Path(file.name), ours=True)
        write(written.path)
    except OSError as error:
        return Lost(extension, f"it could not be encoded in {tempfile.gettempdir()}: {error}")
    return written


def _temporary(extension: str, keep: bool = False) -> Any:
    return tempfile.NamedTemporaryFile(prefix="sweepwright-", suffix=f".{extension}", delete=not keep)


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must leave what its parent still needs
        path.unlink(missing_ok=True)


def _hold(size: int) -> None:
    global _held
    _held += size


def _write_all(file: BinaryIO, data: bytes) -> None:
    file.write(data)


def _extension(file: str) -> str:
    return (
        next((double for double in ("pts.json", "plotly.json", "boxes2D.json") if file.endswith(double)), "")
        or (file.rpartition(".")[2])
    )
