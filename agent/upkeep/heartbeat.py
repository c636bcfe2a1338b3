"""The heartbeat: a thread that renews the leases, so that a busy or waiting loop never lets one expire."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sweeps.errors import SweepNotFound
from sweeps.records import Renewal, TrialKey
from sweeps.states import SweepState
from sweeps.store.contract import SweepStore
from tracking.errors import StoreError

TTL = 30.0
"""Seconds for which a lease is taken."""
_LONGEST = 2.0  # seconds between two beats at most: so long may a `sweep cancel` take to be heard


@dataclass(frozen=True, slots=True)
class Beat:
    """One answer of the store. `renewal` is None when the sweep was deleted."""

    keys: tuple[TrialKey, ...]
    renewal: Renewal | None


class Heartbeat:
    """Beats every third of `ttl` (2 s at most) and leaves the answers in `beats` for the loop, which it wakes."""

    def __init__(
        self,
        store: SweepStore,
        sweep_id: str,
        agent_id: str,
        ttl: float,
        keys: Callable[[], Sequence[TrialKey]],
        wake: Callable[[], None],
    ) -> None:
        self._store, self._sweep_id, self._agent_id, self._ttl = store, sweep_id, agent_id, ttl
        self._keys = keys
        self._wake = wake
        self._state: SweepState | None = None
        self._end = threading.Event()
        self.beats: queue.SimpleQueue[Beat] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._beat, name="sweep-heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join(timeout=5.0)

    def _beat(self) -> None:
        interval = min(self._ttl / 3, _LONGEST)
        while not self._end.wait(interval):
            keys = tuple(self._keys())
            try:
                renewal = self._store.renew(self._sweep_id, self._agent_id, keys, self._ttl)
            except StoreError:
                continue  # the loop meets it too and says so; the leases last a while
            except SweepNotFound:
                self._report(Beat(keys, None))
                return
            news = renewal.state is not self._state
            self._state = renewal.state
            if news or renewal.stops or len(renewal.held) < len(keys):
                self._report(Beat(keys, renewal))

    def _report(self, beat: Beat) -> None:
        self.beats.put(beat)
        self._wake()
