"""Copies what goes through Python's own streams, for streams that stand on no descriptor which we redirect."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any


class StreamTee:
    """A tee of Python streams.

    They stay the objects that they are, only their `write` is wrapped, so handlers that hold a stream already (logging,
    progress bars) are captured too.
    """

    def __init__(self, streams: Iterable[Any], keep: Callable[[bytes], None]) -> None:
        self._keep: Callable[[bytes], None] | None = keep
        self._wrapped: list[tuple[Any, Callable[[str], Any]]] = []
        for stream in streams:
            self._wrap(stream)

    def close(self) -> None:
        """Stop copying. Streams that somebody wrapped after us keep their wrapper; ours then only passes on."""
        self._keep = None
        for stream, ours in self._wrapped:
            if getattr(stream, "__dict__", {}).get("write") is ours:
                del stream.write
        self._wrapped.clear()

    def _wrap(self, stream: Any) -> None:
        original = stream.write

        def write(text: str) -> Any:
            written = original(text)
            if self._keep is not None and isinstance(text, str):
                self._keep(text.encode("utf-8", "backslashreplace"))
            return written

        try:
            stream.write = write
        except AttributeError:
            return  # a stream of a class with fixed attributes: it is left as it is
        self._wrapped.append((stream, write))


def open_streams() -> list[Any]:
    """sys.stdout and sys.stderr, less what is closed."""
    found = {id(stream): stream for stream in (sys.stdout, sys.stderr)}  # often they are one object, as in some servers
    return [stream for stream in found.values() if stream is not None and hasattr(stream, "write")]


def standing_elsewhere() -> list[Any]:
    """Those that stand on neither descriptor 1 nor 2, as in notebooks and under pytest.

    A stream that is no file (a tee of the user's) is taken to pass its text on to the stream that it stands before.
    """
    return [stream for stream in open_streams() if isinstance(stream, io.IOBase) and _descriptor(stream) not in (1, 2)]


def is_python_owned(descriptor: int) -> bool:
    """Whether Python found this descriptor open when it started: otherwise it may be any file by now."""
    stream = sys.__stdout__ if descriptor == 1 else sys.__stderr__
    return stream is not None and _descriptor(stream) == descriptor


def flush() -> None:
    """Write out what the streams hold, and what C libraries hold where one is likely loaded."""
    for stream in {id(one): one for one in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}.values():
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    ctypes = sys.modules.get("ctypes")
    if ctypes is not None:  # as with numpy and torch; importing it for this would cost more than it saves
        try:
            ctypes.pythonapi.fflush(None)
        except (AttributeError, OSError):
            return


def _descriptor(stream: Any) -> int:
    try:
        return int(stream.fileno())
    except (OSError, ValueError, AttributeError, TypeError):
        return -1
