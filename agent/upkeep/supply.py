"""The supply of trials: claims those that wait, and makes new ones when nobody else does."""

from __future__ import annotations

import time
from contextlib import suppress

from sweeps.control.suggesting import Suggester
from sweeps.records import TrialRecord
from sweeps.states import SweepState
from sweeps.store.contract import SweepStore
from tracking.errors import IllegalMove

_SHORTEST, _LONGEST = 0.05, 1.0  # seconds between two looks when there is nothing to claim


class Supply:
    """`take` asks the store at most as often as is decent; `hurry` forgets the waiting when something has changed."""

    def __init__(self, store: SweepStore, sweep_id: str, agent_id: str, ttl: float) -> None:
        self._store, self._sweep_id, self._agent_id, self._ttl = store, sweep_id, agent_id, ttl
        self._suggester = Suggester(store, sweep_id, agent_id)
        self._pause = _SHORTEST
        self._next = 0.0
        self._exhausted = False
        self.state = SweepState.RUNNING
        """The sweep's state as far as this agent has heard."""

    @property
    def patience(self) -> float:
        """Seconds until the next look."""
        return max(0.0, self._next - time.monotonic())

    @property
    def looks_ahead(self) -> bool:
        """Whether trials may be taken before there is a slot for them: not from a search that learns from every end."""
        return self._suggester.lookahead != 1

    def hurry(self) -> None:
        """A trial has ended, so there may be something new to claim at once."""
        self._pause, self._next = _SHORTEST, 0.0

    def take(self, free: int, ahead: int = 0) -> list[TrialRecord]:
        """Leased trials for `free` slots and up to `ahead` more to wait for their turn; [] when there are none now.

        Raises StoreUnavailable, SweepNotFound.
        """
        if self.patience > 0:
            return []
        trials = self._claim(free + ahead)
        missing = free + ahead - len(trials)
        if missing and self._may_suggest():
            with suppress(IllegalMove):  # somebody ended the sweep meanwhile
                if self._suggester.fill(max(0, free - len(trials)), missing):
                    trials += self._claim(missing)
        if trials:
            self.hurry()
            return trials
        sweep = self._store.settle(self._sweep_id)
        self.state, self._exhausted = sweep.state, bool(sweep.exhausted)
        if sweep.state is not SweepState.RUNNING:
            self._pause = _LONGEST
        self._next = time.monotonic() + self._pause
        self._pause = min(_LONGEST, self._pause * 1.6)
        return []

    def leave(self) -> SweepState:
        """The agent is about to end: end the sweep as well if nothing is left to do for it. Its state then."""
        self.state = self._suggester.settle().state
        return self.state

    def _claim(self, count: int) -> list[TrialRecord]:
        return self._store.claim(self._sweep_id, self._agent_id, count, self._ttl)

    def _may_suggest(self) -> bool:
        return self.state is SweepState.RUNNING and not self._exhausted
