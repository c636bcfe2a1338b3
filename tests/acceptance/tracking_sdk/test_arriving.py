"""Reading a run at once after it ended, and runs whose journal waits to be shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    folder = tmp_path / "work"
    folder.mkdir()
    with Training(folder, home) as prepared:
        yield prepared


def test_a_run_can_be_read_right_after_its_end(training: Training) -> None:
    training.run(
        """
        import tracking
        for number in range(3):
            with tracking.init(project="p", id=f"r{number}") as run: run.log({"a": number})
            assert tracking.Api().run(f"p/r{number}").id == f"r{number}"
        """
    )


def test_a_run_that_waits_to_be_shipped_is_said_to_wait(training: Training) -> None:
    done = training.run(
        """
        import tracking
        with tracking.init(project="p", id="r", mode="offline") as run: run.log({"a": 1})
        try:
            tracking.Api().run("p/r")
        except tracking.TrackingError as error:
            print(error)
        """
    )
    assert "`sweep sync r`" in done.stdout
