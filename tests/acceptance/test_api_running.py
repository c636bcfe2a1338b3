"""`Sweep.run` and `sweeps.agent` through the real runner, with functions."""

from __future__ import annotations

import pytest

import sweeps
import tracking

SPEC = {
    "method": "random",
    "metric": {"name": "loss"},
    "parameters": {"opt": {"parameters": {"x": {"min": 0.0, "max": 1.0}}}},
    "run_cap": 4,
    "seed": 5,
}


def train() -> None:
    with tracking.init() as run:
        for step in range(3):
            run.log({"loss": run.config["opt"]["x"] / (step + 1)})


@pytest.mark.parametrize("slots", [1, 2])
def test_a_function_runs_until_the_sweep_is_over(slots: int) -> None:
    sweep = sweeps.create(SPEC).run(train, slots=slots)
    assert sweep.state == "finished"
    assert [trial.state for trial in sweep.trials()] == ["complete"] * 4
    best = sweep.best()
    assert best is not None
    assert best.value == pytest.approx(min(trial.params["opt"]["x"] for trial in sweep.trials()) / 3)


def test_a_count_of_trials_leaves_the_rest_for_later() -> None:
    sweep_id = sweeps.sweep(SPEC)
    sweeps.agent(sweep_id, function=train, count=1)
    assert sweeps.get(sweep_id).state == "running"
    sweeps.agent(sweep_id[:6], train, count=3)
    assert sum(trial.state == "complete" for trial in sweeps.get(sweep_id).trials()) == 4


def test_an_exception_fails_that_trial_only() -> None:
    seen: list[int] = []

    def fragile() -> None:
        seen.append(1)
        if len(seen) == 2:
            raise ValueError("boo")
        train()

    sweep = sweeps.create(SPEC).run(fragile)
    states = [str(trial.state) for trial in sweep.trials()]
    assert sorted(states) == ["complete", "complete", "complete", "failed"]
    assert "boo" in next(trial.reason for trial in sweep.trials() if trial.state == "failed")
