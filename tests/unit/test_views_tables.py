"""Tables and the summary: as many columns as fit, the best first, markup of users as it is."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from rich.console import Console, RenderableType

from sweeps.about import About
from sweeps.control.ranking import rank, varying
from sweeps.records import SweepRecord, TrialRecord
from sweeps.spec import SweepSpec
from sweeps.states import FailureClass, SweepState, TrialState
from sweeps.views.summary import pasteable, render_summary
from sweeps.views.tables import SweepLine, sweeps_table, trials_table

DOCUMENT = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}, "epochs": {"value": 3}},
    "seed": 1,
}


def trial(number: int, state: TrialState = TrialState.COMPLETE, **changes: Any) -> TrialRecord:
    fields: dict[str, Any] = {
        "sweep_id": "k3f9x2ab",
        "number": number,
        "params": {"lr": 0.1 * number, "epochs": 3},
        "state": state,
        "reason": "",
        "origin": {},
        "seen": 0,
        "run_id": f"k3f9x2ab-{number}",
        "attempt": 1,
        "agent_id": "a",
        "leased_until": None,
        "stop_requested": "",
        "value": float(number),
        "length": 1,
        "failure": None,
        "failures": 0,
        "lost": 0,
        "created_at": 0.0,
        "started_at": 10.0,
        "finished_at": 12.0 + number,
        "finish_seq": number + 1,
    }
    return TrialRecord(**{**fields, **changes})


def sweep(**changes: Any) -> SweepRecord:
    fields: dict[str, Any] = {
        "id": "k3f9x2ab",
        "document": DOCUMENT,
        "source": "",
        "project": "p",
        "entity": "",
        "name": "",
        "description": "",
        "workdir": "",
        "state": SweepState.FINISHED,
        "reason": "run_cap of 3 trials reached",
        "exhausted": "",
        "created_at": 0.0,
        "finished_at": 20.0,
        "next_number": 3,
        "finish_seq": 3,
    }
    return SweepRecord(**{**fields, **changes})


def about() -> About:
    return About.of(sweep(document=SweepSpec.from_document(DOCUMENT).document))


def draw(renderable: RenderableType, width: int = 80) -> str:
    out = Console(width=width, markup=False, highlight=False, emoji=False)
    with out.capture() as captured:
        out.print(renderable)
    return captured.get()


def test_the_best_is_the_least_or_the_greatest_complete_value() -> None:
    trials = [trial(0), trial(1), trial(2, TrialState.PRUNED, value=-5.0), trial(3, TrialState.FAILED, value=-9.0)]
    assert [found.number for found in rank(trials, "minimize")] == [0, 1, 2]
    assert [found.number for found in rank(trials, "maximize")] == [1, 0, 2]


def test_equal_values_keep_the_order_of_numbers() -> None:
    assert [found.number for found in rank([trial(2, value=1.0), trial(1)], "minimize")] == [1, 2]


def test_only_parameters_that_differ_vary() -> None:
    assert varying([trial(0), trial(1)]) == ["lr"]
    assert varying([trial(0)]) == ["lr", "epochs"]


def test_a_table_shows_value_state_time_and_parameters() -> None:
    text = draw(trials_table([trial(1), trial(2, TrialState.PRUNED)], "loss", ["lr"], 80))
    assert text.splitlines()[0].split() == ["trial", "state", "loss", "time", "lr"]
    assert text.splitlines()[-1].split() == ["2", "stopped", "early", "2", "4.0s", "0.2"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_columns_that_do_not_fit_are_named_below_instead_of_cut(width: int) -> None:
    names = [f"parameter_number_{index}" for index in range(12)]
    wide = [trial(number, params=dict.fromkeys(names, number * 1000)) for number in range(3)]
    text = draw(trials_table(wide, "loss", names, width), width)
    assert "not shown for lack of room" in text
    assert all(name in text.replace("\n", " ") for name in names)
    assert "2000" in text


def test_a_table_says_which_running_trials_are_lost() -> None:
    running = [trial(number, TrialState.RUNNING, value=None, finished_at=None) for number in (1, 2)]
    rows = draw(trials_table(running, "loss", ["lr"], 80, lost={2})).splitlines()[-2:]
    assert [row.split()[1] for row in rows] == ["running", "lost"]


def test_equal_reasons_stand_once_below_a_narrow_table() -> None:
    reason = "exit status 1: ModuleNotFoundError: No module named 'torch' (last line of stderr)"
    broken = [trial(number, TrialState.FAILED, value=None, reason=reason) for number in range(3)]
    text = " ".join(draw(trials_table(broken, "loss", ["lr"], 60), 60).split())
    assert text.count("ModuleNotFoundError") == 1
    assert "trials 0, 1, 2: exit status 1" in text


@pytest.mark.parametrize("width", [40, 80])
def test_a_long_command_line_is_broken_so_that_it_can_be_pasted(width: int) -> None:
    argv = ["python", "train.py", "--name=it's a 'test'", *(f"--parameter_{index}=0.123456" for index in range(9))]
    broken = pasteable(shlex.join(argv), width)
    assert max(map(len, broken.splitlines())) <= width
    assert shlex.split(broken.replace("\\\n", " ")) == argv
    assert pasteable("python train.py", width) == "  python train.py"


def test_the_reason_of_a_failure_stands_in_the_table() -> None:
    failed = trial(1, TrialState.FAILED, value=None, reason="exit status 3 [red]", failure=FailureClass.CODE)
    text = draw(trials_table([failed], "loss", ["lr"], 80))
    assert "exit status 3 [red]" in text


def test_sweeps_are_listed_with_progress_and_best() -> None:
    line = SweepLine("k3f9x2ab", "[b]name", "p", "running", "bayes", 3, 20, 0.5, "loss", 90.0)
    for width in (80, 120):
        text = draw(sweeps_table([line], width), width)
        for word in ("k3f9x2ab", "running", "3/20", "0.5", "loss", "[b]name", "1 min ago"):
            assert word in text


def test_the_summary_has_best_parameters_top_trials_and_the_line_to_repeat() -> None:
    trials = [trial(number) for number in range(8)]
    text = draw(render_summary(sweep(), about(), trials, 80, command="python train.py --lr=0.0"))
    assert "8 complete in 9.0s" in text
    assert "loss = 0  trial 0" in text
    assert "Top 5 trials" in text
    assert "python train.py --lr=0.0" in text
    assert "run_cap of 3 trials reached" in text


def test_a_summary_without_value_says_what_went_wrong() -> None:
    broken = [trial(0, TrialState.FAILED, value=None, reason="exit status 1")]
    text = draw(render_summary(sweep(), about(), broken, 80))
    assert "No trial has a value of loss. Trial 0 failed: exit status 1" in text
