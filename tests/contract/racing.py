"""Real processes that do the same thing to one database at the same moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

import sweeps.store
import tracking.store
from sweeps.records import Outcome, TrialKey
from sweeps.states import TrialState
from tests.contract.store_examples import SWEEP, TTL, floats, started

DEADLINE = 60.0
Task = Callable[[str, str, Callable[[], object]], Any]
"""(url, name of the process, wait until all are ready) -> what to report."""

_SPAWN = multiprocessing.get_context("spawn")  # a fork would share the parent's connections


def race(task: Task, url: str, racers: int) -> list[Any]:
    """Run the task in so many processes; what they report, in any order. An exception is reported as its text."""
    barrier, results = _SPAWN.Barrier(racers, timeout=DEADLINE), _SPAWN.Queue()
    processes = [
        _SPAWN.Process(target=_run, args=(task, url, f"agent{number}", barrier, results)) for number in range(racers)
    ]
    for process in processes:
        process.start()
    try:
        return [results.get(timeout=DEADLINE) for _ in processes]
    finally:
        for process in processes:
            process.join(DEADLINE)
            process.kill()


def _run(task: Task, url: str, name: str, barrier: Any, results: Any) -> None:
    try:
        results.put(task(url, name, barrier.wait))
    except Exception as error:  # noqa: BLE001 - the boundary of the process: the test shows what it was
        results.put(f"{type(error).__name__}: {error}")


def open_both(url: str, name: str, ready: Callable[[], object]) -> str:
    ready()
    sweep_store, run_store = sweeps.store.open_store(url), tracking.store.open_store(url)
    found = f"{len(sweep_store.sweeps())} sweeps, {len(run_store.runs())} runs"
    sweep_store.close()
    run_store.close()
    return found


def claim_one(url: str, name: str, ready: Callable[[], object]) -> list[int]:
    store = sweeps.store.open_store(url)
    store.now()
    ready()
    claimed = store.claim(SWEEP, name, 1, TTL)
    store.close()
    return [trial.number for trial in claimed]


def work_off(url: str, name: str, ready: Callable[[], object]) -> list[tuple[int, int]]:
    """Claim, renew and finish one trial after the other, as an agent does."""
    store = sweeps.store.open_store(url)
    done: list[tuple[int, int]] = []
    ready()
    while trials := store.claim(SWEEP, name, 2, TTL):
        keys = [TrialKey(SWEEP, trial.number, trial.attempt) for trial in trials]
        assert store.renew(SWEEP, name, keys, TTL).held == {key.number for key in keys}
        store.reap(SWEEP, 3)
        assert store.finish([Outcome(key, TrialState.COMPLETE, value=1.0, length=1) for key in keys]) == []
        store.settle(SWEEP)
        done += [(key.number, key.attempt) for key in keys]
    store.close()
    return done


def finish_first(url: str, name: str, ready: Callable[[], object]) -> bool:
    """Whether this process was the one that ended attempt 1 of trial 0."""
    store = sweeps.store.open_store(url)
    store.now()
    ready()
    refused = store.finish([Outcome(TrialKey(SWEEP, 0, 1), TrialState.COMPLETE, value=1.0)])
    store.close()
    return not refused


def acquire_role(url: str, name: str, ready: Callable[[], object]) -> bool:
    store = sweeps.store.open_store(url)
    store.now()
    ready()
    got = store.acquire_suggesting(SWEEP, name, TTL)
    store.close()
    return got


def ship_the_same(url: str, name: str, ready: Callable[[], object]) -> int:
    """Two shippers bring the same journal: the second changes nothing."""
    store = tracking.store.open_store(url)
    store.now()
    ready()
    (offset,) = store.apply([started(history={"loss": floats(list(range(100)))}, console=b"hello\n")])
    store.close()
    return offset
