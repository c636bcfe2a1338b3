"""Watches the machine of running trials and ships the parts of their runs, in a thread beside the agent's loop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.announcing import Say
from agent.attempts.attempt import Attempt
from tracking.blobs.store import Blobs
from tracking.errors import StoreUnavailable
from tracking.home import Home
from tracking.journal.parts import parts_of
from tracking.shipping.company import Parts, ship_to_end
from tracking.shipping.loop import ship_round
from tracking.store.contract import RunBatch, RunStore

if TYPE_CHECKING:
    from tracking.provenance.once import CollectOnce
    from tracking.shipping.machine_watch import MachineWatch

AFTER_S = 1.0
"""How long a trial runs before its machine is watched: one that is over by then is not worth a journal of its own."""
INTERVAL_S = 1.0
_CLOSE_S = 5.0


@dataclass(slots=True, eq=False)
class _Watched:
    """One attempt, and what is done for it beside the loop."""

    attempt: Attempt
    parts: Parts | None = None
    names: tuple[str, ...] = ()
    watch: MachineWatch | None = None
    ended: float = 0.0


class Machines:
    """`add` is called by the loop; everything else happens in the thread, which no trial and no store can hold up."""

    def __init__(self, store: RunStore, home: Home, say: Say, raised: Callable[[str], None]) -> None:
        """`raised` is told the id of a run one of whose parts brought alerts."""
        self._store, self._say, self._raised = store, say, raised
        self._blobs = Blobs(home.files)
        self._collector: CollectOnce | None = None
        self._lock = threading.Lock()
        self._watched: list[_Watched] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="sweep-machines", daemon=True)
        self._thread.start()

    def add(self, attempt: Attempt) -> None:
        """Look after this attempt from now on."""
        with self._lock:
            self._watched.append(_Watched(attempt))

    def close(self) -> None:
        """Ship what the parts of ended attempts left; whatever hangs is left behind, `sweep sync` would find it."""
        self._ending.set()
        self._thread.join(_CLOSE_S)

    def _serve(self) -> None:
        while not self._ending.wait(INTERVAL_S):
            self._turn(time.monotonic())
        deadline = time.monotonic() + _CLOSE_S - 1.0
        while self._watched and time.monotonic() < deadline:
            self._turn(time.monotonic(), hurry=True)
            time.sleep(0.05)

    def _turn(self, now: float, *, hurry: bool = False) -> None:
        with self._lock:
            watched = list(self._watched)
        done = []
        for one in watched:
            try:
                if self._look_after(one, now, hurry):
                    done.append(one)
            except StoreUnavailable:
                continue  # the loop says so; the journals wait
            except Exception as error:  # noqa: BLE001  boundary: what the machine says is no reason to lose a trial
                self._say(f"the machine of run {one.attempt.run_id} is not watched any further: {error!r}")
                done.append(one)
        if done:
            with self._lock:
                self._watched = [one for one in self._watched if one not in done]

    def _look_after(self, one: _Watched, now: float, hurry: bool) -> bool:
        """One turn for one attempt; whether it was the last. Raises StoreUnavailable."""
        attempt = one.attempt
        if attempt.exit is None and not hurry:
            if one.watch is None and attempt.seconds >= AFTER_S:
                one.watch = self._begin(attempt)
            self._ship(one)
            return False
        one.ended = one.ended or now
        if one.watch is not None:
            one.watch.ask_to_end()
            if not one.watch.is_over and now - one.ended < (_CLOSE_S if not hurry else 1.0):
                return False
            one.watch.close(attempt.final, 0.0)
            one.watch = None
        self._find_parts(one)
        if one.parts is not None:
            ship_to_end(one.parts.shippers(), self._store, after=self._after(attempt))
        return True

    def _begin(self, attempt: Attempt) -> MachineWatch:
        from tracking.provenance.once import CollectOnce  # for the first trial that lasts: the agent starts faster
        from tracking.shipping.machine_watch import MachineWatch

        self._collector = self._collector or CollectOnce()
        pid = getattr(attempt.handle, "pid", None) or os.getpid()
        key, launch = attempt.key, attempt.launch
        watch = MachineWatch(
            launch.run_dir, launch.run_id, key.attempt, pid, self._blobs, self._say, collector=self._collector
        )
        watch.start()
        return watch

    def _ship(self, one: _Watched) -> None:
        if one.attempt.seconds < AFTER_S:
            return
        self._find_parts(one)
        while one.parts is not None and ship_round(one.parts.shippers(), self._store, after=self._after(one.attempt)):
            pass

    def _find_parts(self, one: _Watched) -> None:
        """Parts appear when their writers do, so they are looked for each time: one listing of a small folder."""
        launch = one.attempt.launch
        names: Sequence[str] = parts_of(launch.run_dir, launch.attempt)
        fresh = [name for name in names if name not in one.names]
        if not fresh:
            return
        if one.parts is None:
            one.parts = Parts(self._store, launch.run_dir, launch.run_id, launch.attempt, ())
        one.parts.expect(fresh)
        one.names = tuple(names)

    def _after(self, attempt: Attempt) -> Callable[[RunBatch], None]:
        def look(batch: RunBatch) -> None:
            if batch.alerts:
                self._raised(attempt.run_id)

        return look
