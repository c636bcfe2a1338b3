"""Whether a pump still writes a console file, for who ships the output of a process that was killed."""

from __future__ import annotations

import time
from pathlib import Path

from tracking.journal.locking import is_locked

PATIENCE_S = 2.0
_PAUSE_S = 0.02


def await_output(path: Path, patience: float = PATIENCE_S) -> bool:
    """Wait until the console file is complete; False when a child of the process may still print after `patience`."""
    deadline = time.monotonic() + patience
    while is_locked(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE_S)
    return True
