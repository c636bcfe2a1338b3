"""A trial that an agent runs again keeps, or gives up, what its first attempt recorded: history, curve and value."""

from __future__ import annotations

from contextlib import closing

import pytest

from sweeps.states import TrialState
from tests.acceptance.workshop import Workshop
from tests.acceptance.workshop import shop as shop
from tracking.store import open_store

FIRST = """
import os, sys, time, tracking
from tracking.journal.records import RecordType
if os.environ["SWEEP_ATTEMPT"] == "1":
    run = tracking.init()
    for value in (5.0, 4.0, 1.0, 0.5):
        run.log({"loss": value})
        if value == 1.0:
            run.record(RecordType.FILE, {"name": "model.pt", "sha256": "0" * 64, "size": 1, "step": run.last_step})
    sys.exit("bad luck")
time.sleep(1.5)  # imports of a real script: the agent has told the store of this attempt by then
run = tracking.init()
"""
GOES_ON = "run.confirm_checkpoint(2)\nfor value in (3.0, 2.0): run.log({'loss': value})\n"
BEGINS_ANEW = "for value in (9.0, 8.0): run.log({'loss': value})\n"


@pytest.mark.parametrize(
    ("second", "history", "value"),
    [(GOES_ON, [5.0, 4.0, 1.0, 3.0, 2.0], 1.0), (BEGINS_ANEW, [9.0, 8.0], 8.0)],
    ids=["goes-on", "begins-anew"],
)
def test_the_value_of_a_repeated_trial_is_that_of_the_history_it_keeps(
    shop: Workshop, second: str, history: list[float], value: float
) -> None:
    shop.create(FIRST + second, parameters={"x": {"values": [4]}}, retry={"max": 1})
    agent = shop.agent()
    assert agent.wait() == 0
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt) == (TrialState.COMPLETE, 2)
    with closing(open_store()) as store:
        assert list(store.series(f"{shop.sweep_id}-0", "loss").values) == history
        assert store.run(f"{shop.sweep_id}-0").summary["loss"] == history[-1]
    assert trial.value == value
