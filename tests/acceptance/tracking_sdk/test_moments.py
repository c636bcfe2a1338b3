"""Going on from a step of an earlier run: the run itself (resume_from) or a new one (fork_from)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training, wait_until

FIRST = """
import tracking
run = tracking.init(id="a", project="p", name="first", config={"lr": 1, "width": 8})
run.define_metric("acc", summary="max")
run.define_metric("val", step_metric="epoch")
for i in range(6): run.log({"loss": 10 - i, "acc": i, "epoch": i})
run.summary["note"] = "kept"
"""


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        training.run(FIRST)
        training.ended("a")
        yield training


def test_resume_from_cuts_the_history_after_the_step(training: Training) -> None:
    training.run(
        """
        import tracking
        run = tracking.init(resume_from="a?_step=2", config={"more": 1})
        assert (run.id, run.name, run.resumed, run.step, run.starting_step) == ("a", "first", True, 3, 3)
        assert (run.config.lr, run.config.more, run.summary["loss"], run.summary["note"]) == (1, 1, 8, "kept")
        assert run.summary["acc"]["max"] == 2
        run.log({"loss": 100, "acc": 1})
        assert run.summary["acc"]["max"] == 2
        """
    )
    record = wait_until("the second attempt is shipped", lambda: (r := training.ended("a")).attempt == 2 and r)
    assert training.values("loss", "a") == [10, 9, 8, 100]
    assert (record.config["more"], record.summary["acc"], record.summary["note"]) == (1, {"max": 2}, "kept")


@pytest.mark.parametrize("local", [True, False], ids=["journals here", "only the store knows it"])
def test_fork_from_begins_a_new_run_with_the_history_up_to_the_step(training: Training, local: bool) -> None:
    if not local:
        (training.home / "runs" / "a").rename(training.home / "runs" / "gone")
    training.run(
        """
        import tracking
        run = tracking.init(fork_from="a?_step=3", id="b", config={"lr": 2})
        assert (run.id, run.resumed, run.step, run.config.lr, run.config.width) == ("b", False, 4, 2, 8)
        assert run.name != "first"
        run.log({"loss": 0})
        """
    )
    record = training.ended("b")
    assert training.values("loss", "b") == [10, 9, 8, 7, 0]
    assert training.values("loss", "a") == [10, 9, 8, 7, 6, 5]
    assert (record.config, record.attempt) == ({"lr": 2, "width": 8}, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('fork_from="a"', 'write it as "<run id>?_step=<n>"'),
        ('fork_from="a?epoch=3"', 'write it as "<run id>?_step=<n>"'),
        ('fork_from="nope?_step=1"', "there is no run nope"),
        ('resume_from="a?_step=6"', "run a has no step 6; its last one is 5"),
        ('resume_from="a?_step=1", id="b"', "leave out id='b'"),
        ('fork_from="a?_step=1", id="a"', "fork_from makes a new run"),
        ('fork_from="a?_step=1", resume="must"', "fork_from and resume exclude each other"),
        ('fork_from="a?_step=1", resume_from="a?_step=1"', "exclude each other"),
    ],
)
def test_a_moment_that_makes_no_sense_is_refused(training: Training, call: str, message: str) -> None:
    done = training.run(f"import tracking\ntracking.init({call})", status=1)
    assert f"UsageError: {message}" in done.stderr or message in done.stderr
    assert "UsageError" in done.stderr


def test_the_environment_may_name_the_moment(training: Training) -> None:
    done = training.run("import tracking\nprint(tracking.init().step)", WANDB_RESUME_FROM="a?_step=0")
    assert done.stdout == "1\n"


def test_a_resumed_run_keeps_its_declarations_and_what_they_gathered(training: Training) -> None:
    training.run(
        """
        import tracking
        run = tracking.init(id="a", resume="must")
        run.log({"acc": 3})
        assert run.summary["acc"] == {"max": 5}
        run.log({"val": 1})
        assert run.summary["epoch"] == 5
        """
    )
    record = wait_until("the second attempt is shipped", lambda: (r := training.ended("a")).attempt == 2 and r)
    assert record.summary["acc"] == {"max": 5}
    assert training.values("epoch", "a")[-1] == 5
