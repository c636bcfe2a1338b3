"""A disabled run costs nothing and needs nothing, whatever is called on it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


def test_it_imports_little_and_starts_nothing(training: Training) -> None:
    done = training.run(
        """
        import os, sys, tracking
        with tracking.init(mode="disabled", config={"lr": 1}, save_code=True, resume="allow", id="r") as run:
            run.log({"loss": 0.5}); run.define_metric("loss", summary="min"); run.summary["a"] = 1
            run.config.update({"b": 2}); run.name = "n"; run.tags = ("t",)
        children = [p for p in os.listdir("/proc") if p.isdigit()
                    and open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[1] == str(os.getpid())]
        assert not children, children
        print(sorted(sys.modules))
        """,
        SWEEP_STORE="nonsense://",
    )
    modules = set(ast.literal_eval(done.stdout))
    assert done.stderr == ""
    assert not modules & {"sqlalchemy", "socket", "subprocess", "tempfile", "tracking.shipping", "tracking.store"}
    assert not modules & {
        "tracking.live.console",
        "tracking.live.farewell",
        "tracking.media",
        "tracking.starting.plain",
    }
    assert not training.home.exists()


def test_its_folder_goes_with_the_process(training: Training, tmp_path: Path) -> None:
    passing = tmp_path / "passing"
    passing.mkdir()
    done = training.run(
        """
        import os, tracking
        run = tracking.init(mode="disabled")
        open(os.path.join(run.dir, "file"), "w").write("x")
        print(run.dir, run.status().synced, run.to_html().startswith("<details"))
        run.write_logs("nowhere"); run.mark_preempting(); run.confirm_checkpoint(3)
        """,
        TMPDIR=str(passing),
    )
    folder, synced, html = done.stdout.split()
    assert (folder.startswith(str(passing)), synced, html) == (True, "True", "True")
    assert list(passing.iterdir()) == []
    assert not training.home.exists()


def test_what_a_run_says_of_itself(training: Training) -> None:
    done = training.run(
        """
        import time, tracking
        run = tracking.init(id="r", project="p<q")
        run.write_logs("a line of mine")
        run.log({"loss": 1.0})
        deadline = time.monotonic() + 30
        while not run.status().synced and time.monotonic() < deadline: time.sleep(0.2)
        status = run.status()
        assert status == (True, 0, ""), status
        assert "p&lt;q" in run.to_html() and "<details><" in run.to_html(hidden=True)
        try:
            run.finish(); run.record(5, {})
        except tracking.UsageError as error:
            print(error)
        """
    )
    assert "run r is finished" in done.stdout
    training.ended()
    with training.store() as store:
        assert b"a line of mine\n" in store.console("r")
