"""The suggester on a real store: ahead of need, never beyond the budget, replayable, safe with rivals."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sweeps.control.controller import Controller
from sweeps.control.replaying import replay
from sweeps.control.suggesting import Suggester
from sweeps.records import NewSweep, Outcome, Suggestion, TrialKey, TrialRecord
from sweeps.states import SweepState, TrialState
from sweeps.store import open_store
from sweeps.store.contract import SweepStore
from tests.simulation.simulated_sweep import make_spec

PARAMETERS = {"x": {"min": -1.0, "max": 1.0}, "n": {"min": 1, "max": 9}, "c": {"values": [None, True, 1, [1, 2]]}}
ID = "abcd1234"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SweepStore]:
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    opened.close()


def create(store: SweepStore, **document: Any) -> None:
    spec = make_spec(**{"parameters": PARAMETERS, **document})
    store.create_sweep(NewSweep(id=ID, document=spec.document))


def finish(store: SweepStore, trial: TrialRecord, value: float) -> None:
    key = TrialKey(ID, trial.number, trial.attempt)
    assert store.finish([Outcome(key, TrialState.COMPLETE, value=value, length=1)]) == []


def run_one(store: SweepStore, suggester: Suggester, agent: str, rng: random.Random) -> bool:
    """Claim and run one trial as an agent does; False when there is none."""
    claimed = store.claim(ID, agent, 1, 60) or (store.claim(ID, agent, 1, 60) if suggester.fill(1) else [])
    for trial in claimed:
        finish(store, trial, rng.random())
    return bool(claimed)


def test_bayes_makes_what_is_needed_and_no_more(store: SweepStore) -> None:
    create(store)
    assert Suggester(store, ID, "a").fill(3) == 3
    assert store.sweep(ID).next_number == 3


def test_bayes_makes_no_trial_for_those_that_would_only_wait(store: SweepStore) -> None:
    create(store)
    suggester = Suggester(store, ID, "a")
    assert suggester.lookahead is None
    assert suggester.fill(0, 20) == 0
    assert suggester.fill(1, 20) == 1
    assert (suggester.lookahead, store.sweep(ID).next_number) == (1, 1)


def test_random_makes_trials_for_those_that_wait_too(store: SweepStore) -> None:
    create(store, method="random")
    assert Suggester(store, ID, "a").fill(0, 20) == 20


def test_random_makes_trials_ahead_of_need_but_never_more_than_there_are(store: SweepStore) -> None:
    create(store, method="random")
    suggester = Suggester(store, ID, "a")
    made = []
    for _ in range(9):
        made.append(suggester.fill(1))
        store.claim(ID, "a", 1000, 60)
    assert made == [1, 1, 2, 4, 8, 16, 32, 64, 64]


def test_trials_that_wait_already_are_not_made_again(store: SweepStore) -> None:
    create(store)
    assert Suggester(store, ID, "a").fill(2) == 2
    assert Suggester(store, ID, "b").fill(2) == 2
    assert Suggester(store, ID, "b").fill(3) == 3
    assert store.sweep(ID).next_number == 3


def test_while_another_has_the_role_nothing_is_made(store: SweepStore) -> None:
    create(store)
    assert store.acquire_suggesting(ID, "other", 60)
    assert Suggester(store, ID, "a").fill(1) == 0
    store.release_suggesting(ID, "other")
    assert Suggester(store, ID, "a").fill(1) == 1


def test_the_role_is_given_back(store: SweepStore) -> None:
    create(store)
    Suggester(store, ID, "a").fill(1)
    assert store.acquire_suggesting(ID, "b", 60)


def test_a_paused_sweep_gets_no_trials(store: SweepStore) -> None:
    create(store)
    suggester = Suggester(store, ID, "a")
    store.move_sweep(ID, SweepState.PAUSED)
    assert suggester.fill(1) == 0
    store.move_sweep(ID, SweepState.RUNNING)
    assert suggester.fill(1) == 1


def test_at_the_run_cap_the_sweep_is_exhausted_and_then_finished(store: SweepStore) -> None:
    create(store, method="random", run_cap=5)
    suggester = Suggester(store, ID, "a")
    rng = random.Random(0)
    while run_one(store, suggester, "a", rng):
        pass
    sweep = store.settle(ID)
    assert (sweep.next_number, sweep.state) == (5, SweepState.FINISHED)
    assert sweep.exhausted == sweep.reason == "run_cap of 5 trials reached"


@pytest.mark.parametrize("document", [{"run_cap": 2}, {"method": "grid", "parameters": {"x": {"values": [1, 2]}}}])
def test_a_sweep_whose_last_suggestion_was_made_by_one_who_died_is_settled(
    store: SweepStore, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store, **document)
    monkeypatch.setattr(Suggester, "_end", lambda *_: None)  # it died just before that
    Suggester(store, ID, "a").fill(2)
    monkeypatch.undo()
    suggester = Suggester(store, ID, "b")
    first, second = store.claim(ID, "b", 2, 60)
    finish(store, first, 1.0)
    assert suggester.settle().state is SweepState.RUNNING
    finish(store, second, 1.0)
    assert suggester.settle().state is SweepState.FINISHED
    assert store.sweep(ID).next_number == 2


def test_a_sweep_with_budget_left_is_not_settled(store: SweepStore) -> None:
    create(store, run_cap=2)
    suggester = Suggester(store, ID, "a")
    run_one(store, suggester, "a", random.Random(0))
    assert suggester.settle().state is SweepState.RUNNING
    assert store.sweep(ID).exhausted == ""


def test_a_reached_target_cancels_what_waits(store: SweepStore) -> None:
    create(store, metric={"name": "loss", "target": 0.5})
    suggester = Suggester(store, ID, "a")
    suggester.fill(1)
    (trial,) = store.claim(ID, "a", 1, 60)
    suggester.fill(1)
    finish(store, trial, 0.1)
    assert suggester.fill(2) == 1
    sweep = store.sweep(ID)
    assert sweep.state is SweepState.FINISHED
    assert sweep.reason == "target 0.5 reached: loss is 0.1 in trial 0"
    assert store.counts(ID) == {TrialState.COMPLETE: 1, TrialState.CANCELED: 1}


def test_a_raised_run_cap_is_noticed(store: SweepStore) -> None:
    create(store, run_cap=2)
    suggester = Suggester(store, ID, "a")
    rng = random.Random(0)
    while run_one(store, suggester, "a", rng):
        pass
    document = {**store.sweep(ID).document, "run_cap": 4}
    store.replace_document(ID, document)
    store.settle(ID)
    store.move_sweep(ID, SweepState.RUNNING)
    while run_one(store, suggester, "a", rng):
        pass
    assert store.sweep(ID).next_number == 4


def test_a_suggester_that_lost_its_role_starts_afresh(store: SweepStore, monkeypatch: pytest.MonkeyPatch) -> None:
    create(store, method="random")
    late = Suggester(store, ID, "late", ttl=60)
    suggest = Controller.suggest

    def overtaken(self: Controller, count: int) -> Any:
        batch = suggest(self, count)
        monkeypatch.undo()
        store.release_suggesting(ID, "late")  # as if its time had run out
        assert store.acquire_suggesting(ID, "rival", 60)
        store.add_trials(ID, "rival", 0, 0, [Suggestion({"x": 0.5, "n": 1, "c": None})])
        store.release_suggesting(ID, "rival")
        return batch

    monkeypatch.setattr(Controller, "suggest", overtaken)
    assert late.fill(1) == 0
    store.claim(ID, "x", 1, 60)
    assert late.fill(1) == 1
    assert [trial.number for trial in store.trials(ID)] == [0, 1]


@pytest.mark.parametrize("method", ["grid", "random", "bayes"])
def test_racing_agents_never_exceed_the_run_cap_and_every_suggestion_can_be_replayed(
    store: SweepStore, method: str
) -> None:
    parameters = {"n": {"min": 1, "max": 40}, "b": {"values": ["x", "y"]}}
    create(store, method=method, parameters=parameters, run_cap=36)
    failures: list[BaseException] = []

    def agent(name: str) -> None:
        rng, suggester = random.Random(name), Suggester(store, ID, name)
        try:
            while store.sweep(ID).state is SweepState.RUNNING:
                run_one(store, suggester, name, rng)
                store.settle(ID)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=agent, args=(f"agent-{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    trials = store.trials(ID)
    assert [trial.number for trial in trials] == list(range(36))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert [one.number for one in replay(make_spec(**_plain(store)), trials) if not one.equal] == []


def _plain(store: SweepStore) -> dict[str, Any]:
    return dict(store.sweep(ID).document)
