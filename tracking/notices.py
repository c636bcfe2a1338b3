"""What tracking says to the person at the terminal: lines on stderr, each warning once."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from tracking.environment import QUIET, SILENT, flag

_said: set[str] = set()
_MANY = 1000
_hushed = {SILENT: False, QUIET: False}


def hush(silent: Any = None, quiet: Any = None) -> None:
    """What `Settings(silent=…, quiet=…)` of the latest init() says; the environment says the same for all."""
    _hushed[SILENT], _hushed[QUIET] = bool(silent), bool(quiet)


def is_quiet() -> bool:
    """Whether only warnings may be said, or nothing at all."""
    return any(_hushed.values()) or flag(QUIET) or flag(SILENT)


def warn(text: str) -> None:
    """A line on stderr, unless all is to be silent. A broken stderr is nobody's reason to stop training."""
    if _hushed[SILENT] or flag(SILENT) or sys.stderr is None:
        return
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"sweepwright: {text}\n")
        sys.stderr.flush()


def inform(text: str) -> None:
    """Like warn(), for good news: SWEEP_QUIET silences it too."""
    if not _hushed[QUIET] and not flag(QUIET):
        warn(text)


def warn_once(topic: str, text: str) -> None:
    """Warn, but only the first time for this topic in this process."""
    if topic in _said or len(_said) >= _MANY:
        return
    _said.add(topic)
    warn(text)


def forget(prefix: str) -> None:
    """Let topics that begin with `prefix` be said again: a new run starts afresh."""
    _said.difference_update([topic for topic in _said if topic.startswith(prefix)])
