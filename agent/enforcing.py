"""Ends trials on time while the loop waits for a store that hangs: a thread that needs nothing but the executor."""

from __future__ import annotations

import threading
import time

from agent.attempts.slots import Slots

_INTERVAL = 0.5  # seconds between two looks when nobody calls


class Enforcer:
    """SIGTERM when the agent was told to end, SIGKILL when the time of a trial is over.

    The loop does the same a little sooner when it is not held up; both asking is no error.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._why, self._kill_at = "", 0.0
        self._called = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="sweep-enforcer", daemon=True)
        self._thread.start()

    def end_all(self, why: str, grace: float) -> None:
        """SIGTERM to every trial now, SIGKILL after `grace` seconds. May be called in a signal handler."""
        self._kill_at = time.monotonic() + grace
        self._why = why
        self._called.set()

    def close(self) -> None:
        self._closed = True
        self._called.set()
        self._thread.join(timeout=5.0)

    def _serve(self) -> None:
        while not self._closed:
            self._called.wait(_INTERVAL)
            self._called.clear()
            now = time.monotonic()
            for attempt in self._slots:
                attempt.press(self._why, self._kill_at, now)
