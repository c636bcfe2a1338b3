"""What may break under a run: the disk, the store, the shipper."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import DEADLINE_S, Training, shippers, wait_until
from tracking.home import Home, journal_path
from tracking.states import RunState


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


def test_a_full_disk_does_not_stop_the_training_and_loses_nothing_when_it_empties(training: Training) -> None:
    done = training.run(
        """
        import os, resource, time, tracking
        run = tracking.init(id="r", mode="offline")
        run.log({"loss": -1.0})
        size = os.path.getsize(os.path.join(os.path.dirname(run.dir), "attempt-1.journal"))
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 500, hard))  # EFBIG: what a quota does
        for i in range(1000):
            run.log({"loss": float(i)})
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        run.log({"loss": 1000.0})
        """
    )
    assert done.stderr.count("cannot write the journal") == 1
    assert _ship(training) == 0
    assert training.ended().state is RunState.FINISHED
    assert training.values("loss") == [float(i) for i in range(-1, 1001)]


def test_a_disk_that_stays_full_ends_in_a_readable_journal_and_a_warning(training: Training) -> None:
    done = training.run(
        """
        import os, resource, tracking
        run = tracking.init(id="r", mode="offline")
        size = os.path.getsize(os.path.join(os.path.dirname(run.dir), "attempt-1.journal"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, size + 1000))
        for i in range(1000):
            run.log({"loss": float(i)})
        """
    )
    assert "the disk is full" in done.stderr
    assert _ship(training) == 0
    assert training.ended().state is RunState.CRASHED
    kept = training.values("loss")
    assert 5 < len(kept) < 1000
    assert kept == [float(i) for i in range(len(kept))]


def test_a_disk_that_is_full_before_the_start_is_told_by_init(training: Training) -> None:
    done = training.run(
        """
        import resource, tracking
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
        tracking.init(id="r")
        """,
        status=1,
    )
    assert "HomeUnwritable: cannot write in" in done.stderr
    assert not list(Home.find().run_dir("r").glob("*.journal"))


@pytest.mark.parametrize("until", ["the run has ended", pytest.param("the shipper noticed", marks=pytest.mark.storm)])
def test_a_store_that_vanishes_and_comes_back_misses_nothing(training: Training, until: str) -> None:
    database = training.home / "store.db"
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r")
        for i in range(100): run.log({"loss": i})
        while not os.path.exists("go"): time.sleep(0.01)
        for i in range(100, 200): run.log({"loss": i})
        run.finish()
        print("second", flush=True)
        """
    )
    wait_until("the first rows are shipped", lambda: (r := training.record()) and r.last_step == 99)
    # Another process holds the database for longer than anybody waits for a lock: it is away.
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        (training.folder / "go").write_text("")
        out, err = process.communicate(timeout=DEADLINE_S)
        assert "second" in out, err
        log = Home.find().run_dir("r") / "shipper.log"
        if until == "the shipper noticed":  # after the store's own patience with a lock, half a minute
            wait_until(until, lambda: "the store is away" in log.read_text())
        other.execute("ROLLBACK")
    other.close()
    assert training.ended().state is RunState.FINISHED
    assert training.values("loss") == list(range(200))


def test_a_store_that_is_not_there_at_first_gets_everything_later(training: Training, tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.write_text("not mounted")
    training.environ["SWEEP_STORE"] = f"sqlite:///{place}/store.db"
    training.run("import tracking\nrun = tracking.init(id='r')\nrun.log({'loss': 1.0})")
    place.unlink()
    place.mkdir()
    assert training.ended().state is RunState.FINISHED
    assert training.values("loss") == [1.0]


def test_a_shipper_that_was_killed_is_followed_by_another(training: Training) -> None:
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1})
        while not os.path.exists("go"): time.sleep(0.01)
        run.log({"loss": 2})
        run.finish()
        """
    )
    (pid,) = wait_until("the shipper runs", lambda: shippers(training.home))
    os.kill(pid, signal.SIGKILL)
    (training.folder / "go").write_text("")
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert "its shipper died" in err
    assert training.ended().state is RunState.FINISHED
    assert training.values("loss") == [1, 2]


def test_no_shipper_and_no_zombie_is_left_behind(training: Training) -> None:
    training.run(
        """
        import os, time, tracking
        for n in range(3):
            tracking.init(id=f"r{n}").finish()
        deadline = time.monotonic() + 30
        from tracking.shipping import child
        while child._left_behind and time.monotonic() < deadline:
            child.reap()
            time.sleep(0.05)
        assert not child._left_behind
        """
    )
    assert not shippers(training.home)


def test_a_store_of_a_kind_that_is_unknown_is_told_at_the_end(training: Training) -> None:
    process = training.start(
        """
        import os, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1})
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)  # the shipper needs a moment to find out, and ends
        """,
        SWEEP_STORE="nonsense://somewhere",
    )
    _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0
    assert "run r is not in the store" in err
    assert "Its journal is kept in" in err


def test_the_terminal_sees_everything_and_the_console_file_is_bounded(training: Training) -> None:
    done = training.run(
        """
        import tracking.live.console
        tracking.live.console.MAX_BYTES = 10_000
        run = tracking.init(id="r", mode="offline")
        for i in range(10_000): print("line", i)
        """
    )
    assert done.stdout == "".join(f"line {i}\n" for i in range(10_000))
    kept = (Home.find().run_dir("r") / "attempt-1.log").read_bytes()
    assert kept.startswith(b"line 0\nline 1\n")
    assert kept.endswith(b"line 9998\nline 9999\n")
    assert 5_000 < len(kept) < 10_200
    assert b"bytes of output are left out here" in kept


def test_console_capture_can_be_switched_off(training: Training) -> None:
    training.run("import tracking\ntracking.init(id='r', mode='offline')\nprint('x')", SWEEP_CONSOLE="off")
    assert not (Home.find().run_dir("r") / "attempt-1.log").exists()
    assert journal_path(Home.find().run_dir("r"), 1).exists()


def _ship(training: Training) -> int:
    command = [sys.executable, "-P", "-m", "tracking.shipping", str(Home.find().run_dir("r")), "r", "1"]
    return subprocess.run(command, check=False, timeout=DEADLINE_S).returncode
