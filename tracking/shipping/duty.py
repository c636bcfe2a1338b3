"""Who ships a journal at this moment: a lock file beside it, which the kernel frees when its holder ends."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tracking.journal.locking import is_locked, lock


def duty_path(run_dir: Path, attempt: int, part: str = "") -> Path:
    """The lock file of one journal."""
    return run_dir / (f".attempt-{attempt}.{part}.shipping" if part else f".attempt-{attempt}.shipping")


class Duty:
    """The duty to ship one journal. Without it shipping is not wrong, only twice the work."""

    def __init__(self, run_dir: Path, attempt: int, part: str = "") -> None:
        self._path = duty_path(run_dir, attempt, part)
        self._descriptor = -1

    def take(self) -> bool:
        """Whether it is ours now. A folder that cannot be written counts as ours: nobody else can lock there."""
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            return True
        if lock(self._descriptor):
            return True
        self.leave()
        return False

    def leave(self) -> None:
        """Give it back; not having it is no error."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def is_on_duty(run_dir: Path, attempt: int, part: str = "") -> bool:
    """Whether a living process ships this journal."""
    return is_locked(duty_path(run_dir, attempt, part))
