"""Copies what the process prints into the console file of its run; the terminal sees exactly what it saw before."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_BYTES = 64 << 20
"""A run keeps this much of its output; a line in the file says that the rest is missing."""
_CUT = b"\n[sweepwright: the output goes on, but only its first 64 MiB are kept]\n"


class ConsoleCapture:
    """A tee of sys.stdout and sys.stderr.

    The streams stay the objects that they are, only their `write` is wrapped, so handlers that hold a stream already
    (logging, progress bars) are captured too. What is written below Python, to the file descriptors, is not.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._room = MAX_BYTES - os.fstat(self._descriptor).st_size
        self._lock = threading.RLock()  # re-entrant: a signal handler may print while we write
        self._wrapped: list[tuple[Any, Callable[[str], Any]]] = []
        for stream in (sys.stdout, sys.stderr):
            self._wrap(stream)

    def close(self) -> None:
        """Stop copying. Streams that somebody wrapped after us keep their wrapper; ours then only passes on."""
        for stream, ours in self._wrapped:
            if getattr(stream, "__dict__", {}).get("write") is ours:
                del stream.write
        self._wrapped.clear()
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def forked(self) -> None:
        """In a forked child: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()  # re-entrant: a signal handler may print while we write

    def _wrap(self, stream: Any) -> None:
        if stream is None:
            return
        original = stream.write

        def write(text: str) -> Any:
            written = original(text)
            self._keep(text)
            return written

        try:
            stream.write = write
        except AttributeError:
            return  # a stream of a class with fixed attributes: it is left as it is
        self._wrapped.append((stream, write))

    def _keep(self, text: str) -> None:
        if self._descriptor < 0 or self._room < 0 or not isinstance(text, str):
            return
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            kept = data if len(data) <= self._room else data[: max(0, self._room)] + _CUT
            self._room -= len(data)
            try:
                os.write(self._descriptor, kept)
            except OSError:
                return  # a full disk loses output, never the program that prints
