"""The verbs that steer a sweep: pause, resume, stop, cancel, delete; what they say, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sweeps
from tests.acceptance.desk import SPEC, Run, create, told


def test_steering_says_the_new_state(run: Run) -> None:
    sweep = create(run)
    assert "is paused" in run("pause", sweep.id)[1]
    assert "is running" in run("resume", sweep.id)[1]
    assert "is finished" in run("stop", sweep.id)[1]
    status, _, err = run("pause", sweep.id)
    assert status == 1
    assert "finished and cannot become paused" in err


@pytest.mark.parametrize(
    ("verb", "said"),
    [("pause", "is already paused"), ("stop", "is already finished"), ("cancel", "is already canceled")],
)
def test_a_verb_that_is_said_twice_is_no_fault(run: Run, verb: str, said: str) -> None:
    sweep = create(run)
    assert run(verb, sweep.id)[0] == 0
    status, out, err = run(verb, sweep.id)
    assert (status, err) == (0, "")
    assert said in out


def test_an_agent_is_asked_for_only_when_none_is_alive(run: Run) -> None:
    sweep = create(run)
    assert "start one with" in run("resume", sweep.id)[1]
    sweep.ask()
    assert "its agents take new trials" in run("resume", sweep.id)[1]


def test_a_budget_that_changes_is_told_and_never_falls_below_what_was_suggested(run: Run) -> None:
    sweep = told(run, [0.5, 0.25])
    status, out, _ = run("resume", sweep.id, "--trials", "9")
    assert status == 0
    assert "Budget: 4 trials → 9 trials" in out
    status, out, err = run("resume", sweep.id, "--trials", "1")
    assert (status, out) == (1, "")
    assert "cannot become 1" in err
    assert json.loads(run("show", sweep.id, "--json")[1])["budget"] == 9


def test_a_larger_budget_brings_new_trials_to_a_running_sweep_that_had_spent_its_own(run: Run) -> None:
    sweep = told(run, [0.5, 0.25, 0.1])
    last = sweep.ask()
    with pytest.raises(sweeps.NothingToRun):
        sweep.ask()
    assert run("resume", sweep.id, "--trials", "5")[0] == 0
    assert sweep.ask().number == last.number + 1


def test_a_sweep_at_its_target_is_not_resumed(run: Run) -> None:
    Path("sweep.yaml").write_text(SPEC.replace("goal: minimize", "goal: minimize, target: 0.3"))
    sweep = told(run, [0.5, 0.25])
    status, _, err = run("resume", sweep.id, "--trials", "20")
    assert status == 1
    assert "has reached its target: trial 1 has loss = 0.25" in err


def test_canceled_trials_do_not_count_as_done(run: Run) -> None:
    sweep = told(run, [0.5])
    sweep.ask()
    assert run("cancel", sweep.id)[0] == 0
    sweep.tell(1, state="canceled")
    listed = json.loads(run("ls", "--json")[1])[0]
    assert (listed["trials"]["canceled"] > 0, listed["done"]) == (True, 1)
    assert "1/4" in run("ls")[1]
    assert "1/4" in run("watch", sweep.id, "--once")[1]


def test_a_finished_sweep_resumes_only_with_a_larger_budget(run: Run) -> None:
    sweep = told(run, [1.0] * 4)
    with pytest.raises(sweeps.NothingToRun):
        sweep.ask()
    status, _, err = run("resume", sweep.id)
    assert status == 1
    assert "--trials" in err
    assert run("resume", sweep.id, "--trials", "4")[0] == 1
    assert run("resume", sweep.id, "--trials", "5")[0] == 0
    assert sweep.ask().number == 4


def test_cancel_ends_what_runs(run: Run) -> None:
    sweep = create(run)
    sweep.ask()
    assert "1 running trial is being ended" in run("cancel", sweep.id)[1]


def test_delete_asks_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = told(run, [0.5])
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    status, _, err = run("delete", sweep.id)
    assert (status, err.strip().splitlines()[-1]) == (1, "Not deleted.")
    assert sweeps.get(sweep.id).id == sweep.id
    status, out, _ = run("delete", sweep.id, "--yes")
    assert status == 0
    assert "1 trial and 1 run" in out
    assert run("show", sweep.id)[0] == 1
