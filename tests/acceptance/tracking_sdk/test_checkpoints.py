"""A repeated trial goes on after its last checkpoint if the script loads it, and begins anew if it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training
from tracking.shipping.journal_shipper import JournalShipper

RUN_ID = "abcd1234-7"
FIRST = """
import tracking
from tracking.journal.records import RecordType
run = tracking.init()
assert not run.resumed and run.last_step is None
for i in range(5):
    run.log({"loss": float(i)})
    if i == 2:
        run.record(RecordType.FILE, {"name": "checkpoint.pt", "sha256": "0" * 64, "size": 1, "step": run.last_step})
run.summary["note"] = 1
"""


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        params = tmp_path / "params.json"
        params.write_text(json.dumps({"lr": 0.1}))
        training.environ = {
            "SWEEP_RUN_ID": RUN_ID,
            "SWEEP_SWEEP_ID": "abcd1234",
            "SWEEP_TRIAL": "7",
            "SWEEP_ATTEMPT": "1",
            "SWEEP_PARAM_FILE": str(params),
            "SWEEP_SHIPPER": "agent",
        }
        training.run(FIRST)
        ship(training, 1)
        training.environ["SWEEP_ATTEMPT"] = "2"
        yield training


def ship(training: Training, attempt: int) -> None:
    """Bring an attempt into the store, as its agent does."""
    shipper = JournalShipper(training.home / "runs" / RUN_ID, RUN_ID, attempt)
    with training.store() as store:
        while (batch := shipper.collect()) is not None:
            shipper.accept(store.apply([batch])[0])


def test_a_script_that_loads_its_checkpoint_goes_on_after_it(training: Training) -> None:
    training.run(
        """
        import tracking
        run = tracking.init()
        assert run.resumed and run.step == run.starting_step == 3 and run.summary["loss"] == 2.0
        run.confirm_checkpoint(2)
        run.log({"loss": 30.0})
        run.log({"loss": 40.0})
        """
    )
    ship(training, 2)
    assert training.values("loss", RUN_ID) == [0.0, 1.0, 2.0, 30.0, 40.0]


def test_a_script_that_loads_an_older_one_goes_on_from_there(training: Training) -> None:
    training.run("import tracking\nrun = tracking.init()\nrun.confirm_checkpoint(0)\nrun.log({'loss': 10.0})")
    ship(training, 2)
    assert training.values("loss", RUN_ID) == [0.0, 10.0]


def test_a_script_that_ignores_it_begins_anew(training: Training) -> None:
    training.run(
        """
        import tracking
        run = tracking.init()
        assert run.resumed and run.step == 3
        run.log({"loss": 10.0})
        assert run.step == 1 and "note" not in run.summary
        run.confirm_checkpoint(2)
        run.log({"loss": 11.0})
        assert run.step == 2
        """
    )
    ship(training, 2)
    assert training.values("loss", RUN_ID) == [10.0, 11.0]


def test_a_script_that_names_its_step_knows_where_it_is(training: Training) -> None:
    training.run("import tracking\nrun = tracking.init()\nrun.log({'loss': 10.0}, step=2)")
    ship(training, 2)
    assert training.values("loss", RUN_ID) == [0.0, 1.0, 10.0]


def test_a_trial_that_left_none_begins_anew(training: Training) -> None:
    (training.home / "runs" / RUN_ID / "attempt-1.journal").unlink()
    training.run(FIRST.replace("if i == 2", "if False"), SWEEP_ATTEMPT="1")
    training.run(
        "import tracking\nrun = tracking.init()\nassert not run.resumed and run.step == 0\nrun.log({'loss': 1.0})"
    )


def test_on_another_machine_the_store_tells_of_the_checkpoint(training: Training) -> None:
    (training.home / "runs" / RUN_ID).rename(training.home / "elsewhere")
    training.run(
        """
        import tracking
        run = tracking.init()
        assert run.resumed and run.step == 3
        run.confirm_checkpoint()
        run.log({"loss": 30.0})
        """
    )
    ship(training, 2)
    assert training.values("loss", RUN_ID) == [0.0, 1.0, 2.0, 30.0]
