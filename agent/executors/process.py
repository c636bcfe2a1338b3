"""The process executor: trials as process groups, started and watched over by the guard."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agent.executors.contract import Executor, Exit, Handle, Launch, nobody

GRACE = 3.0  # seconds between SIGTERM and SIGKILL when the agent has died
_GUARD_FILE = str(Path(__file__).parent.parent / "guard.py")


class ProcessExecutor(Executor):
    """Starts programs. The guard is started at once; a guard that dies takes its trials along and is replaced.

    `grace`: seconds that trials get after SIGTERM when this process dies without a word. Must be below the lease time.
    """

    def __init__(self, wake: Callable[[], None], *, grace: float = GRACE) -> None:
        self._wake = wake
        self._grace = grace
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._link: _GuardLink | None = self._connect()

    def start(self, launch: Launch, begins: Callable[[], None] = nobody) -> ProcessHandle:
        with self._lock:
            if self._link is None or self._link.gone:
                self._link = self._connect()
            handle = ProcessHandle(self._link, next(self._numbers))
            handle.began = time.monotonic()
            self._link.start(handle, launch)
        begins()
        return handle

    def forward(self, number: int) -> None:
        with self._lock:
            if self._link is not None:
                self._link.signal_all(number)

    @property
    def guard_pid(self) -> int:
        """The process id of the guard now in charge, 0 when there is none."""
        return self._link.pid if self._link is not None else 0

    def close(self) -> None:
        with self._lock:
            if self._link is not None:
                self._link.close()
                self._link = None

    def _connect(self) -> _GuardLink:
        return _GuardLink(self._wake, self._grace)


class ProcessHandle(Handle):
    """A trial in a process group of its own."""

    def __init__(self, link: _GuardLink, key: int) -> None:
        self._link = link
        self.key = key
        self.pid: int | None = None
        """Leader and id of the group; None until the guard has answered."""
        self.exit: Exit | None = None

    def poll(self) -> Exit | None:
        return self.exit

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send any signal to the whole group; nothing happens when it has ended."""
        if self.exit is None:
            self._link.send({"do": "signal", "key": self.key, "signal": int(number)})


class _GuardLink:
    """One guard and the socket to it. A thread reads its reports."""

    def __init__(self, wake: Callable[[], None], grace: float) -> None:
        self._wake = wake
        self._handles: dict[int, ProcessHandle] = {}
        self._sending = threading.Lock()
        self._closing = False
        self.gone = False
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", _GUARD_FILE, str(theirs.fileno()), str(grace)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is the agent's to judge
            )
        self._reader = threading.Thread(target=self._read, name="sweep-guard-link", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, handle: ProcessHandle, launch: Launch) -> None:
        self._handles[handle.key] = handle
        self.send(
            {
                "do": "start",
                "key": handle.key,
                "argv": list(launch.argv),
                "env": dict(launch.environment),
                "cwd": str(launch.workdir) if launch.workdir else None,
                "log": str(launch.console) if launch.console else None,
            }
        )
        if self.gone and handle.exit is None:  # it died between the check and the send
            self._lose(handle)

    def send(self, message: dict[str, Any]) -> None:
        # A guard that is gone is noticed by the reader, which ends all handles.
        with self._sending, suppress(OSError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def signal_all(self, number: int) -> None:
        for handle in list(self._handles.values()):
            handle.signal(number)

    def close(self) -> None:
        self._closing = True
        self.send({"do": "end"})
        try:
            self._process.wait(timeout=10.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._socket.close()

    def _read(self) -> None:
        buffer = b""
        while data := self._receive():
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
        self.gone = True
        for handle in list(self._handles.values()):
            self._lose(handle)
        if not self._closing:
            self._process.wait()
            self._wake()

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(1 << 16)
        except OSError:
            return b""

    def _take(self, report: dict[str, Any]) -> None:
        handle = self._handles[report["key"]]
        if "pid" in report:
            handle.pid = report["pid"]
            return
        if "error" in report:
            handle.exit = Exit(error=report["error"], launch_failed=True)
        else:
            handle.exit = Exit(code=report.get("code"), signal=report.get("signal"))
        del self._handles[handle.key]
        self._wake()

    def _lose(self, handle: ProcessHandle) -> None:
        """The guard died: nobody will tell how this one ends, so it is ended now."""
        if handle.pid is not None:
            with suppress(OSError):
                os.killpg(handle.pid, signal.SIGKILL)
        handle.exit = Exit(
            signal=signal.SIGKILL, error="the guard of the trials was killed", details={"lost": not self._closing}
        )
        self._handles.pop(handle.key, None)
