"""The slots of an agent: which attempts it drives, in which slot, and how many more it may take."""

from __future__ import annotations

from collections.abc import Iterator

from agent.attempts.attempt import Attempt
from sweeps.records import TrialKey

_AHEAD_SECONDS = 0.1  # so much work waits in the executor's queue, for trials shorter than that
_AHEAD_MOST = 64
_SMOOTH = 0.2


class Slots:
    """Attempts from their claim until the store knows their end. Changed by the loop's thread only.

    With an executor that queues, very short trials may be taken ahead of need, so that no slot waits for the store.
    """

    def __init__(self, count: int, *, ahead: bool = False) -> None:
        self.count = count
        self._ahead = ahead
        self._attempts: dict[TrialKey, Attempt] = {}
        self._pace: float | None = None

    def __len__(self) -> int:
        return len(self._attempts)

    def __iter__(self) -> Iterator[Attempt]:
        return iter(list(self._attempts.values()))

    def keys(self) -> list[TrialKey]:
        """The leases that are ours, for the heartbeat: may be called from any thread."""
        return list(self._attempts)

    def get(self, number: int) -> Attempt | None:
        return next((attempt for key, attempt in self._attempts.items() if key.number == number), None)

    def add(self, attempt: Attempt) -> None:
        self._attempts[attempt.key] = attempt

    def remove(self, attempt: Attempt) -> None:
        self._attempts.pop(attempt.key, None)

    @property
    def running(self) -> list[Attempt]:
        return [attempt for attempt in self._attempts.values() if attempt.exit is None]

    @property
    def ended(self) -> list[Attempt]:
        """Attempts whose end the store does not know yet."""
        return [attempt for attempt in self._attempts.values() if attempt.exit is not None]

    @property
    def free(self) -> int:
        """How many slots have nothing to do. One whose trial's end is not in the store yet is not free: what a search
        suggests for it must be able to know of that end."""
        return max(0, self.count - len(self._attempts))

    @property
    def ahead(self) -> int:
        """How many more trials may be taken besides those for free slots, to wait for their turn."""
        return max(0, self.count + self._depth() - len(self.running) - self.free)

    def free_slot(self) -> int:
        """The lowest slot that nothing runs in; those who wait in a queue share the first."""
        taken = {attempt.slot for attempt in self.running}
        return next((slot for slot in range(self.count) if slot not in taken), 0)

    def note_pace(self, seconds: float) -> None:
        """A trial took `seconds`: how far ahead to take follows from that."""
        self._pace = seconds if self._pace is None else self._pace + _SMOOTH * (seconds - self._pace)

    def _depth(self) -> int:
        if not self._ahead or self._pace is None or self._pace >= _AHEAD_SECONDS:
            return 0
        return min(_AHEAD_MOST, int(self.count * _AHEAD_SECONDS / max(self._pace, 1e-4)))
