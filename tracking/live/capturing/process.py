"""Starts a pump, and tells it where to read and write."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_FIRST_FREE = 64
"""Our ends of pipes get numbers from here on, so that they never collide with those that the pump expects."""
_PUMP_FIRST = 3
_ROOT = Path(__file__).absolute().parent.parent.parent.parent
# The packages stand for themselves here: importing them properly would take longer than all the rest.
_START = """import sys
for name in ("tracking", "tracking.live", "tracking.live.capturing"):
    package = type(sys)(name)
    package.__path__ = [sys.argv[1] + "/" + name.replace(".", "/")]
    sys.modules[name] = package
from tracking.live.capturing.pump import main
main(sys.argv[2:])
"""

_left_behind: list[int] = []


class Outlet:
    """One channel as the training process sees it: what writers write to, and where it went before."""

    def __init__(self, source: int, writer: int, target: int = -1, is_terminal: bool = False) -> None:
        self.source, self.writer, self.target, self.is_terminal = source, writer, target, is_terminal
        status = os.fstat(writer)
        self._identity = status.st_dev, status.st_ino, status.st_rdev

    def stands_behind(self, descriptor: int) -> bool:
        """Whether what is written to this descriptor goes here."""
        try:
            status = os.fstat(descriptor)
        except OSError:
            return False
        return (status.st_dev, status.st_ino, status.st_rdev) == self._identity

    def close(self) -> None:
        """Close our ends."""
        for descriptor in (self.source, self.writer, self.target):
            if descriptor >= 0:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        self.source = self.writer = self.target = -1


class PumpProcess:
    """The pump of one capture."""

    def __init__(self, path: Path, limit: int, outlets: Sequence[Outlet]) -> None:
        """Raises OSError when no process can be started."""
        if not sys.executable:
            raise OSError("this Python does not know its own program")
        reap()
        self._outlets = list(outlets)
        self._mark = f"\x1b_sweepwright:{os.urandom(8).hex()}\x1b\\"
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._pid = self._spawn(path, limit, theirs)
            except OSError:
                self._control.close()
                raise
        for outlet in outlets:
            os.close(outlet.source)
            outlet.source = -1

    def drain(self, patience: float) -> bool:
        """Wait until all that was written so far is shown and kept; False when that takes longer."""
        deadline = time.monotonic() + patience
        awaited: set[int] = set()
        for number, outlet in enumerate(self._outlets):
            if is_ready(outlet.writer, select.POLLOUT, deadline - time.monotonic()):
                with contextlib.suppress(OSError):
                    os.write(outlet.writer, self._mark.encode())
                    awaited.add(number)
        while awaited:
            ready = is_ready(self._control.fileno(), select.POLLIN, deadline - time.monotonic())
            answer = self._control.recv(64) if ready else b""
            if not answer:
                return False
            awaited -= set(answer)
        return True

    def leave(self) -> None:
        """Let it end by itself, with the last process that writes."""
        self._control.close()
        _left_behind.append(self._pid)
        reap()

    def forget(self) -> None:
        """In a forked child: it is not ours."""
        self._control.close()

    def _spawn(self, path: Path, limit: int, control: socket.socket) -> int:
        null = os.devnull
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, control.fileno(), 0),
            (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
        ]
        words: list[str] = []
        free = _PUMP_FIRST
        for outlet in self._outlets:
            source, target = free, free + 1 if outlet.target >= 0 else -1
            actions.append((os.POSIX_SPAWN_DUP2, outlet.source, source))
            if outlet.target >= 0:
                actions.append((os.POSIX_SPAWN_DUP2, outlet.target, target))
            words.append(f"{source}:{target}:{'t' if outlet.is_terminal else 'p'}")
            free += 2
        command = [sys.executable, "-I", "-S", "-c", _START, str(_ROOT), str(path), str(limit), self._mark, *words]
        try:
            # A session of its own: neither Ctrl-C nor the end of the terminal may end it before all is copied.
            return os.posix_spawn(command[0], command, os.environ, file_actions=actions, setsid=True)
        except NotImplementedError:
            return os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)


def is_ready(descriptor: int, event: int, seconds: float) -> bool:
    """Whether it can be read or written within this time. poll() knows descriptors beyond 1023, select() does not."""
    poller = select.poll()
    poller.register(descriptor, event)
    return bool(poller.poll(max(0.0, seconds) * 1000))


def pipe_outlet(target: int = -1) -> Outlet:
    """A pipe to the pump, which passes on to `target`."""
    source, writer = os.pipe()
    return Outlet(_moved(source), _moved(writer), _copied(target))


def terminal_outlet(target: int) -> Outlet:
    """A pseudo-terminal that looks like the terminal `target`: same size, and nothing changes what is written."""
    import termios  # only where there is a terminal

    source, writer = os.openpty()
    attributes = termios.tcgetattr(writer)
    attributes[1] &= ~termios.OPOST
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(writer, termios.TCSANOW, attributes)
    with contextlib.suppress(OSError):
        fcntl.ioctl(writer, termios.TIOCSWINSZ, fcntl.ioctl(target, termios.TIOCGWINSZ, bytes(8)))
    return Outlet(_moved(source), _moved(writer), _copied(target), is_terminal=True)


def reap() -> None:
    """Collect pumps that have ended, so that no zombie stays for long."""
    for pid in list(_left_behind):
        try:
            found, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            found = pid
        if found:
            _left_behind.remove(pid)


def _copied(descriptor: int) -> int:
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) if descriptor >= 0 else -1


def _moved(descriptor: int) -> int:
    copy = _copied(descriptor)
    os.close(descriptor)
    return copy


os.register_at_fork(after_in_child=_left_behind.clear)
