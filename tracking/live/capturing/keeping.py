"""The console file: appended to only, and bounded by keeping the beginning and the end of what is too long."""

# Imported by the pump, like lines.py: builtin modules only.
from __future__ import annotations

import os

TAIL_NAMES = (".tail-0", ".tail-1")


class ConsoleFile:
    """The file of one attempt. A disk that is full loses output, never raises, and a note says how much.

    The first half of `limit` bytes is appended as it comes. After that the output goes to two files beside it by turns,
    which hold what came last; `finish()` appends that, after a note that says how much is missing.
    """

    def __init__(self, path: str, limit: int) -> None:
        self._path = path
        self._head, self._segment = limit // 2, max(1, limit // 4)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._size = os.fstat(self._descriptor).st_size
        self._tails = [path + name for name in TAIL_NAMES]
        self._turn, self._filled, self._left_out, self._lost = 0, 0, 0, 0
        self._spill = -1

    @property
    def descriptor(self) -> int:
        """The open file: its lock says that the output is not complete yet."""
        return self._descriptor

    def write(self, data: bytes) -> None:
        """Add whole lines."""
        if not data:
            return
        room = self._head - self._size
        if self._spill < 0 and room > 0:
            head = data if len(data) <= room else data[: data.rfind(b"\n", 0, room) + 1]
            self._append(head)
            data = data[len(head) :]
            if data:
                self._size = self._head
        for start in range(0, len(data), self._segment):
            self._keep_last(data[start : start + self._segment])

    def finish(self) -> None:
        """Append what was kept of the end. More may be written after it."""
        if self._spill < 0:
            return
        os.close(self._spill)
        self._spill = -1
        if self._left_out:
            self._append(f"\n[sweepwright: {self._left_out} bytes of output are left out here]\n".encode())
        older, newer = self._tails[1 - self._turn], self._tails[self._turn]
        for path in (older, newer):
            self._move(path)
        self._turn = self._filled = self._left_out = 0

    def _keep_last(self, data: bytes) -> None:
        if self._spill < 0:
            self._open_tail()
        elif self._filled + len(data) > self._segment:
            os.close(self._spill)
            self._turn = 1 - self._turn
            self._open_tail()
        if _written(self._spill, data):
            self._filled += len(data)
        else:
            self._lost += len(data)

    def _open_tail(self) -> None:
        """Start the tail file whose turn it is; what it had is left out."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._spill = os.open(self._tails[self._turn], flags, 0o644)
            self._left_out += os.fstat(self._spill).st_size
            os.ftruncate(self._spill, 0)
        except OSError:
            self._spill = -1
        self._filled = 0

    def _move(self, path: str) -> None:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return
        while piece := os.read(descriptor, 1 << 20):
            self._append(piece)
        os.close(descriptor)
        os.unlink(path)

    def _append(self, data: bytes) -> None:
        if self._lost:
            note = f"\n[sweepwright: {self._lost} bytes of output are lost: they could not be written]\n".encode()
            if not _written(self._descriptor, note):
                self._lost += len(data)
                return
            self._lost = 0
        if _written(self._descriptor, data):
            self._size += len(data)
        else:
            self._lost += len(data)


def _written(descriptor: int, data: bytes) -> bool:
    """Whether the disk took all of it."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return False
    return True
