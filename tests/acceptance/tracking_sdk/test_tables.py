"""Tables and charts that real runs log, read back from the store and the folder of blobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.acceptance.tracked import Training, wait_until
from tracking.blobs.store import Blobs
from tracking.media.reading import from_record
from tracking.plot.chart import CustomChart
from tracking.states import RunState
from tracking.store.contract import RunRecord
from tracking.tables.joined import JoinedTable
from tracking.tables.reading import read_table
from tracking.tables.table import Table

ENVIRON = {"SWEEP_SYSTEM": "off", "SWEEP_DISABLE_GIT": "true"}


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    folder = tmp_path / "work"
    folder.mkdir()
    with Training(folder, home, dict(ENVIRON)) as prepared:
        yield prepared


def opener(training: Training) -> Any:
    blobs = Blobs(training.home / "files")

    def open_file(record: Mapping[str, Any]) -> BinaryIO:
        return blobs.open(record["sha256"])

    return open_file


def table(training: Training, record: Mapping[str, Any]) -> Table:
    found = read_table(record, opener(training))
    assert isinstance(found, Table)
    return found


def test_a_table_with_images_and_a_chart_come_back_from_the_store(training: Training) -> None:
    training.run(
        """
        import numpy as np
        import tracking as wandb
        run = wandb.init(project="p", id="r")
        table = wandb.Table(columns=["image", "prediction", "confidence"])
        for number in range(3):
            table.add_data(wandb.Image(np.full((4, 4, 3), number, "uint8")), "cat", 0.5 + number / 10)
        run.log({"preds": table, "loss": 0.5})
        run.log({"roc": wandb.plot.roc_curve([0, 1, 1], [0.1, 0.7, 0.6])})
        run.finish()
        """
    )
    summary = training.ended().summary
    found = table(training, summary["preds"])
    assert found.get_column("confidence") == [0.5, 0.6, 0.7]
    assert [image.to_pil().getpixel((0, 0)) for image in found.get_column("image")] == [(n, n, n) for n in range(3)]
    chart = from_record(summary["roc"], opener(training))
    assert isinstance(chart, CustomChart)
    assert chart.table.data[0] == [1, 0.0, 0.0]
    assert training.values("loss") == [0.5]


def test_an_incremental_table_goes_on_after_a_kill(training: Training) -> None:
    script = """
        import os, signal, sys
        import tracking as wandb
        first = int(sys.argv[1])
        run = wandb.init(project="p", id="r", resume="allow")
        table = wandb.Table(columns=["n"], log_mode="INCREMENTAL")
        for number in range(first, first + 3):
            table.add_data(number)
            run.log({"rows": table})
        if first == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        """
    training.run(script, "0", status=-9)
    training.ended()
    training.run(script, "3")
    wait_until("the second attempt is in the store", lambda: training.ended().state is RunState.FINISHED)
    record = training.ended().summary["rows"]
    assert record["increment_num"] == 5
    assert table(training, record).get_column("n") == list(range(6))


def test_two_hundred_thousand_rows_are_logged(training: Training) -> None:
    training.run(
        """
        import tracking as wandb
        with wandb.init(project="p", id="r") as run:
            rows = [[n, n / 3, f"row {n % 100}", n % 2 == 0, None] for n in range(200_000)]
            run.log({"big": wandb.Table(columns=list("abcde"), data=rows)})
        """
    )
    record = training.ended().summary["big"]
    assert record["nrows"] == 200_000
    assert table(training, record).data[199_999] == [199_999, 199_999 / 3, "row 99", False, None]


def test_a_disabled_run_needs_no_pyarrow(training: Training) -> None:
    training.run(
        """
        import sys
        sys.modules["pyarrow"] = None
        import tracking as wandb
        run = wandb.init(mode="disabled")
        table = wandb.Table(columns=["a"], data=[[1]])
        run.log({"t": table, "c": wandb.plot.bar(table, "a", "a")})
        run.finish()
        """
    )


def test_without_pyarrow_a_run_says_what_to_install_and_goes_on(training: Training) -> None:
    done = training.run(
        """
        import sys
        sys.modules["pyarrow"] = None
        import tracking as wandb
        run = wandb.init(project="p", id="r")
        run.log({"t": wandb.Table(columns=["a"], data=[[1]]), "loss": 1.0})
        run.finish()
        """
    )
    assert "pip install 'sweepwright[media]'" in done.stderr
    training.ended()
    assert training.values("loss") == [1.0]


def test_the_page_about_tables_runs(training: Training) -> None:
    page = (Path(__file__).parents[3] / "docs" / "tables.md").read_text()
    done = training.run("\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)))
    assert "row 1, column 'step': found 'two' (string)" in done.stdout
    assert done.stderr.count("it is IMMUTABLE") == 1
    (record,) = find_runs(training)
    assert table(training, record.summary["samples"]).data == [[0, 1.0], [1, 0.5], [2, 1 / 3]]
    joined = read_table(record.summary["both"], opener(training))
    assert isinstance(joined, JoinedTable)
    assert joined.to_table().data == [[1, "cat", "dog"], [2, "dog", "dog"]]


def find_runs(training: Training) -> list[RunRecord]:
    """The runs, once they have ended."""

    def look() -> list[RunRecord]:
        with training.store() as store:
            found = list(store.runs())
        return found if found and all(run.state is not RunState.RUNNING for run in found) else []

    runs: list[RunRecord] = wait_until("the runs have ended in the store", look)
    return [training.ended(run.id) for run in runs]
