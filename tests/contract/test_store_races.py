"""What the stores promise when processes meet: one wins, nothing is done twice, nobody sees an error."""

from __future__ import annotations

from collections import Counter

import sweeps.store
import tracking.store
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from tests.contract import racing
from tests.contract.store_examples import SWEEP, TTL, new_sweep
from tracking.store.contract import RunStore


def test_processes_that_open_an_empty_store_at_once_all_succeed(empty_url: str) -> None:
    assert racing.race(racing.open_both, empty_url, 4) == ["0 sweeps, 0 runs"] * 4


def test_the_last_trial_goes_to_one_of_two_agents(sweep_store: SweepStore, url: str) -> None:
    new_sweep(sweep_store, 1)
    assert sorted(racing.race(racing.claim_one, url, 2)) == [[], [0]]


def test_agents_that_work_side_by_side_do_every_trial_once(sweep_store: SweepStore, url: str) -> None:
    new_sweep(sweep_store, 120)
    sweep_store.set_exhausted(SWEEP, "all suggested")
    done = racing.race(racing.work_off, url, 4)
    assert Counter(pair for one in done for pair in one) == Counter((number, 1) for number in range(120))
    assert sweep_store.counts(SWEEP) == {TrialState.COMPLETE: 120}
    assert sorted(trial.finish_seq or 0 for trial in sweep_store.trials(SWEEP)) == list(range(1, 121))
    assert sweep_store.sweep(SWEEP).state is SweepState.FINISHED


def test_an_attempt_is_ended_by_one_of_two(sweep_store: SweepStore, url: str) -> None:
    new_sweep(sweep_store, 1)
    sweep_store.claim(SWEEP, "a", 1, TTL)
    assert sorted(racing.race(racing.finish_first, url, 3)) == [False, False, True]
    assert sweep_store.sweep(SWEEP).finish_seq == 1


def test_the_role_of_the_suggester_goes_to_one(sweep_store: SweepStore, url: str) -> None:
    new_sweep(sweep_store)
    assert sorted(racing.race(racing.acquire_role, url, 3)) == [False, False, True]


def test_a_journal_shipped_by_two_is_applied_once(run_store: RunStore, url: str) -> None:
    assert racing.race(racing.ship_the_same, url, 2) == [100, 100]
    assert list(run_store.series("run00001", "loss").steps) == list(range(100))
    assert run_store.console("run00001") == b"hello\n"
    assert len(run_store.runs()) == 1


def test_both_floors_share_one_database(url: str) -> None:
    first, second = sweeps.store.open_store(url), tracking.store.open_store(url)
    new_sweep(first, 1)
    assert second.runs() == []
    first.close()
    second.close()
