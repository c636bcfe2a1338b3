"""`sweep replay ID`: says whether today's suggestions are those that were made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sweeps.control.suggesting import Suggester
from sweeps.records import NewSweep, Outcome, TrialKey
from sweeps.states import TrialState
from sweeps.store import open_store
from sweeps.store.contract import SweepStore
from sweeps.verbs.replay import command
from tests.simulation.simulated_sweep import make_spec

ID = "abcd1234"


@pytest.fixture
def store() -> Iterator[SweepStore]:
    """A bayes sweep with 15 ended trials in the home folder's store."""
    opened = open_store()
    spec = make_spec(parameters={"x": {"min": 0.0, "max": 1.0}}, run_cap=15)
    opened.create_sweep(NewSweep(id=ID, document=spec.document))
    suggester = Suggester(opened, ID, "agent")
    while suggester.fill(2):
        for trial in opened.claim(ID, "agent", 2, 60):
            key = TrialKey(ID, trial.number, trial.attempt)
            opened.finish([Outcome(key, TrialState.COMPLETE, value=abs(trial.params["x"] - 0.3), length=1)])
    yield opened
    opened.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, standalone_mode=False, catch_exceptions=False)


def test_equal_suggestions_are_reported_as_such(store: SweepStore) -> None:
    result = run("abcd")
    assert result.return_value == 0
    assert result.output == f"{ID}: 15 of 15 suggestions made again, all equal\n"


def test_a_changed_specification_gives_different_suggestions_and_status_1(store: SweepStore) -> None:
    document: dict[str, Any] = {**store.sweep(ID).document, "seed": 2}
    store.replace_document(ID, document)
    result = run(ID)
    assert result.return_value == 1
    assert result.output.startswith(f"{ID}: 15 of 15 suggestions differ\n  trial 0 (0 ended before): x 0.")
    assert "… and 5 more: --json" in result.output
    found = json.loads(run(ID, "--json").output)
    assert (found["suggestions"], found["equal"], len(found["different"])) == (15, False, 15)
    assert found["different"][0]["made"] != found["different"][0]["again"]
