"""What a sweep store promises of sweeps, suggestions, agents and notices."""

from __future__ import annotations

import dataclasses
import math

import pytest

from sweeps.errors import AmbiguousId, LeaseLost, SweepNotFound
from sweeps.records import NewSweep, Notice, Return, Suggestion
from sweeps.states import FailureClass, SweepState, TrialState
from sweeps.store.contract import SweepStore
from tests.contract.store_examples import (
    EXPIRED,
    SWEEP,
    TTL,
    agent,
    complete,
    key_of,
    more_trials,
    new_sweep,
)
from tracking.errors import IllegalMove

STATES = TrialState


def states(store: SweepStore) -> list[TrialState]:
    return [trial.state for trial in store.trials(SWEEP)]


def test_a_new_sweep_is_read_back_as_it_was_stored(sweep_store: SweepStore) -> None:
    document = {"seed": 2**62, "nested": {"list": [1, 2.5, None, True, "ü\u2028"]}, "inf": math.inf}
    new = NewSweep(SWEEP, document, "method: random\n", "digits", "lab", "first", "words", "/tmp")
    made = sweep_store.create_sweep(new)
    assert made == sweep_store.sweep(SWEEP)
    assert made.document == document
    assert (made.source, made.project, made.entity, made.name) == ("method: random\n", "digits", "lab", "first")
    assert (made.description, made.workdir) == ("words", "/tmp")
    assert (made.state, made.reason, made.exhausted, made.finished_at) == (SweepState.RUNNING, "", "", None)
    assert (made.next_number, made.finish_seq) == (0, 0)
    assert abs(made.created_at - sweep_store.now()) < 60


def test_a_taken_id_is_refused(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    with pytest.raises(ValueError, match="taken"):
        new_sweep(sweep_store)


def test_text_that_no_database_takes_is_stored_all_the_same(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, name="nul \x00 and surrogate \udcff", description="\U0001f600")
    found = sweep_store.sweep(SWEEP)
    assert found.name.startswith("nul ")
    assert found.description == "\U0001f600"


def test_sweeps_are_listed_newest_first_and_by_project(sweep_store: SweepStore) -> None:
    for name, project in (("aaaaaaaa", "one"), ("bbbbbbbb", "two"), ("cccccccc", "one")):
        new_sweep(sweep_store, sweep_id=name, project=project)
    found = sweep_store.sweeps()
    assert [sweep.created_at for sweep in found] == sorted((s.created_at for s in found), reverse=True)
    assert {sweep.id for sweep in sweep_store.sweeps(project="one")} == {"aaaaaaaa", "cccccccc"}
    assert sweep_store.sweeps(project="none") == []


@pytest.mark.parametrize("wanted", ["abcd1234", "ab", "lab/digits/abcd1234", "digits/abcd1234", "lab/digits/abc"])
def test_a_sweep_is_found_by_prefix_and_path(sweep_store: SweepStore, wanted: str) -> None:
    new_sweep(sweep_store, entity="lab", project="digits")
    new_sweep(sweep_store, sweep_id="zzzz1234")
    assert sweep_store.find_sweep(wanted).id == SWEEP


def test_a_full_id_wins_over_longer_ones_that_begin_with_it(sweep_store: SweepStore) -> None:
    for name in ("abcd", "abcd1234"):
        new_sweep(sweep_store, sweep_id=name)
    assert sweep_store.find_sweep("abcd").id == "abcd"


def test_an_ambiguous_prefix_lists_the_candidates(sweep_store: SweepStore) -> None:
    for name in ("abcd1234", "abcd9999"):
        new_sweep(sweep_store, sweep_id=name)
    with pytest.raises(AmbiguousId, match="abcd1234, abcd9999"):
        sweep_store.find_sweep("abcd")


@pytest.mark.parametrize("wanted", ["abcd1235", "other/digits/abcd1234", "abdc1234"])
def test_an_unknown_id_names_the_nearest(sweep_store: SweepStore, wanted: str) -> None:
    new_sweep(sweep_store, entity="lab", project="digits")
    if "/" in wanted:
        with pytest.raises(SweepNotFound):
            sweep_store.find_sweep(wanted)
    else:
        with pytest.raises(SweepNotFound, match="abcd1234"):
            sweep_store.find_sweep(wanted)


def test_an_empty_store_says_how_to_make_a_sweep(sweep_store: SweepStore) -> None:
    with pytest.raises(SweepNotFound, match="sweep create"):
        sweep_store.find_sweep("")
    with pytest.raises(SweepNotFound):
        sweep_store.sweep("abcd1234")


# -- moves --------------------------------------------------------------------------------------


def test_a_move_to_the_same_state_changes_nothing(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    paused = sweep_store.move_sweep(SWEEP, SweepState.PAUSED, "lunch")
    assert (paused.state, paused.reason) == (SweepState.PAUSED, "lunch")
    assert sweep_store.move_sweep(SWEEP, SweepState.PAUSED, "other") == paused


def test_a_forbidden_move_names_what_is_allowed(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    with pytest.raises(IllegalMove, match=r"sweep abcd1234 is running and cannot become canceled.*canceling"):
        sweep_store.move_sweep(SWEEP, SweepState.CANCELED)
    with pytest.raises(SweepNotFound):
        sweep_store.move_sweep("nosweep1", SweepState.PAUSED)


def test_a_paused_sweep_gives_no_trials_and_goes_on_later(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    sweep_store.set_exhausted(SWEEP, "the grid is used up")
    sweep_store.move_sweep(SWEEP, SweepState.PAUSED)
    assert sweep_store.claim(SWEEP, "a", 1, TTL) == []
    assert sweep_store.move_sweep(SWEEP, SweepState.RUNNING).exhausted == "the grid is used up"
    assert len(sweep_store.claim(SWEEP, "a", 1, TTL)) == 1


def test_stopping_cancels_what_waits_and_lets_the_rest_finish(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 3)
    (running,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    stopping = sweep_store.move_sweep(SWEEP, SweepState.STOPPING, "enough")
    assert (stopping.state, stopping.reason, stopping.finish_seq) == (SweepState.STOPPING, "enough", 2)
    assert states(sweep_store) == [STATES.RUNNING, STATES.CANCELED, STATES.CANCELED]
    assert sweep_store.trial(SWEEP, 0).stop_requested == ""
    assert sweep_store.settle(SWEEP).state is SweepState.STOPPING
    sweep_store.finish([complete(running)])
    done = sweep_store.settle(SWEEP)
    assert (done.state, done.reason, done.finish_seq) == (SweepState.FINISHED, "enough", 3)
    assert done.finished_at is not None


def test_canceling_asks_running_trials_to_stop(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 2)
    (running,) = sweep_store.claim(SWEEP, "a", 1, TTL)
    assert sweep_store.move_sweep(SWEEP, SweepState.CANCELING, "wrong data").state is SweepState.CANCELING
    assert sweep_store.trial(SWEEP, 0).stop_requested == "canceled: wrong data"
    assert states(sweep_store) == [STATES.RUNNING, STATES.CANCELED]
    assert sweep_store.settle(SWEEP).state is SweepState.CANCELING
    sweep_store.give_back([Return(key_of(running), FailureClass.KILLED)])
    assert states(sweep_store) == [STATES.CANCELED, STATES.CANCELED]
    assert sweep_store.settle(SWEEP).state is SweepState.CANCELED


@pytest.mark.parametrize(
    ("target", "end"),
    [(SweepState.STOPPING, SweepState.FINISHED), (SweepState.CANCELING, SweepState.CANCELED)],
)
def test_a_sweep_without_open_trials_ends_at_once(sweep_store: SweepStore, target: SweepState, end: SweepState) -> None:
    new_sweep(sweep_store, 2)
    assert sweep_store.move_sweep(SWEEP, target).state is end
    assert states(sweep_store) == [STATES.CANCELED, STATES.CANCELED]
    assert [trial.finish_seq for trial in sweep_store.trials(SWEEP)] == [1, 2]


def test_an_exhausted_sweep_settles_when_its_trials_have_ended(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    assert sweep_store.settle(SWEEP).state is SweepState.RUNNING
    sweep_store.set_exhausted(SWEEP, "run_cap of 1 trial reached")
    assert sweep_store.settle(SWEEP).state is SweepState.RUNNING
    sweep_store.finish([complete(sweep_store.claim(SWEEP, "a", 1, TTL)[0])])
    done = sweep_store.settle(SWEEP)
    assert (done.state, done.reason) == (SweepState.FINISHED, "run_cap of 1 trial reached")
    assert sweep_store.settle(SWEEP) == done


def test_a_finished_sweep_that_runs_again_is_no_longer_exhausted(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    sweep_store.set_exhausted(SWEEP, "used up")
    assert sweep_store.settle(SWEEP).state is SweepState.FINISHED
    again = sweep_store.move_sweep(SWEEP, SweepState.RUNNING, "more budget")
    assert (again.state, again.exhausted, again.finished_at) == (SweepState.RUNNING, "", None)
    assert sweep_store.settle(SWEEP).state is SweepState.RUNNING
    assert len(more_trials(sweep_store, 1)) == 1


def test_a_document_can_be_replaced(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    assert sweep_store.replace_document(SWEEP, {"run_cap": 9}).document == {"run_cap": 9}
    assert sweep_store.sweep(SWEEP).document == {"run_cap": 9}
    for call in (lambda: sweep_store.replace_document("nosweep1", {}), lambda: sweep_store.set_exhausted("no", "x")):
        with pytest.raises(SweepNotFound):
            call()


def test_a_deleted_sweep_leaves_nothing_and_names_its_runs(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 2)
    new_sweep(sweep_store, 1, sweep_id="zzzz1234")
    sweep_store.register_agent(agent("a"))
    sweep_store.add_notice(SWEEP, Notice("kind", "text"))
    assert sweep_store.delete_sweep(SWEEP) == ["abcd1234-0", "abcd1234-1"]
    assert sweep_store.trials(SWEEP) == []
    assert sweep_store.agents(SWEEP) == []
    assert sweep_store.notices(SWEEP) == []
    assert len(sweep_store.trials("zzzz1234")) == 1
    for gone in (sweep_store.delete_sweep, sweep_store.sweep):
        with pytest.raises(SweepNotFound):
            gone(SWEEP)
    with pytest.raises(SweepNotFound):
        sweep_store.renew(SWEEP, "a", [], TTL)


def test_a_sweep_with_a_live_lease_is_not_deleted(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 2)
    sweep_store.claim(SWEEP, "a", 1, TTL)
    with pytest.raises(IllegalMove, match="sweep cancel"):
        sweep_store.delete_sweep(SWEEP)
    assert len(sweep_store.trials(SWEEP)) == 2


def test_a_sweep_whose_agents_are_all_lost_can_be_deleted(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    sweep_store.claim(SWEEP, "a", 1, EXPIRED)
    assert sweep_store.delete_sweep(SWEEP) == ["abcd1234-0"]


# -- suggesting ---------------------------------------------------------------------------------


def test_one_agent_at_a_time_makes_suggestions(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    assert sweep_store.acquire_suggesting(SWEEP, "a", TTL)
    assert sweep_store.acquire_suggesting(SWEEP, "a", TTL)
    assert not sweep_store.acquire_suggesting(SWEEP, "b", TTL)
    sweep_store.release_suggesting(SWEEP, "b")
    assert not sweep_store.acquire_suggesting(SWEEP, "b", TTL)
    sweep_store.release_suggesting(SWEEP, "a")
    assert sweep_store.acquire_suggesting(SWEEP, "b", TTL)


def test_an_expired_role_is_taken_by_the_next(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    assert sweep_store.acquire_suggesting(SWEEP, "a", EXPIRED)
    assert sweep_store.acquire_suggesting(SWEEP, "b", TTL)
    with pytest.raises(LeaseLost):
        sweep_store.add_trials(SWEEP, "a", 0, 0, [Suggestion({})])
    assert sweep_store.trials(SWEEP) == []


@pytest.mark.parametrize("state", [SweepState.PAUSED, SweepState.STOPPING])
def test_nobody_suggests_for_a_sweep_that_does_not_run(sweep_store: SweepStore, state: SweepState) -> None:
    new_sweep(sweep_store)
    sweep_store.move_sweep(SWEEP, state)
    assert not sweep_store.acquire_suggesting(SWEEP, "a", TTL)
    assert not sweep_store.acquire_suggesting("nosweep1", "a", TTL)


def test_suggestions_become_waiting_trials(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    sweep_store.acquire_suggesting(SWEEP, "a", TTL)
    params = {"lr": 0.1 + 0.2, "n": 3, "flag": True, "none": None, "name": "", "list": [1, "x"]}
    added = sweep_store.add_trials(SWEEP, "a", 0, 5, [Suggestion(params, {"engine": "tpe"}), Suggestion({"lr": 1})])
    assert added == sweep_store.trials(SWEEP)
    first = added[0]
    assert first.params == params
    assert isinstance(added[1].params["lr"], int)
    assert (first.number, first.run_id, first.state, first.seen) == (0, "abcd1234-0", STATES.WAITING, 5)
    assert (first.origin, first.attempt, first.agent_id, first.leased_until) == ({"engine": "tpe"}, 0, "", None)
    assert (first.value, first.failure, first.failures, first.lost, first.finish_seq) == (None, None, 0, 0, None)
    assert sweep_store.sweep(SWEEP).next_number == 2


@pytest.mark.parametrize("first", [0, 2])
def test_suggestions_out_of_turn_are_refused_as_a_whole(sweep_store: SweepStore, first: int) -> None:
    new_sweep(sweep_store, 1)
    sweep_store.acquire_suggesting(SWEEP, "a", TTL)
    with pytest.raises(LeaseLost):
        sweep_store.add_trials(SWEEP, "a", first, 0, [Suggestion({}), Suggestion({})])
    assert len(sweep_store.trials(SWEEP)) == 1
    assert sweep_store.sweep(SWEEP).next_number == 1


def test_a_sweep_that_stops_takes_no_late_suggestions(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 1)
    sweep_store.claim(SWEEP, "b", 1, TTL)
    sweep_store.acquire_suggesting(SWEEP, "a", TTL)
    sweep_store.move_sweep(SWEEP, SweepState.STOPPING)
    with pytest.raises(LeaseLost):
        sweep_store.add_trials(SWEEP, "a", 1, 0, [Suggestion({})])


def test_changes_are_what_a_searcher_was_not_told(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store, 3)
    claimed = sweep_store.claim(SWEEP, "a", 3, TTL)
    sweep_store.finish([complete(claimed[2]), complete(claimed[0])])
    assert [trial.number for trial in sweep_store.changes(SWEEP, 0, 0)] == [0, 1, 2]
    assert [trial.number for trial in sweep_store.changes(SWEEP, 3, 0)] == [0, 2]
    assert [trial.number for trial in sweep_store.changes(SWEEP, 3, 1)] == [0]
    assert sweep_store.changes(SWEEP, 3, 2) == []
    assert [trial.number for trial in sweep_store.changes(SWEEP, 2, 2)] == [2]


# -- agents and notices -------------------------------------------------------------------------


def test_agents_are_known_until_they_retire(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    sweep_store.register_agent(agent("first"))
    sweep_store.register_agent(agent("second"))
    sweep_store.register_agent(agent("second"))
    first, second = sweep_store.agents(SWEEP)
    expected = dataclasses.replace(agent("first"), started_at=first.started_at, heartbeat_at=first.heartbeat_at)
    assert first == expected
    assert abs(first.started_at - sweep_store.now()) < 60
    sweep_store.retire_agent("second")
    sweep_store.retire_agent("unknown")
    assert [one.ended_at is None for one in sweep_store.agents(SWEEP)] == [True, False]
    assert second.id == "second"


def test_an_unknown_sweep_has_neither_agents_nor_notices(sweep_store: SweepStore) -> None:
    for call in (
        lambda: sweep_store.register_agent(agent("a")),
        lambda: sweep_store.add_notice(SWEEP, Notice("kind", "text")),
    ):
        with pytest.raises(SweepNotFound):
            call()
    assert sweep_store.agents(SWEEP) == []
    assert sweep_store.notices(SWEEP) == []


def test_a_renewal_is_a_heartbeat(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    sweep_store.register_agent(agent("a"))
    before = sweep_store.agents(SWEEP)[0].heartbeat_at
    while sweep_store.now() <= before:
        pass
    renewal = sweep_store.renew(SWEEP, "a", [], TTL)
    assert (renewal.state, renewal.held, renewal.stops) == (SweepState.RUNNING, frozenset(), {})
    assert sweep_store.agents(SWEEP)[0].heartbeat_at > before


def test_a_notice_of_one_kind_is_recorded_once(sweep_store: SweepStore) -> None:
    new_sweep(sweep_store)
    assert sweep_store.add_notice(SWEEP, Notice("metric", "never logged"))
    assert not sweep_store.add_notice(SWEEP, Notice("metric", "again"))
    assert sweep_store.add_notice(SWEEP, Notice("failures", "all fail"))
    found = sweep_store.notices(SWEEP)
    assert {(notice.kind, notice.text) for notice in found} == {("metric", "never logged"), ("failures", "all fail")}
    assert all(abs(notice.at - sweep_store.now()) < 60 for notice in found)
