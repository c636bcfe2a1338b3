"""What a sweep store promises of trials: leases, ends, returns and reaping."""

from __future__ import annotations

import math

import pytest

from sweeps.errors import TrialNotFound
from sweeps.records import Outcome, Return, TrialKey
from sweeps.states import FailureClass, SweepState, TrialState
from sweeps.store.contract import SweepStore
from tests.contract.store_examples import EXPIRED, SWEEP, TTL, complete, failed, key_of, new_sweep


def test_trials_are_claimed_lowest_numbers_first_and_once(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 5)
    first = sweep_store.claim(SWEEP, "a", 2, TTL)
    second = sweep_store.claim(SWEEP, "b", 9, TTL)
    assert [trial.number for trial in first] == [0, 1]
    assert [trial.number for trial in second] == [2, 3, 4]
    assert sweep_store.claim(SWEEP, "a", 1, TTL) == []
    assert sweep_store.claim(SWEEP, "a", 0, TTL) == []
    assert sweep_store.claim("nosweep1", "a", 1, TTL) == []


def test_a_claim_is_a_lease_by_the_clock_of_the_database(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    before = sweep_store.now()
    (trial,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    after = sweep_store.now()
    assert (trial.state, trial.attempt, trial.agent_id) == (TrialState.RUNNING, 1, "a")
    assert trial.leased_until is not None
    assert before + TTL - 0.01 <= trial.leased_until <= after + TTL + 0.01
    assert trial.started_at == pytest.approx(before, abs=5)
    assert trial == sweep_store.trial(SWEEP, 0)


def test_a_renewal_extends_what_still_is_ours(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 4)
    ours = sweep_store.claim(SWEEP, "a", 3, EXPIRED)
    (theirs,) = sweep_store.claim(SWEEP, "b", 1, TTL)
    sweep_store.finish([complete(ours[1])])
    sweep_store.request_stop(SWEEP, 2, "pruned: too slow")
    stale = TrialKey(SWEEP, 0, 7)
    renewal = sweep_store.renew(SWEEP, "a", [*map(key_of, ours), key_of(theirs), stale], TTL)
    assert renewal.held == {0, 2}
    assert renewal.stops == {2: "pruned: too slow"}
    until = sweep_store.trial(SWEEP, 0).leased_until
    assert until is not None
    assert until > sweep_store.now() + TTL / 2
    assert sweep_store.reap(SWEEP, 3) == []


def test_outcomes_are_ranked_in_the_order_given(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 3)
    claimed = sweep_store.claim(SWEEP, "a", 3, TTL)
    pruned = Outcome(key_of(claimed[0]), TrialState.PRUNED, "worse than most", value=0.5, length=3)
    assert sweep_store.finish([complete(claimed[2], 0.25), pruned]) == []
    assert sweep_store.finish([failed(claimed[1])]) == []
    ended = sweep_store.trials(SWEEP)
    assert [trial.finish_seq for trial in ended] == [2, 3, 1]
    assert [trial.state.value for trial in ended] == ["pruned", "failed", "complete"]
    assert [trial.value for trial in ended] == [0.5, None, 0.25]
    assert [trial.length for trial in ended] == [3, 0, 1]
    assert (ended[0].reason, ended[1].failure, ended[1].failures) == ("worse than most", FailureClass.CODE, 1)
    assert all(trial.leased_until is None and trial.finished_at for trial in ended)
    assert sweep_store.sweep(SWEEP).finish_seq == 3
    assert sweep_store.counts(SWEEP) == {TrialState.PRUNED: 1, TrialState.FAILED: 1, TrialState.COMPLETE: 1}


def test_outcomes_of_several_sweeps_go_in_one_call(sweep_store: SweepStore) -> None:
    trials = []
    for name in ("bbbb1234", "aaaa1234"):
        new_sweep(sweep_store, 1, sweep_id=name)
        trials += sweep_store.claim(name, "a", 1, TTL)
    stray = Outcome(TrialKey("nosweep1", 0, 1), TrialState.COMPLETE)
    assert sweep_store.finish([*map(complete, trials), stray]) == [stray]
    assert [sweep_store.trial(name, 0).finish_seq for name in ("bbbb1234", "aaaa1234")] == [1, 1]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_none(sweep_store: SweepStore, value: float) -> None:
    new_sweep(sweep_store, 1)
    sweep_store.finish([complete(sweep_store.claim(SWEEP, "a", 1, TTL)[0], value)])
    assert sweep_store.trial(SWEEP, 0).value is None


def test_nothing_ends_twice(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    (trial,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    assert sweep_store.finish([complete(trial, 1.0), complete(trial, 2.0)]) == [complete(trial, 2.0)]
    assert sweep_store.finish([failed(trial)]) == [failed(trial)]
    assert sweep_store.give_back([Return(key_of(trial), FailureClass.LOST)]) != []
    found = sweep_store.trial(SWEEP, 0)
    assert (found.state, found.value, found.finish_seq) == (TrialState.COMPLETE, 1.0, 1)
    assert sweep_store.sweep(SWEEP).finish_seq == 1


def test_an_attempt_does_not_finish_as_waiting(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    (trial,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    with pytest.raises(ValueError, match="give_back"):
        sweep_store.finish([Outcome(key_of(trial), TrialState.WAITING)])


def test_a_stale_finisher_is_refused(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    (lost,) = sweep_store.claim(SWEEP, "a", 1, EXPIRED)
    sweep_store.reap(SWEEP, 3)
    (again,) = sweep_store.claim(SWEEP, "b", 1, TTL)
    assert again.attempt == 2
    assert sweep_store.finish([complete(lost, 9.0)]) == [complete(lost, 9.0)]
    back = Return(key_of(lost), FailureClass.KILLED)
    assert sweep_store.give_back([back]) == [back]
    sweep_store.unclaim([key_of(lost)])
    assert sweep_store.renew(SWEEP, "a", [key_of(lost)], TTL).held == frozenset()
    assert sweep_store.trial(SWEEP, 0) == again
    assert sweep_store.finish([complete(again, 1.0)]) == []
    assert sweep_store.trial(SWEEP, 0).value == 1.0


@pytest.mark.parametrize(
    ("failure", "failures", "lost"),
    [
        (FailureClass.CODE, 1, 0),
        (FailureClass.OOM, 1, 0),
        (FailureClass.LOST, 0, 1),
        (FailureClass.KILLED, 0, 1),
        (FailureClass.PREEMPTED, 0, 0),
    ],
)
def test_a_trial_that_is_given_back_waits_again(
    sweep_store: SweepStore, failure: FailureClass, failures: int, lost: int
) -> None:
    new_sweep(sweep_store, 1)
    (trial,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    assert sweep_store.give_back([Return(key_of(trial), failure, "killed by signal 9")]) == []
    found = sweep_store.trial(SWEEP, 0)
    assert (found.state, found.reason, found.failure) == (TrialState.WAITING, "killed by signal 9", failure)
    assert (found.failures, found.lost, found.finish_seq, found.leased_until) == (failures, lost, None, None)
    (again,) = sweep_store.claim(SWEEP, "b", 1, TTL)
    assert (again.attempt, again.failures, again.lost, again.run_id) == (2, failures, lost, trial.run_id)


def test_a_claim_that_was_never_started_costs_nothing(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 2)
    claimed = sweep_store.claim(SWEEP, "a", 2, TTL)
    sweep_store.unclaim([key_of(trial) for trial in claimed])
    assert [(t.state, t.failures, t.lost, t.failure) for t in sweep_store.trials(SWEEP)] == [
        (TrialState.WAITING, 0, 0, None)
    ] * 2
    assert [trial.attempt for trial in sweep_store.claim(SWEEP, "a", 2, TTL)] == [2, 2]


def test_nothing_goes_back_to_waiting_in_a_sweep_that_ends(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 3)
    back, unclaimed, lost = (sweep_store.claim(SWEEP, "a", 1, ttl)[0] for ttl in (TTL, TTL, EXPIRED))
    sweep_store.move_sweep(SWEEP, SweepState.STOPPING)
    sweep_store.give_back([Return(key_of(back), FailureClass.KILLED)])
    sweep_store.unclaim([key_of(unclaimed)])
    assert [trial.number for trial in sweep_store.reap(SWEEP, 3)] == [lost.number]
    assert sweep_store.counts(SWEEP) == {TrialState.CANCELED: 3}
    assert sorted(trial.finish_seq or 0 for trial in sweep_store.trials(SWEEP)) == [1, 2, 3]
    assert sweep_store.settle(SWEEP).state is SweepState.FINISHED


def test_an_expired_lease_is_reaped_and_a_live_one_is_not(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 3)
    sweep_store.claim(SWEEP, "gone", 2, EXPIRED)
    sweep_store.claim(SWEEP, "alive", 1, TTL)
    reaped = sweep_store.reap(SWEEP, 3)
    assert [(trial.number, trial.state, trial.lost) for trial in reaped] == [
        (0, TrialState.WAITING, 1),
        (1, TrialState.WAITING, 1),
    ]
    assert reaped[0].failure is FailureClass.LOST
    assert "gone" in reaped[0].reason
    assert sweep_store.reap(SWEEP, 3) == []
    assert sweep_store.trial(SWEEP, 2).state is TrialState.RUNNING


def test_a_trial_that_is_lost_too_often_fails(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    for expected in (TrialState.WAITING, TrialState.FAILED):
        sweep_store.claim(SWEEP, "a", 1, EXPIRED)
        (trial,) = sweep_store.reap(SWEEP, 2)
        assert trial.state is expected
    assert (trial.lost, trial.failure, trial.finish_seq) == (2, FailureClass.LOST, 1)


def test_a_stop_is_asked_of_a_running_trial(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    (trial,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    assert sweep_store.request_stop(SWEEP, 0, "pruned: rung 1")
    assert sweep_store.request_stop(SWEEP, 0, "canceled: by hand")
    assert sweep_store.request_stop(SWEEP, 0, "pruned: rung 2")
    assert sweep_store.trial(SWEEP, 0).stop_requested == "canceled: by hand"
    sweep_store.finish([complete(trial)])
    assert not sweep_store.request_stop(SWEEP, 0, "canceled: late")


def test_a_waiting_trial_is_canceled_at_once(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    assert sweep_store.request_stop(SWEEP, 0, "canceled: by hand")
    found = sweep_store.trial(SWEEP, 0)
    assert (found.state, found.reason, found.finish_seq) == (TrialState.CANCELED, "by hand", 1)
    assert sweep_store.claim(SWEEP, "a", 1, TTL) == []


def test_a_canceled_trial_does_not_run_again_when_its_agent_is_lost(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 2)
    sweep_store.claim(SWEEP, "a", 2, EXPIRED)
    sweep_store.request_stop(SWEEP, 0, "canceled: by hand")
    sweep_store.request_stop(SWEEP, 1, "pruned: rung 1")
    reaped = sweep_store.reap(SWEEP, 3)
    assert [trial.state for trial in reaped] == [TrialState.CANCELED, TrialState.WAITING]
    assert sweep_store.claim(SWEEP, "b", 1, TTL)[0].stop_requested == ""


def test_an_unknown_trial_is_named(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 2)
    with pytest.raises(TrialNotFound, match=r"no trial 9.*has 2"):
        sweep_store.trial(SWEEP, 9)
    with pytest.raises(TrialNotFound):
        sweep_store.request_stop(SWEEP, 9, "canceled: x")


def test_trials_are_listed_by_number_and_state(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 12)
    claimed = sweep_store.claim(SWEEP, "a", 11, TTL)
    sweep_store.finish([complete(claimed[10])])
    assert [trial.number for trial in sweep_store.trials(SWEEP)] == list(range(12))
    open_states = [TrialState.WAITING, TrialState.COMPLETE]
    assert [trial.number for trial in sweep_store.trials(SWEEP, states=open_states)] == [10, 11]
    assert sweep_store.trials(SWEEP, states=[]) == []
    assert sweep_store.counts("nosweep1") == {}
