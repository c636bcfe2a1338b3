"""How a shipper sees the process that writes the journal: as its parent, or by the lock which that process holds."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tracking.journal.reader import writer_lives


class ParentWriter:
    """The training process that started us, seen through the socket which it holds the other end of."""

    def __init__(self, channel: socket.socket, parent: int) -> None:
        self._channel, self.pid = channel, parent
        self._told = False

    def wait(self, seconds: float) -> None:
        if self._told:
            time.sleep(seconds)
        else:
            readable, _, _ = select.select([self._channel], [], [], seconds)
            self._told = bool(readable)  # a word that the run has ended, or end of file: both say so

    @property
    def has_ended(self) -> bool:
        if not self._told:
            self.wait(0.0)
        # A fork without exec can keep the socket open beyond the parent's death; then getppid changes.
        return self._told or os.getppid() != self.pid

    def answer(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            self._channel.sendall(line)


class LockedWriter:
    """A writer that did not start us: it lives as long as it holds the lock of its journal."""

    pid = 0

    def __init__(
        self, path: Path, say: Callable[[bytes], object], pause: Callable[[float], object] = time.sleep
    ) -> None:
        self._path = path
        self._say, self._pause = say, pause

    def wait(self, seconds: float) -> None:
        self._pause(seconds)

    @property
    def has_ended(self) -> bool:
        return not writer_lives(self._path)

    def answer(self, line: bytes) -> None:
        self._say(line)
