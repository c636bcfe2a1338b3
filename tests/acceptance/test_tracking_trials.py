"""What init() does in a trial: as a program with the agent's handshake, and as a function in the agent's process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracking
from tests.acceptance.tracked import Training, shippers
from tracking import notices
from tracking.context import TrialContext, TrialStopped, entered
from tracking.errors import UsageError
from tracking.home import console_path
from tracking.shipping.journal_shipper import JournalShipper
from tracking.states import RunState
from tracking.store.contract import RunBatch

RUN_ID = "abcd1234-7"


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        params = tmp_path / "params.json"
        params.write_text(json.dumps({"lr": 0.1, "opt": {"momentum": 0.9}}))
        training.environ = {
            "SWEEP_RUN_ID": RUN_ID,
            "SWEEP_SWEEP_ID": "abcd1234",
            "SWEEP_TRIAL": "7",
            "SWEEP_ATTEMPT": "2",
            "SWEEP_PARAM_FILE": str(params),
            "SWEEP_SHIPPER": "agent",
            "SWEEP_PROJECT": "digits",
        }
        yield training


def journal_of(run_dir: Path, run_id: str, attempt: int) -> list[RunBatch]:
    shipper, batches = JournalShipper(run_dir, run_id, attempt), []
    while (batch := shipper.collect()) is not None:
        batches.append(batch)
        shipper.accept(batch.to_offset)
    return batches


def test_a_short_trial_pays_for_no_module_that_it_does_not_use(training: Training) -> None:
    done = training.run(
        """
        import sys, tracking
        with tracking.init():
            tracking.log({"loss": 1.0})
            tracking.finish()
            slow = {"dataclasses", "inspect", "datetime", "socket", "logging", "subprocess", "yaml", "sqlalchemy"}
            ours = {"tracking.store.contract", "tracking.starting.plain", "tracking.live.metrics", "tracking.absent"}
            print(sorted((slow | ours) & set(sys.modules)))
        """,
        SWEEP_ATTEMPT="1",
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_program_gets_its_run_and_parameters_from_the_agent(training: Training, home: Path) -> None:
    done = training.run(
        """
        import sys, tracking
        run = tracking.init(project="mine", config={"lr": 5, "epochs": 3, "opt": {"nesterov": True}})
        assert (run.id, run.sweep_id, run.project, run.attempt) == ("abcd1234-7", "abcd1234", "digits", 2)
        assert run.config.as_dict() == {"lr": 0.1, "epochs": 3, "opt": {"momentum": 0.9, "nesterov": True}}
        run.config.lr = 9
        run.log({"loss": 1.0})
        print("out")
        """
    )
    assert "config lr stays 0.1" in done.stderr
    assert "init(project='mine') gives way in a sweep" in done.stderr
    run_dir = home / "runs" / RUN_ID
    (batch,) = journal_of(run_dir, RUN_ID, 2)
    assert batch.start is not None
    assert (batch.start.sweep_id, batch.start.trial, batch.start.config["lr"]) == ("abcd1234", 7, 0.1)
    assert batch.end is not None
    assert batch.end.state is RunState.FINISHED
    # The agent keeps the output and ships.
    assert not console_path(run_dir, 2).exists()
    assert not shippers(home)


def test_a_program_that_calls_init_again_goes_on_in_its_journal(training: Training, home: Path) -> None:
    training.run(
        """
        import tracking
        with tracking.init() as run:
            run.log({"loss": 1.0, "n": 1})
        with tracking.init(config={"second": True}) as run:
            assert run.step == 1 and run.summary["loss"] == 1.0
            run.log({"loss": 2.0, "n": 2})
            run.log({"new": 3.0})
        """
    )
    (batch,) = journal_of(home / "runs" / RUN_ID, RUN_ID, 2)
    assert (batch.history["loss"].steps, batch.history["loss"].values) == ([0, 1], [1.0, 2.0])
    assert batch.history["new"].values == [3.0]
    assert batch.config["second"] is True
    assert batch.end is not None


def test_workers_of_a_trial_that_call_init_too_do_not_disturb_it(training: Training, home: Path) -> None:
    done = training.run(
        """
        import subprocess, sys, tracking
        run = tracking.init()
        worker = "import tracking; r = tracking.init(); r.log({'loss': 9}); print(r.config.lr, r.disabled)"
        done = subprocess.run([sys.executable, "-c", worker], capture_output=True, text=True, check=True)
        print(done.stdout, done.stderr)
        run.log({"loss": 1})
        """
    )
    assert "0.1 True" in done.stdout
    assert "another process writes run abcd1234-7" in done.stdout
    (batch,) = journal_of(home / "runs" / RUN_ID, RUN_ID, 2)
    assert batch.history["loss"].values == [1]


def test_a_lost_parameter_file_stops_the_trial_before_it_trains_something_else(training: Training) -> None:
    done = training.run("import tracking\ntracking.init()", status=1, SWEEP_PARAM_FILE="/nowhere.json")
    assert "cannot read the parameters of this trial from /nowhere.json" in done.stderr


class Stop:
    reason = ""

    def __call__(self) -> str:
        return self.reason


def context_in(folder: Path, number: int, stop: Stop | None = None) -> TrialContext:
    run_id = f"abcd1234-{number}"
    return TrialContext(run_id, "abcd1234", number, 1, {"lr": number}, folder / run_id, stop or Stop(), "digits")


def test_a_function_gets_its_run_and_a_run_left_open_is_finished(tmp_path: Path) -> None:
    hooks = sys.excepthook, sys.exit, sys.stdout.write
    for number in range(3):
        with entered(context_in(tmp_path, number)):
            tracking.init()
            assert (tracking.config.lr, tracking.run.project) == (number, "digits")
            tracking.log({"loss": number})
        assert tracking.run is None
        (batch,) = journal_of(tmp_path / f"abcd1234-{number}", f"abcd1234-{number}", 1)
        assert batch.end is not None
        assert (batch.end.state, batch.history["loss"].values) == (RunState.FINISHED, [number])
    assert hooks == (sys.excepthook, sys.exit, sys.stdout.write)


def test_a_function_that_raises_leaves_a_failed_run(tmp_path: Path) -> None:
    def train() -> None:
        tracking.init()
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"), entered(context_in(tmp_path, 0)):
        train()
    (batch,) = journal_of(tmp_path / "abcd1234-0", "abcd1234-0", 1)
    assert batch.end is not None
    assert (batch.end.state, batch.end.exit_code) == (RunState.FAILED, 1)


def test_a_function_that_is_asked_to_stop_leaves_at_its_next_log(tmp_path: Path) -> None:
    stop, seen = Stop(), []

    def train() -> None:
        tracking.init()
        for step in range(5):
            tracking.log({"loss": step})
            seen.append(step)
            stop.reason = "pruned" if step == 2 else ""

    with pytest.raises(TrialStopped, match="pruned"), entered(context_in(tmp_path, 0, stop)):
        train()
    assert seen == [0, 1, 2]


def test_a_function_that_did_not_call_init_does_not_log_into_its_neighbour(tmp_path: Path) -> None:
    notices.forget("")
    with entered(context_in(tmp_path, 0)):
        tracking.init()
        with entered(context_in(tmp_path, 1)):
            assert tracking.run is None
            with pytest.raises(UsageError, match=r"call tracking\.init\(\)"):
                tracking.log({"loss": 1})
        assert tracking.run is not None
        assert tracking.run.id == "abcd1234-0"
