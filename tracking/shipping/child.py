"""The training process's end of the companion: starts it, tells it that the run has ended, waits briefly."""

from __future__ import annotations

import contextlib
import os
import select
import site
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tracking

FINISH = b"F"
"""Sent to the shipper: the run has ended, its journal is complete. End of file says the same of a process that died."""
READY = b"ready\n"
"""Sent by the shipper: the store is open. Before that, at about 0.3 s, waiting for an answer is waiting for imports."""
DONE = b"done\n"
"""Sent by the shipper: everything is in the store. Any other line is a problem that the user should read."""
LOG_NAME = "shipper.log"
_STARTING_PATIENCE_S = 0.02
"""How long finish() waits for a shipper that is not ready: a problem that it has told already is read."""

_SWITCHES = {
    "disable_git": "SWEEP_DISABLE_GIT",
    "disable_code": "SWEEP_DISABLE_CODE",
    "save_code": "SWEEP_SAVE_CODE",
    "x_disable_meta": "SWEEP_DISABLE_META",
    "x_disable_machine_info": "SWEEP_DISABLE_MACHINE_INFO",
}

_left_behind: list[int] = []


class Companionship(NamedTuple):
    """What a companion is started for."""

    run_dir: Path
    run_id: str
    attempt: int
    part: str
    online: bool
    environ: Mapping[str, str]

    def command(self) -> list[str]:
        words = [sys.executable, "-P", "-m", "tracking.shipping", str(self.run_dir), self.run_id, str(self.attempt)]
        words += ["--child"] + (["--part", self.part] if self.part else []) + ([] if self.online else ["--offline"])
        return words


class ShipperChild:
    """The companion of one run, seen from the process that trains. It outlives this process where it must."""

    def __init__(self, pid: int, channel: socket.socket, options: Companionship) -> None:
        self._pid = pid
        self._channel: socket.socket | None = channel
        self._options = options

    @classmethod
    def start(
        cls,
        run_dir: Path,
        run_id: str,
        attempt: int,
        part: str = "",
        online: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> ShipperChild:
        """Start `python -P -m tracking.shipping`. Raises OSError when no process can be started.

        `part`: ship that part of the run and nothing else. Not `online`: look after the machine and the environment,
        ship nothing. `environ`: variables set for the companion alone, such as SWEEP_SYSTEM=off.
        """
        return cls._start(Companionship(run_dir, run_id, attempt, part, online, environ or {}))

    @classmethod
    def _start(cls, options: Companionship) -> ShipperChild:
        reap()
        ours, theirs = socket.socketpair()
        with theirs:
            log, appending = str(options.run_dir / LOG_NAME), os.O_WRONLY | os.O_CREAT | os.O_APPEND
            actions = [
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, log, appending, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ]
            try:
                pid = _spawn(options.command(), {**_environment(), **options.environ}, actions)
            except OSError:
                ours.close()
                raise
        return cls(pid, ours, options)

    @property
    def pid(self) -> int:
        return self._pid

    def finish(self, patience: float) -> str:
        """Say that the run has ended and wait at most `patience` seconds; "" or the problem that the shipper told.

        A shipper that needs longer, or that is still starting when the run ends, goes on by itself; one that died is
        followed by a new one, not waited for.
        """
        channel, self._channel = self._channel, None
        if channel is None:
            return ""
        with channel:
            with contextlib.suppress(OSError):
                channel.send(FINISH)
            answer = _answer(channel, patience if self._options.online else 0.0)
        _left_behind.append(self._pid)
        reap()
        if answer == b"":
            return self._follow()
        return "" if answer in (None, DONE) else answer.decode("utf-8", "replace").strip()

    def abandon(self) -> None:
        """Let go of it: what a forked child does, so that the channel closes when the parent ends."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _follow(self) -> str:
        """Start another shipper for a journal that is complete."""
        if not self._options.online:
            return ""  # nothing was to be shipped: the samples of this machine end a little earlier
        try:
            successor = self._start(self._options)
        except OSError as error:
            return f"the shipper died and no other could be started: {error}"
        successor.abandon()  # the end of file says that the run has ended
        _left_behind.append(successor._pid)
        return f"its shipper died (see {LOG_NAME} there); another one was started just now"


def variables_of(settings: Any) -> dict[str, str]:
    """What the settings of a run mean for its companion, as variables for `ShipperChild.start`."""
    interval = getattr(settings, "x_stats_sampling_interval", None)
    found = {"SWEEP_SYSTEM": str(interval)} if interval else {}
    if getattr(settings, "x_disable_stats", None):
        found["SWEEP_SYSTEM"] = "off"
    return found | {name: "true" for setting, name in _SWITCHES.items() if getattr(settings, setting, None)}


def reap() -> None:
    """Collect the exit status of shippers that have ended since, so that no zombie stays for long."""
    for pid in list(_left_behind):
        try:
            found, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            found = pid
        if found:
            _left_behind.remove(pid)


def _spawn(arguments: list[str], environ: dict[str, str], actions: Sequence[tuple[Any, ...]]) -> int:
    # A session of its own, so that the Ctrl-C of the terminal does not end it before it has shipped the end.
    try:
        return os.posix_spawn(arguments[0], arguments, environ, file_actions=actions, setsid=True)
    except NotImplementedError:
        return os.posix_spawn(arguments[0], arguments, environ, file_actions=actions, setpgroup=0)


def _environment() -> dict[str, str]:
    """Our environment, with PYTHONPATH extended when this package was not imported from an installation."""
    environment = dict(os.environ)
    root = str(Path(tracking.__file__).absolute().parent.parent)
    if root not in site.getsitepackages():
        paths = [root, *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


def _answer(channel: socket.socket, patience: float) -> bytes | None:
    """The line that the shipper says: b"" when it died without one, None when it needs longer than `patience`."""
    began = time.monotonic()
    deadline = began + min(patience, _STARTING_PATIENCE_S)
    answer = b""
    while not answer.endswith(b"\n"):
        readable, _, _ = select.select([channel], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            return None
        try:
            part = channel.recv(4096)
        except OSError:
            part = b""
        if not part:
            return b""
        answer += part
        if answer.startswith(READY):
            answer, deadline = answer.removeprefix(READY), began + patience
    return answer


# In a forked child: the shippers of the parent are not its children.
os.register_at_fork(after_in_child=_left_behind.clear)
