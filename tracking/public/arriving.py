"""Waits for a run of this machine that is recorded but still on its way into the store."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tracking.home import Home
from tracking.shipping.duty import is_on_duty

PATIENCE_S = 10.0
"""The companion of a run needs about half a second; a busy machine longer."""
_START_S = 1.0
"""For so long after its last record a run without a companion on duty may have one that is still starting."""
_PAUSE_S = 0.05
_JOURNAL = re.compile(r"attempt-(\d+)\.journal")

Found = TypeVar("Found")


def awaited(run_id: str, look: Callable[[], list[Found]], patience: float = PATIENCE_S) -> list[Found]:
    """What `look` finds, asked again while a companion on this machine has yet to ship the run."""
    found = look()
    deadline = time.monotonic() + patience
    while not found and _is_coming(run_id) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
        found = look()
    return found or look()


def recorded_here(run_id: str) -> bool:
    """Whether a journal of the run lies in this home."""
    return bool(_journals(run_id))


def _is_coming(run_id: str) -> bool:
    journals = _journals(run_id)
    if not journals:
        return False
    attempt, path = max(journals)
    try:
        age = time.time() - path.stat().st_mtime
    except OSError:
        return False
    return age < _START_S or is_on_duty(path.parent, attempt)


def _journals(run_id: str) -> list[tuple[int, Path]]:
    if not run_id or run_id in (".", "..") or "\0" in run_id:
        return []
    folder = Home.find().run_dir(run_id)
    try:
        names = [(_JOURNAL.fullmatch(path.name), path) for path in folder.iterdir()]
    except OSError:
        return []
    return [(int(found[1]), path) for found, path in names if found]
