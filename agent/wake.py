"""The bell that wakes the loop: rung from any thread and from signal handlers, heard by one."""

from __future__ import annotations

import queue
from contextlib import suppress


class Wake:
    """A SimpleQueue underneath, because its `put` may interrupt its own `get`; an Event would deadlock there."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        self._queue.put(None)

    def wait(self, timeout: float) -> None:
        """Wait for a ring, at most `timeout` seconds; rings since the last wait count, several as one."""
        with suppress(queue.Empty):
            self._queue.get(timeout=max(0.0, timeout))
            while True:
                self._queue.get_nowait()
