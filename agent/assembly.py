"""Puts an agent together: from options and stores to a loop that is ready to run."""

from __future__ import annotations

import os
import platform
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from agent.announcing import Announcer, Say
from agent.attempts.concluding import Concluding
from agent.attempts.launching import Launcher
from agent.attempts.limits import FailureLimits
from agent.attempts.machines import Machines
from agent.attempts.pruning import Pruning
from agent.attempts.shipping import Shipping
from agent.attempts.slots import Slots
from agent.errors import SlotsInvalid
from agent.executors.contract import Executor
from agent.executors.function import FunctionExecutor
from agent.executors.process import GRACE as GUARD_GRACE
from agent.executors.process import ProcessExecutor
from agent.executors.strays import end_strays
from agent.loop import Loop, Parts
from agent.upkeep.heartbeat import TTL
from agent.upkeep.housekeeping import Housekeeping
from agent.upkeep.supply import Supply
from agent.upkeep.telling import People
from agent.wake import Wake
from sweeps.control.controller import Controller
from sweeps.ids import new_id
from sweeps.records import AgentRecord, SweepRecord
from sweeps.spec.model import SweepSpec
from sweeps.states import SweepState
from sweeps.store.contract import SweepStore
from tracking.home import Home
from tracking.store.contract import RunStore

Function = Callable[[], object]
LEASE = "SWEEP_LEASE"
_SHORTEST_LEASE, _LONGEST_LEASE = 0.5, 86_400.0


@dataclass(frozen=True, slots=True)
class Options:
    """What people may choose about an agent. Times are seconds."""

    slots: int = 1
    count: int | None = None
    """How many trials to run at most; None: until the sweep is over."""
    grace: float = 30.0
    """What a trial gets between SIGTERM and SIGKILL."""
    lease: float | None = None
    """For how long a trial stays ours without a heartbeat; default $SWEEP_LEASE, else 30."""
    max_consecutive_failures: int = 0

    def check(self) -> None:
        """Raises SlotsInvalid for numbers that make no sense."""
        for what, number, least in (
            ("slots", self.slots, 1),
            ("count", 1 if self.count is None else self.count, 1),
            ("max-consecutive-failed-runs", self.max_consecutive_failures, 0),
        ):
            if number < least:
                raise SlotsInvalid(f"{what} must be at least {least}, not {number}")

    @property
    def ttl(self) -> float:
        """The time of a lease. Raises SlotsInvalid when $SWEEP_LEASE is no time that a heartbeat can keep."""
        text = str(self.lease) if self.lease is not None else os.environ.get(LEASE) or str(TTL)
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not _SHORTEST_LEASE <= seconds <= _LONGEST_LEASE:
            raise SlotsInvalid(
                f"a lease of {text!r} seconds makes no sense: it must be {_SHORTEST_LEASE:g} to {_LONGEST_LEASE:g}"
            )
        return seconds


@dataclass(frozen=True, slots=True)
class Agent:
    """A loop and the executor that it drives: functions with one slot are served by the caller's thread."""

    id: str
    loop: Loop
    executor: Executor
    store: SweepStore
    warnings: tuple[str, ...]


def assemble(
    sweep: SweepRecord,
    sweeps: SweepStore,
    runs: RunStore,
    options: Options,
    *,
    function: Function | None,
    say: Say,
    warn: Say,
) -> Agent:
    """Check what can be checked before a trial is taken, make the agent known and build its loop.

    Raises CannotLaunch, NamesHidden, SlotsInvalid, HomeUnwritable, StoreUnavailable.
    """
    options.check()
    ttl = options.ttl
    spec = SweepSpec.from_document(sweep.document)
    launcher = Launcher(sweep, spec, Home.find(), function=function is not None)
    warnings = launcher.check()
    limits = FailureLimits.from_environment(options.max_consecutive_failures, functions=function is not None)
    wake, agent_id = Wake(), new_id()
    sweeps.register_agent(_record(agent_id, sweep.id, options.slots))
    metric = spec.metric.name if spec.metric else None
    announcer = Announcer(say, warn, metric)
    supply = Supply(sweeps, sweep.id, agent_id, ttl)
    supply.state = sweep.state
    slots = Slots(options.slots, ahead=function is not None)

    def heard(state: SweepState) -> None:
        supply.state = state

    people = People(sweep, spec, sweeps, runs, Home.find(), warn)
    executor = _executor(function, wake, options.slots, ttl)
    loop = Loop(
        Parts(
            sweep_id=sweep.id,
            agent_id=agent_id,
            spec=spec,
            store=sweeps,
            slots=slots,
            executor=executor,
            launcher=launcher,
            shipping=Shipping(runs, sweep, people.raised),
            supply=supply,
            concluding=Concluding(sweeps, sweep.id, spec, slots, limits, announcer, people.ended),
            housekeeping=Housekeeping(sweeps, runs, sweep.id, ttl, say, heard),
            pruning=Pruning(Controller(spec), metric, sweeps, runs, sweep.id)
            if metric and spec.early_terminate
            else None,
            announcer=announcer,
            telling=people,
            machines=Machines(runs, Home.find(), warn, people.raised),
            wake=wake,
            ttl=ttl,
            grace=options.grace,
            count=options.count,
        )
    )
    return Agent(agent_id, loop, executor, sweeps, tuple(warnings))


def _executor(function: Function | None, wake: Wake, slots: int, ttl: float) -> Executor:
    if function is not None:
        return FunctionExecutor(function, wake.ring, threads=slots if slots > 1 else 0)
    end_strays()
    return ProcessExecutor(wake.ring, grace=min(GUARD_GRACE, ttl / 4))


def _record(agent_id: str, sweep_id: str, slots: int) -> AgentRecord:
    host = socket.gethostname()
    try:
        ours = version("sweepwright")
    except PackageNotFoundError:  # a checkout that was never installed
        ours = ""
    return AgentRecord(
        id=agent_id,
        sweep_id=sweep_id,
        name=f"{host}-{os.getpid()}",
        host=host,
        pid=os.getpid(),
        slots=slots,
        started_at=0.0,  # the store's clock fills in both
        heartbeat_at=0.0,
        ended_at=None,
        versions={"sweepwright": ours, "python": platform.python_version()},
    )
