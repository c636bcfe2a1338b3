"""Finds and ends what is left of trials whose agent and guard were killed together: nobody was there to end them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from agent.guard import TOKEN

_PROC = Path("/proc")


def end_strays() -> list[int]:
    """SIGKILL the processes of this machine that a guard started which lives no more; their ids, [] without /proc.

    They are told by the token that the guard puts into the environment of every trial and that its children inherit.
    """
    ended = []
    for entry in _PROC.glob("[0-9]*"):
        pid, guard = int(entry.name), _guard_of(entry)
        if guard and pid != os.getpid() and not _is_guard(guard):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                ended.append(pid)
    return ended


def _guard_of(process: Path) -> int:
    """The process id of the guard that started it, 0 for everybody else's processes."""
    prefix = f"{TOKEN}=".encode()
    with suppress(OSError, ValueError):
        for variable in (process / "environ").read_bytes().split(b"\0"):
            if variable.startswith(prefix):
                return int(variable.removeprefix(prefix).split(b"-")[0])
    return 0


def _is_guard(pid: int) -> bool:
    """Whether this process is a guard: ids are used again for other programs."""
    with suppress(OSError):
        return any(b"guard" in word for word in (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0"))
    return False
