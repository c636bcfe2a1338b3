"""The guard: a small process that starts the trials, reports how they end, and ends them all when its agent dies.

It needs the standard library only and is started by its file (`python -I -S …/guard.py FD GRACE`), so that no module of
the user's can hide it. Talk on the socket FD: one JSON object a line.

    agent to guard   {"do": "start", "key", "argv", "env", "cwd", "log"}   env: variables to add to the guard's own
                     {"do": "signal", "key", "signal"}                      to the whole group
                     {"do": "end"}                                          kill everything and exit
    guard to agent   {"key", "pid"}                                         started
                     {"key", "error"}                                       could not be started, and why
                     {"key", "code"} or {"key", "signal"}                   ended

When the socket closes without "end", the agent is dead: every trial gets SIGTERM and, GRACE seconds later, SIGKILL.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

TOKEN = "SWEEP_GUARD_TOKEN"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_RESET = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGCHLD", "SIGXFSZ", "SIGQUIT")
    if hasattr(signal, name)
)


def _load_prctl() -> Callable[[int, int], object]:
    """Linux's prctl; elsewhere (or without ctypes) a call that does nothing."""
    if not sys.platform.startswith("linux"):
        return lambda option, value: None
    try:
        import ctypes

        call = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda option, value: None
    return lambda option, value: call(option, ctypes.c_ulong(value), 0, 0, 0)


class Guard:
    """Owns the children. `serve` returns when there is nobody left to guard for and nothing left to guard."""

    def __init__(self, channel: socket.socket, grace: float) -> None:
        self._channel = channel
        self._grace = grace
        self._buffer = b""
        self._pids: dict[int, int] = {}  # key -> pid, which is the group too
        self._keys: dict[int, int] = {}
        self._condemned: dict[int, float] = {}  # adopted pid -> when it is killed
        self._agent_alive = True
        self._at_once = False
        self._prctl = _load_prctl()
        self._woken, wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(wake, False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)  # a handler, so that a child gets the default back by exec
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # Grandchildren whose parent ends become ours, so that none of them is lost from sight.
        self._prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)
        self._poll.register(channel, select.POLLIN)

    def serve(self) -> None:
        while self._agent_alive:
            self._turn(self._patience())
        self._poll.unregister(self._channel)
        if not self._at_once:
            self._signal_all(signal.SIGTERM)
            self._wait_for_end(self._grace)
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline and (self._pids or self._adopted()):
            self._signal_all(signal.SIGKILL)  # again and again: each death may bring orphans
            self._wait_for_end(0.05)

    # -- turning --------------------------------------------------------------------------------

    def _turn(self, timeout: float | None) -> None:
        for descriptor, _ in self._poll.poll(None if timeout is None else max(0, int(timeout * 1000) + 1)):
            if descriptor == self._woken:
                with suppress(BlockingIOError):
                    while os.read(self._woken, 4096):
                        pass
            else:
                self._receive()
        self._reap()
        self._kill_condemned()

    def _patience(self) -> float | None:
        return max(0.0, min(self._condemned.values()) - time.monotonic()) if self._condemned else None

    def _wait_for_end(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._reap()
        while (self._pids or self._adopted()) and time.monotonic() < deadline:
            self._turn(min(0.05, deadline - time.monotonic()))

    # -- the agent's words -----------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            data = self._channel.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            self._agent_alive = False
            return
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "start":
            self._start(order)
        elif order["do"] == "signal":
            pid = self._pids.get(order["key"])
            if pid is not None:
                _signal_group(pid, order["signal"])
        elif order["do"] == "end":
            self._agent_alive, self._at_once = False, True

    def _tell(self, **message: Any) -> None:
        if self._agent_alive:
            try:
                self._channel.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                self._agent_alive = False

    # -- starting --------------------------------------------------------------------------------

    def _start(self, order: dict[str, Any]) -> None:
        key = order["key"]
        try:
            pid = self._spawn(order)
        except OSError as error:
            self._tell(key=key, error=error.strerror or str(error))
            return
        self._pids[key], self._keys[pid] = pid, key
        self._tell(key=key, pid=pid)

    def _spawn(self, order: dict[str, Any]) -> int:
        """Fork and exec. Raises OSError with a text for people when the program cannot be started."""
        told, tell = os.pipe()  # closed by a successful exec
        try:
            pid = os.fork()
        except OSError:
            os.close(told)
            os.close(tell)
            raise
        if pid == 0:
            try:
                self._become(order)
            except OSError as error:
                os.write(tell, (error.strerror or str(error)).encode(errors="replace"))
            except BaseException as error:  # noqa: BLE001  the fork must never run on as a second guard
                os.write(tell, repr(error).encode(errors="replace"))
            finally:
                os._exit(127)
        os.close(tell)
        with os.fdopen(told, "rb") as pipe:
            refusal = pipe.read()
        if refusal:
            os.waitpid(pid, 0)
            raise OSError(0, refusal.decode(errors="replace"))
        return pid

    def _become(self, order: dict[str, Any]) -> None:
        guard = os.getppid()
        os.setsid()
        self._prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it died before the line above
            os._exit(127)
        signal.set_wakeup_fd(-1)
        for number in _RESET:
            signal.signal(number, signal.SIG_DFL)
        _redirect(order["log"])
        if order["cwd"]:
            try:
                os.chdir(order["cwd"])
            except OSError as error:
                raise OSError(error.errno, f"cannot enter the folder {order['cwd']}: {error.strerror}") from error
        environment = {**os.environ, **order["env"], TOKEN: f"{guard}-{order['key']}"}
        argv = order["argv"]
        try:
            os.execvpe(argv[0], argv, environment)
        except OSError as error:
            raise OSError(error.errno, why_not(argv[0], error)) from error

    # -- endings ---------------------------------------------------------------------------------

    def _reap(self) -> None:
        reaped = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            reaped = True
            self._condemned.pop(pid, None)
            key = self._keys.pop(pid, None)
            if key is not None:
                del self._pids[key]
                _signal_group(pid, signal.SIGKILL)  # what the leader left behind
                code = os.waitstatus_to_exitcode(status)
                self._tell(key=key, **({"code": code} if code >= 0 else {"signal": -code}))
        if reaped:
            self._condemn_strays()

    def _condemn_strays(self) -> None:
        """End what a trial left behind in another session: it is told apart by the token in its environment."""
        mine = f"{TOKEN}={os.getpid()}-".encode()
        for pid in self._adopted():
            if pid in self._condemned:
                continue
            with suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
                for entry in file.read().split(b"\0"):
                    if entry.startswith(mine) and int(entry[len(mine) :]) not in self._pids:
                        os.kill(pid, signal.SIGTERM)
                        self._condemned[pid] = time.monotonic() + self._grace

    def _kill_condemned(self) -> None:
        now = time.monotonic()
        for pid in [pid for pid, when in self._condemned.items() if when <= now]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
            del self._condemned[pid]

    def _adopted(self) -> list[int]:
        """Children of this process which it did not start (Linux)."""
        with suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [pid for pid in map(int, file.read().split()) if pid not in self._keys]
        return []

    def _signal_all(self, number: int) -> None:
        for pid in self._pids.values():
            _signal_group(pid, number)
        for pid in self._adopted():
            with suppress(OSError):
                os.kill(pid, number)


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _redirect(log: str | None) -> None:
    """Standard input from nothing, both outputs appended to the log."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if log else nothing
    except OSError as error:
        raise OSError(error.errno, f"cannot write the log {log}: {error.strerror}") from error
    os.dup2(output, 1)
    os.dup2(output, 2)


def why_not(program: str, error: OSError) -> str:
    """Why `program` cannot be executed, seen from the current folder, in words that say what to do."""
    here = os.getcwd()
    if "/" not in program and error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return f"program {program!r} was not found on PATH"
    if os.path.isdir(program):
        return f"{program} is a directory, not a program (seen from {here})"
    if error.errno == errno.ENOENT and os.path.exists(program):
        return f"the interpreter named in the first line of {program} does not exist"
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return f"program {program} does not exist (seen from {here})"
    if error.errno == errno.EACCES:
        return f"{program} is not executable (chmod +x, or name its interpreter in `command`)"
    if error.errno == errno.ENOEXEC:
        return f"{program} is no program: it has no #! line (name its interpreter in `command`)"
    return f"cannot start {program}: {error.strerror}"


def main(argv: list[str]) -> None:
    channel = socket.socket(fileno=int(argv[1]))
    channel.set_inheritable(False)
    Guard(channel, float(argv[2])).serve()


if __name__ == "__main__":
    main(sys.argv)
