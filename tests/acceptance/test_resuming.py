"""A sweep that was canceled and is resumed: nothing of its grid is forgotten, and no budget spoils the store."""

from __future__ import annotations

from contextlib import closing

import pytest

import sweeps
import tracking
from sweeps.control.suggesting import Suggester
from sweeps.errors import SpecInvalid
from sweeps.states import SweepState, TrialState
from sweeps.store import open_store

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2, 3, 4, 5]}}}


def train() -> None:
    with tracking.init() as run:
        run.log({"loss": run.config.x})


def test_a_resumed_grid_tries_the_points_that_were_canceled() -> None:
    sweep = sweeps.create(GRID)
    with closing(open_store()) as store:
        Suggester(store, sweep.id, "test").fill(3)
    sweep.run(train, trials=1)
    sweep.cancel()
    assert sweep.state is SweepState.CANCELED
    assert [trial.state.value for trial in sweep.trials()] == ["complete", "canceled", "canceled"]
    sweep.resume(trials=100)
    sweep.run(train)
    complete = [trial.params["x"] for trial in sweep.trials() if trial.state is TrialState.COMPLETE]
    assert sorted(complete) == [1, 2, 3, 4, 5]
    assert sweep.state is SweepState.FINISHED


def test_a_budget_beyond_all_bounds_is_refused_and_leaves_the_sweep_as_it_was() -> None:
    sweep = sweeps.create({**GRID, "run_cap": 2})
    sweep.run(train)
    with pytest.raises(SpecInvalid, match="run_cap"):
        sweep.resume(trials=10**20)
    assert sweeps.get(sweep.id).state is SweepState.FINISHED
