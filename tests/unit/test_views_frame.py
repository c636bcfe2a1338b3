"""The live view's frame: what it says, and that it stays within its width whatever users write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from sweeps.states import SweepState, TrialState
from sweeps.views.live_frame import render_frame, render_line
from sweeps.views.snapshot import Leader, RunningTrial, Snapshot

PARAMS = {"lr": 0.00312345, "opt.width": 64, "activation": "[bold red]tanh", "with space": "a b"}

SNAPSHOT = Snapshot(
    sweep_id="k3f9x2ab",
    name="digits",
    state=SweepState.RUNNING,
    reason="",
    method="bayes",
    metric="val/accuracy",
    goal="maximize",
    budget=20,
    counts={
        TrialState.COMPLETE: 8,
        TrialState.PRUNED: 4,
        TrialState.FAILED: 1,
        TrialState.RUNNING: 2,
        TrialState.WAITING: 1,
    },
    elapsed=63.2,
    left=42.0,
    best=Leader(7, 0.98214, PARAMS),
    curve=(0.8, 0.9, 0.95, 0.98214),
    running=(
        RunningTrial(13, 7.2, 14, "val/accuracy", 0.9512, PARAMS),
        RunningTrial(14, 2.1, params=PARAMS, stopping="pruned: worse than 0.2 at step 3"),
    ),
    agents=1,
)


def draw(snapshot: Snapshot, width: int = 80, **console: Any) -> str:
    out = Console(width=width, record=True, markup=False, highlight=False, emoji=False, **console)
    with out.capture() as captured:
        out.print(render_frame(snapshot, width))
    return captured.get()


def test_the_frame_says_how_far_the_sweep_is() -> None:
    text = draw(SNAPSHOT)
    assert "digits  k3f9x2ab" in text
    assert "13/20" in text
    assert "1:03, about 0:42 left" in text
    assert "8 complete · 4 stopped early · 1 failed · 2 running" in text


def test_the_frame_shows_the_best_trial_with_its_curve() -> None:
    text = draw(SNAPSHOT)
    assert "0.98214  trial 7   ▁▅▇█" in text
    assert "lr=0.003123  opt.width=64" in text


def test_the_frame_shows_step_and_last_metric_of_running_trials() -> None:
    rows = [line.split() for line in draw(SNAPSHOT).splitlines()]
    row = next(row for row in rows if row and row[0] == "13")
    assert row[1:4] == ["7.2s", "14", "0.9512"]
    assert any("nothing logged yet" in " ".join(row) and "worse than 0.2" in " ".join(row) for row in rows)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    crowded = replace(
        SNAPSHOT,
        name="n" * 50,
        notices=("metric 'val_loss' was never logged; did you mean 'val/loss'?" * 2,),
        problem="store away, retrying (" + "x" * 90 + ")",
        best=Leader(7, 0.98214, {f"parameter_{index}": "v" * 15 for index in range(40)}),
    )
    assert max(len(line) for line in draw(crowded, width).splitlines()) <= width


def test_markup_in_the_strings_of_users_is_shown_as_it_is() -> None:
    text = draw(replace(SNAPSHOT, name="[red]x[/]", notices=("[link=evil]y",), problem="[/]"), width=120)
    for written in ("[red]x[/]", "[link=evil]y", "activation=[bold red]tanh", "[/]"):
        assert written in text


def test_control_characters_of_users_do_not_reach_the_terminal() -> None:
    evil = "a\x1b[2Jb\x07\r\n"
    text = draw(replace(SNAPSHOT, name=evil, notices=(evil,), reason=evil, best=Leader(1, 1.0, {evil: evil})))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_a_value_stays_on_the_line_of_its_name() -> None:
    assert any("activation=[bold red]tanh" in line for line in draw(SNAPSHOT, width=60).splitlines())


def test_a_sweep_without_budget_has_no_bar() -> None:
    text = draw(replace(SNAPSHOT, budget=None, left=None))
    assert "━" not in text
    assert "13 done" in text


def test_the_bar_is_full_when_all_trials_have_ended() -> None:
    text = draw(replace(SNAPSHOT, state=SweepState.FINISHED, counts={TrialState.COMPLETE: 20}, running=()))
    assert "─" not in text
    assert "left" not in text


def test_a_sweep_without_agents_says_how_to_start_one() -> None:
    assert "sweep agent k3f9x2ab" in draw(replace(SNAPSHOT, agents=0, running=()))


def test_an_agent_is_asked_for_only_when_there_is_work_that_nobody_does() -> None:
    alone = replace(SNAPSHOT, agents=0, running=())
    over = {TrialState.COMPLETE: 20}
    assert "no agent is running: sweep agent k3f9x2ab" in render_line(alone)
    for busy in (
        SNAPSHOT,
        replace(alone, counts=over),
        replace(alone, state=SweepState.FINISHED),
        replace(alone, state=SweepState.PAUSED, counts=over),
    ):
        assert "no agent is running" not in draw(busy) + render_line(busy)


def test_a_trial_whose_agent_died_is_shown_as_lost() -> None:
    dead = replace(SNAPSHOT, agents=0, lost=1, running=(replace(SNAPSHOT.running[0], lost=True),))
    text = draw(dead, width=120)
    assert "lost, waits for an agent" in text
    assert "1 running · 1 waiting · 1 lost" in text
    assert "no agent is running: sweep agent k3f9x2ab" in text
    assert "1 lost" in render_line(dead)


def test_a_sweep_without_metric_says_so() -> None:
    assert "the sweep has no metric" in draw(replace(SNAPSHOT, metric="", best=None))


def test_the_plain_line_has_the_same_figures() -> None:
    line = render_line(SNAPSHOT)
    assert line == (
        "k3f9x2ab  13/20 done · best 0.98214 (trial 7) · 4 stopped early · 1 failed · 2 running · about 0:42 left"
    )
