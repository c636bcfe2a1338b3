"""The pump: a small process that copies output to where it went before and into the console file of the run.

It is no part of the training process, so that it goes on when that is killed, and it ends with the last process that
could still write. What it reads are *channels*: a pipe, or a pseudo-terminal where a terminal is to be stood in for.
"""

# The first line of output waits for the start of this process, so it imports builtin modules only.
from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # the names without the enumerations, which take longer
import _socket
import _thread
import fcntl
import os
import select
import sys
import time

from tracking.live.capturing.keeping import ConsoleFile
from tracking.live.capturing.lines import Collapser

CONTROL = 0
"""The descriptor of the socket to the training process."""
_PIECE = 1 << 16
_TICK_S = 0.25
_MOST_RESTARTS = 8
_IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGTTOU", "SIGTTIN", "SIGPIPE")
_WINSIZE = (0x5413, 0x5414) if sys.platform == "linux" else (0x40087468, 0x80087467)
"""TIOCGWINSZ and TIOCSWINSZ."""


class Channel:
    """What is read, and where it goes: to `target` (-1: nowhere) and, through the collapser, into the file."""

    def __init__(self, number: int, source: int, target: int, is_terminal: bool) -> None:
        self.number, self.source, self.target, self.is_terminal = number, source, target, is_terminal
        self.size = b""
        self.ended = False
        self.collapser = Collapser()

    def follow_size(self) -> None:
        """Give the pseudo-terminal the size of the terminal that it stands for."""
        if not self.is_terminal or self.ended or self.target < 0:
            return
        try:
            size = fcntl.ioctl(self.target, _WINSIZE[0], bytes(8))
            if size != self.size:
                fcntl.ioctl(self.source, _WINSIZE[1], size)
                self.size = size
        except OSError:
            pass  # the terminal is gone


class Pump:
    """Copies all channels, each in a thread, until no process can write to them any more."""

    def __init__(self, file: ConsoleFile | None, channels: list[Channel], mark: bytes, tell: int) -> None:
        self._file, self._channels, self._mark, self._tell = file, channels, mark, tell
        self._marked: set[int] = set()
        self._lock = _thread.allocate_lock()
        self._wakes, self._wake = os.pipe()
        self._control: _socket.socket | None = _socket.socket(fileno=CONTROL)

    def run(self) -> None:
        for channel in self._channels:
            _thread.start_new_thread(self._copy, (channel,))
        while not all(channel.ended for channel in self._channels):
            self._wait()
            self._tend()
        with self._lock:
            self._finish()

    def _wait(self) -> None:
        watched = [self._wakes] + ([CONTROL] if self._control is not None else [])
        readable, _, _ = select.select(watched, [], [], _TICK_S)
        if CONTROL in readable:
            # Nothing is said on this way: it only ever ends.
            self._control = None
        if self._wakes in readable:
            os.read(self._wakes, 64)

    def _tend(self) -> None:
        for channel in self._channels:
            channel.follow_size()
        now = time.monotonic()
        with self._lock:
            for channel in self._channels:
                self._keep(channel.collapser.settle(now))

    def _copy(self, channel: Channel) -> None:
        """Read to the end. A thread for each channel, because one that is not read on must not hold up another."""
        held = b""
        try:
            while data := _read(channel.source):
                held = self._pass_on(channel, held + data)
            self._forward(channel, held)
        finally:
            channel.ended = True
            os.write(self._wake, b"w")

    def _pass_on(self, channel: Channel, data: bytes) -> bytes:
        """Copy this; what may be the beginning of a mark is given back."""
        while self._mark in data:
            before, _, data = data.partition(self._mark)
            self._forward(channel, before)
            self._answer(channel)
        keep = _begun(data, self._mark)
        whole = data[: len(data) - keep]
        self._forward(channel, whole)
        return data[len(whole) :]

    def _forward(self, channel: Channel, data: bytes) -> None:
        if not data:
            return
        if channel.target >= 0:
            self._show(channel, data)
        with self._lock:
            self._keep(channel.collapser.feed(data, time.monotonic()))

    def _show(self, channel: Channel, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(channel.target, data) :]
            except BlockingIOError:  # whoever started us made it so
                select.select([], [channel.target], [], 1.0)
            except BrokenPipeError:
                # Its reader has left. The writer shall see what it would have seen without us.
                channel.target = -1
                os.write(self._tell, bytes((channel.number,)))
                os.close(channel.source)
                return
            except OSError:
                channel.target = -1  # the terminal was closed; the file goes on
                return

    def _answer(self, channel: Channel) -> None:
        """All that was written before the mark is where it belongs: say so."""
        with self._lock:
            self._keep(channel.collapser.flush())
            self._marked.add(channel.number)
            # Not at the first mark: another channel may have much to say yet, and its end would be kept twice.
            if all(other.ended or other.number in self._marked for other in self._channels):
                self._marked.clear()
                if self._file is not None:
                    self._file.finish()
        try:
            if self._control is not None:
                self._control.send(bytes((channel.number,)))
        except OSError:
            self._control = None

    def _keep(self, data: bytes) -> None:
        if data and self._file is not None:
            self._file.write(data)

    def _finish(self) -> None:
        for channel in self._channels:
            self._keep(channel.collapser.flush())
        if self._file is not None:
            self._file.finish()


def _read(source: int) -> bytes:
    """What comes next, b"" at the end: a pseudo-terminal whose last writer has left says so by an error."""
    try:
        return os.read(source, _PIECE)
    except OSError:
        return b""


def _begun(data: bytes, mark: bytes) -> int:
    """How many bytes at the end of `data` may be the beginning of the mark."""
    at = data.rfind(mark[:1], max(0, len(data) - len(mark) + 1))
    return len(data) - at if at >= 0 and mark.startswith(data[at:]) else 0


def serve(path: str, limit: int, mark: bytes, channels: list[Channel]) -> None:
    """Keep a pump running. One that is killed has a successor, so that the training never writes into nothing."""
    for attempt in range(_MOST_RESTARTS):
        heard, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(heard)
            os._exit(_pumped(path if attempt < _MOST_RESTARTS - 1 else "", limit, mark, channels, tell))
        os.close(tell)
        while number := os.read(heard, 1):
            gone = next(channel for channel in channels if channel.number == number[0])
            channels.remove(gone)
            os.close(gone.source)
        os.close(heard)
        _, status = os.waitpid(child, 0)
        if status == 0:
            return


def _pumped(path: str, limit: int, mark: bytes, channels: list[Channel], tell: int) -> int:
    """One pump from beginning to end; without a path it only passes on."""
    try:
        Pump(_opened(path, limit) if path else None, channels, mark, tell).run()
    except BaseException as error:  # noqa: BLE001  boundary: the next pump goes on
        note = f"[sweepwright: the capture of the output failed: {type(error).__name__}: {error}]\n"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            os.write(descriptor, note.encode("utf-8", "replace"))
        except OSError:
            pass
        return 1
    return 0


def _opened(path: str, limit: int) -> ConsoleFile | None:
    try:
        file = ConsoleFile(path, limit)
        fcntl.flock(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return file
    except OSError:
        return None  # the folder is gone or cannot be written: the output is still shown
    return file


def _close_others(ours: set[int]) -> None:
    """What the training process left open for its children is none of our business: its readers wait for the end."""
    for descriptor in range(3, max(ours) + 1):
        if descriptor not in ours:
            os.closerange(descriptor, descriptor + 1)
    os.closerange(max(ours) + 1, 4096)


def main(arguments: list[str]) -> None:
    """`<file> <limit> <mark> <channel>…`; a channel is source:target:t for a terminal, source:target:p otherwise."""
    path, limit, mark, *words = arguments
    channels: list[Channel] = []
    for number, word in enumerate(words):
        source, target, kind = word.split(":")
        channels.append(Channel(number, int(source), int(target), kind == "t"))
    for name in _IGNORED:
        _signal.signal(getattr(_signal, name), _signal.SIG_IGN)
    _close_others({end for one in channels for end in (one.source, one.target)})
    serve(path, int(limit), mark.encode(), channels)
