"""The loop of an agent: takes trials, drives them to their end and tells the store, until nothing is left to do."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum

from agent.announcing import Announcer
from agent.attempts.attempt import CANCELED, PREEMPTED, Attempt
from agent.attempts.concluding import Concluding
from agent.attempts.curve import Curve
from agent.attempts.launching import Launcher
from agent.attempts.machines import Machines
from agent.attempts.pruning import Pruning
from agent.attempts.shipping import INTERVAL, Shipping
from agent.attempts.slots import Slots
from agent.enforcing import Enforcer
from agent.errors import AgentError, CannotLaunch
from agent.executors.contract import Executor
from agent.upkeep.heartbeat import Beat, Heartbeat
from agent.upkeep.housekeeping import Housekeeping
from agent.upkeep.reach import Reach
from agent.upkeep.supply import Supply
from agent.upkeep.telling import Telling
from agent.wake import Wake
from sweeps.errors import SweepNotFound
from sweeps.records import TrialKey, TrialRecord
from sweeps.spec.model import Goal, SweepSpec
from sweeps.states import SweepState
from sweeps.store.contract import SweepStore
from tracking.errors import StoreError, StoreUnavailable
from tracking.shipping.journal_shipper import JournalShipper

OVER = (SweepState.FINISHED, SweepState.CANCELED)
_TOLD_TO_END = f"{PREEMPTED}the agent was asked to end"
_LAST_WORDS = 15.0  # seconds for which an agent that was told to end waits for a store that is away


class Level(IntEnum):
    """How urgently the agent is to end."""

    NONE = 0
    DRAIN = 1  # no new trials; running ones finish
    TERMINATE = 2  # SIGTERM, SIGKILL after the grace
    KILL = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop is made of; `assemble` in agent.assembly puts them together."""

    sweep_id: str
    agent_id: str
    spec: SweepSpec
    store: SweepStore
    slots: Slots
    executor: Executor
    launcher: Launcher
    shipping: Shipping
    supply: Supply
    concluding: Concluding
    housekeeping: Housekeeping
    pruning: Pruning | None
    announcer: Announcer
    telling: Telling
    machines: Machines
    wake: Wake
    ttl: float
    grace: float
    count: int | None
    """How many trials to run at most."""


class Loop:
    """`run` returns when the agent is done. `interrupt` and `forward` may be called from signal handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._slots = parts.slots
        self._reach = Reach(parts.announcer.warn)
        self._enforcer = Enforcer(parts.slots)
        self._level = Level.NONE
        self._obeyed = Level.NONE
        self._deleted = False
        self._taken = 0
        self._ship_at = 0.0
        self.failure: AgentError | SweepNotFound | None = None

    def interrupt(self, level: Level) -> None:
        """End, at least as urgently as `level` says."""
        self._level = max(self._level, level)
        if self._level >= Level.TERMINATE:
            self._enforcer.end_all(_TOLD_TO_END, 0.0 if self._level is Level.KILL else self._parts.grace)
        self._parts.wake.ring()

    @property
    def level(self) -> Level:
        return self._level

    @property
    def running(self) -> int:
        """How many trials run now."""
        return len(self._slots.running)

    def run(self) -> None:
        """Drive trials until the sweep is over, the count is reached, or the agent is to end.

        What made it end early is in `failure`. Whatever happens, nothing that was started runs on.
        """
        parts = self._parts
        heartbeat = Heartbeat(parts.store, parts.sweep_id, parts.agent_id, parts.ttl, self._slots.keys, parts.wake.ring)
        try:
            while not self._is_over():
                self._turn(heartbeat)
                if not self._is_over():
                    parts.wake.wait(self._patience())
            if not self._reach.is_away and not self._deleted:
                with suppress(StoreError, SweepNotFound):  # then it is for the next agent to do
                    parts.telling.left(parts.supply.leave())
        finally:
            heartbeat.close()
            self._enforcer.close()
            parts.executor.close()
            parts.machines.close()
            parts.telling.close()

    # -- one turn -------------------------------------------------------------------------------

    def _turn(self, heartbeat: Heartbeat) -> None:
        while not heartbeat.beats.empty():
            self._hear(heartbeat.beats.get_nowait())
        self._obey()
        now = time.monotonic()
        for attempt in self._slots:
            attempt.notice_exit()
            attempt.escalate(now)
        if self._reach.patience > 0:
            return
        try:
            self._talk_to_store(now)
        except StoreUnavailable as error:
            self._reach.lost(error)
        except SweepNotFound as error:
            self._lose_sweep(error)
        else:
            self._reach.found()

    def _talk_to_store(self, now: float) -> None:
        parts = self._parts
        ended = self._slots.ended
        due = now >= self._ship_at
        if due or ended:
            grown = parts.shipping.ship(self._slots if due else ended)
            if due:
                self._ship_at = now + INTERVAL
            if parts.pruning is not None:
                parts.pruning.judge(grown, parts.grace)
        settled = [attempt for attempt in ended if attempt.shipped or attempt.is_lost]
        if settled:
            parts.concluding.conclude(settled)
            self._note_failure(parts.concluding.failure)
            parts.supply.hurry()
        parts.housekeeping.turn(now)
        parts.telling.turn(self._slots.running, now)
        if self._may_start():
            self._start(parts.supply.take(*self._wanted()))

    def _hear(self, beat: Beat) -> None:
        if beat.renewal is None:
            self._lose_sweep(SweepNotFound(f"sweep {self._parts.sweep_id} was deleted"))
            return
        self._parts.supply.state = beat.renewal.state
        for attempt in self._slots:
            if attempt.key not in beat.keys:
                continue
            reason = beat.renewal.stops.get(attempt.key.number)
            if attempt.key.number not in beat.renewal.held:
                attempt.lose()
            elif reason is not None:
                attempt.ask_to_end(reason if ": " in reason else CANCELED + reason, self._parts.grace)

    def _obey(self) -> None:
        """Do what the level asks for, once per level."""
        if self._level is self._obeyed:
            return
        self._obeyed = self._level
        self._parts.executor.withdraw()
        for attempt in self._slots.running:
            if self._level >= Level.TERMINATE:
                attempt.ask_to_end(_TOLD_TO_END, self._parts.grace)
            if self._level is Level.KILL:
                attempt.kill_now()

    def _start(self, trials: list[TrialRecord]) -> None:
        self._taken += len(trials)
        for index, trial in enumerate(trials):
            try:
                attempt = self._launch(trial)
            except CannotLaunch as error:
                self._note_failure(error)
                self._parts.store.unclaim([_key(left) for left in trials[index:]])
                return
            self._slots.add(attempt)
            self._parts.machines.add(attempt)

    def _launch(self, trial: TrialRecord) -> Attempt:
        parts, metric = self._parts, self._parts.spec.metric
        launch = parts.launcher.launch(trial, self._slots.free_slot())
        curve = Curve(
            metric.name if metric else None,
            maximize=metric is not None and metric.goal is Goal.MAXIMIZE,
            aggregate=metric.aggregate if metric else "best",
        )
        return Attempt(
            trial=trial,
            key=_key(trial),
            launch=launch,
            handle=parts.executor.start(launch, lambda: parts.announcer.started(trial)),
            shipper=JournalShipper(launch.run_dir, launch.run_id, launch.attempt),
            curve=curve,
            slot=launch.slot,
        )

    # -- deciding -------------------------------------------------------------------------------

    def _may_start(self) -> bool:
        return self._level is Level.NONE and self.failure is None and sum(self._wanted()) > 0

    def _wanted(self) -> tuple[int, int]:
        """How many trials there are free slots for, and how many more may wait for their turn."""
        free, count = self._slots.free, self._parts.count
        ahead = self._slots.ahead if self._parts.supply.looks_ahead else 0
        if count is None:
            return free, ahead
        left = max(0, count - self.taken)
        return min(free, left), min(ahead, max(0, left - free))

    @property
    def taken(self) -> int:
        """Trials taken so far, less those which went back untouched."""
        return self._taken - self._parts.concluding.unclaimed

    def _is_over(self) -> bool:
        if self._slots.running:
            return False
        if len(self._slots):  # their end is not in the store yet
            told_to_end = self._level >= Level.TERMINATE or self._deleted
            return told_to_end and self._reach.seconds > _LAST_WORDS
        if self._level is not Level.NONE or self.failure is not None or self._parts.supply.state in OVER:
            return True
        return self._parts.count is not None and self.taken >= self._parts.count

    def _patience(self) -> float:
        """Seconds that the loop may sleep when nobody rings."""
        now = time.monotonic()
        kills = [attempt.kill_at - now for attempt in self._slots.running if attempt.stop and not attempt.killed]
        if self._reach.is_away:
            return max(0.0, min([self._reach.patience, *kills]))
        times = [self._parts.housekeeping.patience(now), *kills]
        if len(self._slots):
            times.append(self._ship_at - now)
        if self._may_start():
            times.append(self._parts.supply.patience)
        return max(0.0, min(times))

    # -- ending early ---------------------------------------------------------------------------

    def _note_failure(self, failure: AgentError | None) -> None:
        """Take no more trials; what runs may finish."""
        if failure is None or self.failure is not None:
            return
        self.failure = failure
        self._parts.executor.withdraw()
        if self._slots.running:
            self._parts.announcer.warn(
                f"no new trials: {str(failure).splitlines()[0]} Waiting for {len(self._slots.running)} running."
            )

    def _lose_sweep(self, error: SweepNotFound) -> None:
        """The sweep was deleted: nobody wants what runs."""
        self._deleted = True
        self.failure = self.failure or error
        for attempt in self._slots:
            attempt.lose()
            if attempt.exit is not None:
                self._slots.remove(attempt)


def _key(trial: TrialRecord) -> TrialKey:
    return TrialKey(trial.sweep_id, trial.number, trial.attempt)
