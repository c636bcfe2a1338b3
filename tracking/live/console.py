"""Copies what the process and its children print into the console file of its run; the terminal sees what it saw."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from pathlib import Path
from typing import Any

from tracking.live.capturing import streams
from tracking.live.capturing.process import Outlet, PumpProcess, is_ready, pipe_outlet, terminal_outlet
from tracking.live.capturing.streams import StreamTee
from tracking.notices import warn

MAX_BYTES = 100_000_000
"""A run keeps this much of its output: the beginning and the end; a line in the file says how much is missing."""
DRAIN_PATIENCE_S = 2.0
"""How long the end of a run waits until its output is shown and kept; a terminal that is stopped takes longer."""
_KEEP_PATIENCE_S = 1.0
MODES = {
    "auto": "auto", "on": "auto", "true": "auto", "1": "auto", "yes": "auto",
    "redirect": "redirect",
    "wrap": "wrap", "wrap_raw": "wrap", "wrap_emu": "wrap",
    "off": "off", "false": "off", "0": "off", "no": "off",
}  # fmt: skip

_open: list[ConsoleCapture] = []


def mode_of(setting: Any) -> str:
    """auto, redirect, wrap or off; what is unknown is warned about and means auto."""
    text = str(setting if setting is not None and setting != "" else "auto").strip().lower()
    if text not in MODES:
        warn(f"console={setting!r} is none of auto, redirect, wrap, off; auto is taken")
    return MODES.get(text, "auto")


class ConsoleCapture:
    """The capture of one run.

    "redirect" puts a pump between the descriptors 1 and 2 and where they lead, so that the output of children and of
    C libraries is kept too; a terminal is stood in for by a pseudo-terminal. "wrap" sees what goes through sys.stdout
    and sys.stderr. "auto" redirects, except at an interactive prompt and in notebooks.
    """

    def __init__(self, path: Path, mode: Any = None) -> None:
        """Raises OSError when nothing can be captured."""
        self._path = path
        self._owner = True
        self._closed = False
        self._redirected: dict[int, Outlet] = {}
        self._texts: Outlet | None = None
        chosen = mode_of(mode)
        redirects = chosen == "redirect" or (chosen == "auto" and not is_interactive())
        self._outlets = self._opened_outlets(redirects)
        try:
            self._pump = PumpProcess(path, MAX_BYTES, self._outlets)
        except OSError:
            self._close_outlets()
            raise
        streams.flush()  # what was printed before the run belongs to nobody
        for descriptor, outlet in self._redirected.items():
            os.dup2(outlet.writer, descriptor, inheritable=True)
        self._tee = StreamTee(streams.standing_elsewhere() if redirects else streams.open_streams(), self._keep)
        _open.append(self)

    def close(self) -> None:
        """Stop copying, and wait until everything printed so far is shown and kept. Twice is no error."""
        if self._closed or not self._owner:
            return
        self._closed = True
        self._tee.close()
        self._keep_traceback()
        # A run that began later has redirected what we had redirected: it must give that back first.
        later = _open[_open.index(self) + 1 :]
        for capture in reversed([self, *later] if later else []):
            capture._pump.drain(DRAIN_PATIENCE_S)
        while _open and _open[-1]._closed:
            _open.pop()._give_back()

    def forked(self) -> None:
        """In a forked child: what it prints goes on into the file, but the capture is not its own."""
        self._owner = False
        self._pump.forget()
        for outlet in self._redirected.values():  # a child that closes what it inherits must hold up nobody
            outlet.close()
        if self in _open:
            _open.remove(self)

    def _opened_outlets(self, redirects: bool) -> list[Outlet]:
        """The channels that are needed; descriptors that lead to the same place share one, which keeps their order."""
        outlets: list[Outlet] = []
        if redirects:
            places: dict[tuple[int, int, int], Outlet] = {}
            for descriptor in (1, 2):
                if not streams.is_python_owned(descriptor):
                    continue
                status = os.fstat(descriptor)
                place = status.st_dev, status.st_ino, status.st_rdev
                if place not in places:
                    make = terminal_outlet if os.isatty(descriptor) else pipe_outlet
                    places[place] = make(descriptor)
                self._redirected[descriptor] = places[place]
            outlets += places.values()
        if not redirects or streams.standing_elsewhere():
            self._texts = pipe_outlet()
            outlets.append(self._texts)
        return outlets

    def _give_back(self) -> None:
        """Let the descriptors lead where they led before."""
        streams.flush()
        for descriptor, outlet in self._redirected.items():
            if outlet.stands_behind(descriptor):  # else somebody else has redirected it since
                os.dup2(outlet.target, descriptor, inheritable=True)
        self._pump.drain(DRAIN_PATIENCE_S)
        self._close_outlets()
        self._pump.leave()

    def _close_outlets(self) -> None:
        for outlet in self._outlets:
            outlet.close()

    def _keep(self, data: bytes) -> None:
        """Send a text to the file alone. A pump that does not keep up loses it: printing must not hang on that."""
        if self._texts is None or self._texts.writer < 0:
            return
        with contextlib.suppress(OSError, ValueError):
            while data:
                if not is_ready(self._texts.writer, select.POLLOUT, _KEEP_PATIENCE_S):
                    return
                data = data[os.write(self._texts.writer, data[: select.PIPE_BUF]) :]

    def _keep_traceback(self) -> None:
        """What the interpreter will print of an exception that ends the run's block, which is after our end."""
        error = sys.exception()
        if error is None or isinstance(error, (SystemExit, KeyboardInterrupt)):
            return
        import traceback  # only a run that fails needs it

        text = "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace")
        with contextlib.suppress(OSError):
            streams.flush()
            self._pump.drain(DRAIN_PATIENCE_S)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, text)
            finally:
                os.close(descriptor)


def is_interactive() -> bool:
    """Whether a person types at a prompt of this process: there, the echo of every key would go through the pump."""
    if hasattr(sys, "ps1") or sys.flags.interactive:
        return True
    shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return shell is not None and shell() is not None
