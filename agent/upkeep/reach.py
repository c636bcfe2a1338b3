"""Knows whether the store can be reached: says once that it is away, once that it is back, and when to try again."""

from __future__ import annotations

import time

from agent.announcing import Say
from tracking.errors import StoreUnavailable

_FIRST, _LONGEST = 0.1, 5.0


class Reach:
    """Trials run on while the store is away; what they write stays in their journals."""

    def __init__(self, warn: Say) -> None:
        self._warn = warn
        self._pause = _FIRST
        self._since: float | None = None
        self._retry_at = 0.0

    @property
    def is_away(self) -> bool:
        return self._since is not None

    @property
    def seconds(self) -> float:
        """For how long it has been away."""
        return time.monotonic() - self._since if self._since is not None else 0.0

    @property
    def patience(self) -> float:
        """Seconds until the next try."""
        return max(0.0, self._retry_at - time.monotonic())

    def lost(self, error: StoreUnavailable) -> None:
        """A call failed."""
        if self._since is None:
            self._since = time.monotonic()
            self._warn(f"the store is away, running trials go on and it is tried again: {error}")
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(_LONGEST, self._pause * 2)

    def found(self) -> None:
        """A turn went through."""
        if self._since is not None:
            self._warn(f"the store is back after {self.seconds:.0f} s")
            self._since = None
            self._pause = _FIRST
