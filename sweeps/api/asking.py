"""Ask and tell for people who own their loop: leases that stay alive while the process does, and go back at its end."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Mapping

from sweeps.about import About
from sweeps.api.told import Telling
from sweeps.control.controller import LOST_LIMIT
from sweeps.control.judging import reaches_target
from sweeps.control.suggesting import Suggester
from sweeps.errors import LeaseLost, NothingToRun, SweepNotFound
from sweeps.ids import new_id
from sweeps.records import AgentRecord, Outcome, SweepRecord, TrialKey, TrialRecord
from sweeps.states import OPEN_TRIALS, FailureClass, SweepState, TrialState
from sweeps.store import open_store as open_sweep_store
from sweeps.store.contract import SweepStore
from tracking.errors import StoreError, StoreUnavailable
from tracking.home import Home
from tracking.states import RunState
from tracking.store import open_store as open_run_store
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore

LEASE_SECONDS = 60.0
_BEAT = LEASE_SECONDS / 4
_SUGGESTER_BUSY = 0.05  # somebody else suggests right now
_STOPPABLE = (SweepState.RUNNING, SweepState.PAUSED)
_log = logging.getLogger(__name__)

_RUN_STATES: Mapping[TrialState, RunState] = {
    TrialState.COMPLETE: RunState.FINISHED,
    TrialState.PRUNED: RunState.FINISHED,
    TrialState.FAILED: RunState.FAILED,
    TrialState.CANCELED: RunState.KILLED,
}


class Asker:
    """Holds the trials that one process has asked for and not told yet. Safe for several threads.

    It is an agent in the eyes of the store: its heartbeat is a daemon thread, so a process that dies loses its leases
    after LEASE_SECONDS, and one that ends hands its trials back at once.
    """

    def __init__(self, sweeps: SweepStore, runs: RunStore, sweep_id: str) -> None:
        self._sweeps, self._runs, self._sweep_id = sweeps, runs, sweep_id
        self._agent_id, self._pid = new_id(), os.getpid()
        self._suggester = Suggester(sweeps, sweep_id, self._agent_id)
        self._held: dict[int, TrialRecord] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._heart: threading.Thread | None = None

    def ask(self) -> TrialRecord:
        """Lease the next trial, suggesting one when none waits.

        Raises NothingToRun, SweepNotFound, StoreUnavailable.
        """
        self._start()
        while True:
            claimed = self._sweeps.claim(self._sweep_id, self._agent_id, 1, LEASE_SECONDS)
            if claimed:
                self._open_run(claimed[0])
                with self._lock:
                    self._held[claimed[0].number] = claimed[0]
                return claimed[0]
            self._sweeps.reap(self._sweep_id, LOST_LIMIT)
            record = self._sweeps.settle(self._sweep_id)
            waiting = self._sweeps.counts(self._sweep_id).get(TrialState.WAITING, 0)
            if record.state is not SweepState.RUNNING or (record.exhausted and not waiting):
                raise NothingToRun(self._why_nothing(record))
            if not waiting and not self._suggester.fill(1):
                self._closing.wait(_SUGGESTER_BUSY)

    def tell(self, number: int, telling: Telling) -> None:
        """End a trial that was asked for here.

        Raises LeaseLost when it is no longer ours, TrialNotFound, StoreUnavailable.
        """
        with self._lock:
            trial = self._held.get(number)
        if trial is None:
            raise LeaseLost(self._why_not_held(number))
        self._close_run(trial, telling)
        failure = FailureClass.CODE if telling.state is TrialState.FAILED else None
        key = TrialKey(self._sweep_id, number, trial.attempt)
        outcome = Outcome(key, telling.state, telling.reason, failure, telling.value, telling.length)
        refused = self._sweeps.finish([outcome])
        with self._lock:
            self._held.pop(number, None)
        if refused:
            raise LeaseLost(f"trial {number} was given to another agent, so what was told about it is not used")
        self._end_at_target(telling)
        self._sweeps.settle(self._sweep_id)

    def close(self) -> None:
        """Hand back what was not told, and retire. A store that is away is no error: the leases expire."""
        if self._heart is None or self._pid != os.getpid():  # the leases of a forked child are its parent's
            return
        self._closing.set()
        self._heart = None
        atexit.unregister(self.close)
        with self._lock:
            held, self._held = list(self._held.values()), {}
        with contextlib.suppress(StoreError):  # the leases expire by themselves
            self._sweeps.unclaim([TrialKey(self._sweep_id, trial.number, trial.attempt) for trial in held])
            end = RunEnd(RunState.KILLED, "handed back before tell()", at=self._runs.now())
            self._runs.apply([RunBatch(trial.run_id, trial.attempt, 1, 2, end=end) for trial in held])
            self._sweeps.retire_agent(self._agent_id)

    def _start(self) -> None:
        if self._heart is not None:
            return
        self._closing.clear()
        self._sweeps.register_agent(
            AgentRecord(
                id=self._agent_id,
                sweep_id=self._sweep_id,
                name="ask/tell",
                host=socket.gethostname(),
                pid=os.getpid(),
                slots=1,
                started_at=0.0,
                heartbeat_at=0.0,
                ended_at=None,
                versions={},
            )
        )
        self._heart = threading.Thread(target=self._beat, daemon=True, name="sweep-lease")
        self._heart.start()
        atexit.register(self.close)

    def renew(self) -> None:
        """One heartbeat: extend the leases, forget the lost ones."""
        with self._lock:
            keys = [TrialKey(self._sweep_id, trial.number, trial.attempt) for trial in self._held.values()]
        renewal = self._sweeps.renew(self._sweep_id, self._agent_id, keys, LEASE_SECONDS)
        with self._lock:
            for key in keys:
                if key.number not in renewal.held:
                    self._held.pop(key.number, None)

    def _open_run(self, trial: TrialRecord) -> None:
        record = self._sweeps.sweep(self._sweep_id)
        start = RunStart(
            id=trial.run_id,
            project=record.project,
            entity=record.entity,
            name=trial.run_id,
            config=About.of(record).spec.space.nest(trial.params),
            sweep_id=self._sweep_id,
            trial=trial.number,
            started_at=self._runs.now(),
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        self._runs.apply([RunBatch(trial.run_id, trial.attempt, 0, 1, start=start)])

    def _close_run(self, trial: TrialRecord, telling: Telling) -> None:
        end = RunEnd(_RUN_STATES[telling.state], telling.reason, at=self._runs.now())
        batch = RunBatch(
            trial.run_id,
            trial.attempt,
            1,
            2,
            summary=telling.summary,
            history=telling.history,
            last_step=telling.last_step,
            end=end,
        )
        self._runs.apply([batch])

    def _end_at_target(self, telling: Telling) -> None:
        record = self._sweeps.sweep(self._sweep_id)
        metric = About.of(record).spec.metric
        if metric is not None and reaches_target(metric, telling.value) and record.state in _STOPPABLE:
            reason = f"target {metric.target:g} of {metric.name} reached"
            self._sweeps.move_sweep(self._sweep_id, SweepState.STOPPING, reason)

    def _why_not_held(self, number: int) -> str:
        trial = self._sweeps.trial(self._sweep_id, number)
        if trial.state not in OPEN_TRIALS:
            return f"trial {number} has ended already: it is {trial.state.value}"
        if trial.agent_id == self._agent_id:
            return f"trial {number} is not held here any more: its lease has expired"
        if trial.state is TrialState.RUNNING:
            return f"trial {number} is not held here: another agent runs it"
        return f"trial {number} is not held here: it waits; ask() gives the next one"

    def _why_nothing(self, record: SweepRecord) -> str:
        if record.state is SweepState.PAUSED:
            return f"sweep {record.id} is paused; `sweep resume {record.id}` lets it go on"
        if record.state is not SweepState.RUNNING:
            return f"sweep {record.id} is {record.state.value}" + (f": {record.reason}" if record.reason else "")
        counts = self._sweeps.counts(record.id)
        running = sum(counts.get(state, 0) for state in OPEN_TRIALS)
        return f"sweep {record.id} has no further trial ({record.exhausted}); {running} still run elsewhere"

    def _beat(self) -> None:
        while not self._closing.wait(_BEAT):
            try:
                self.renew()
            except StoreUnavailable as error:
                _log.warning("the leases could not be renewed: %s", error)
            except SweepNotFound:
                return


_askers: dict[tuple[int, str, str], Asker] = {}
_askers_lock = threading.Lock()


def asker_of(sweep_id: str) -> Asker:
    """The one asker of this process for a sweep: whichever `Sweep` object asks, another may tell."""
    key = (os.getpid(), Home.find().store_url, sweep_id)
    with _askers_lock:
        if key not in _askers:
            _askers[key] = Asker(open_sweep_store(), open_run_store(), sweep_id)
        return _askers[key]
