"""`sweep sync` with real processes: offline runs, dead machines, kills in the middle, copies, cleaning."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tracked import DEADLINE_S, Training, shippers, wait_until
from tests.acceptance.tracking_sdk.post_office import Hooks
from tests.acceptance.workshop import SWEEP
from tracking.home import console_path, journal_path
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.states import RunState
from tracking.store.contract import AlertState, RunStore

SCRIPT = """
import time, tracking
with tracking.init(project="digits", config={"lr": 0.1}, tags=["a"], notes="n") as run:
    run.define_metric("loss", summary="min")
    for i in range(500):
        run.log({"loss": 1.0 / (i + 1), "epoch": i // 100})
    run.log({"word": "x", "nested": {"a": 1}})
    run.summary["best"] = 0.5
    run.config.update({"late": True})
    print("printed")
    time.sleep(1.5)  # so that the machine is sampled
"""


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


def sync(training: Training, *argv: str, status: int = 0) -> str:
    """Run `sweep sync` to its end; what it printed."""
    done = subprocess.run(
        [SWEEP, "sync", *argv],
        cwd=training.folder,
        env={**os.environ, **training.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def run_dir(training: Training, run_id: str = "r") -> Path:
    return training.home / "runs" / run_id


def content(store: RunStore, run_id: str) -> dict[str, Any]:
    """All that the store has of a run, except what differs between two executions of one script."""
    run = store.run(run_id)
    summary = {key: value for key, value in run.summary.items() if key not in ("_timestamp", "_runtime")}
    keys = [info.key for info in store.keys(run_id) if not info.key.startswith(("system/", "_timestamp"))]
    return {
        "state": (run.state, run.exit_code, run.reason),
        "identity": (run.project, run.tags, run.notes, run.attempt, run.last_step),
        "maps": (run.config, summary, run.metrics),
        "history": {key: (points := store.series(run_id, key)) and (list(points.steps), points.values) for key in keys},
        "console": store.console(run_id),
        "files": sorted(file.name for file in store.files(run_id)),
    }


def write_run(folder: Path, rows: int, *, run_id: str = "big", finish: bool = True, at: float = 1e9) -> Path:
    """A run folder as a training process would have left it."""
    folder.mkdir(parents=True)
    start = {"id": run_id, "project": "p", "name": run_id, "started_at": at}
    writer = JournalWriter.create(journal_path(folder, 1), {"attempt": 1, "start": start})
    layout = writer.declare(("loss", "accuracy"), "dd")
    assert layout is not None
    for step in range(rows):
        writer.row(layout, step, at + step, (float(step), step / 2))
    if finish:
        writer.record(RecordType.FINISH, {"state": "finished", "exit_code": 0, "at": at + rows})
    writer.close()
    return folder


def test_an_offline_run_that_is_synced_is_the_same_as_one_that_was_online(training: Training) -> None:
    training.run(SCRIPT, SWEEP_RUN_ID="on")
    training.run(SCRIPT, SWEEP_RUN_ID="off", SWEEP_MODE="offline")
    training.ended("on")
    wait_until("the companions have ended", lambda: not shippers(training.home))
    assert training.record("off") is None
    assert "(off): shipped" in sync(training)
    with training.store() as store:
        assert content(store, "off") == content(store, "on")
        assert any(info.key == "system/cpu" for info in store.keys("off"))


def test_syncing_again_changes_nothing(training: Training) -> None:
    write_run(run_dir(training, "big"), 1000)
    sync(training)
    before = training.record("big")
    assert "1 in the store already" in sync(training)
    assert training.record("big") == before


def test_a_sync_that_was_killed_goes_on_where_it_was(training: Training) -> None:
    folder = write_run(run_dir(training, "big"), 600_000)
    for _ in range(3):
        process = subprocess.Popen([SWEEP, "sync"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        offset = found.journal_offset if (found := training.record("big")) else 0
        wait_until("something is shipped", lambda o=offset: (now := training.record("big")) and now.journal_offset > o)
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = training.record("big")
    assert found is not None
    assert 0 < found.journal_offset < journal_path(folder, 1).stat().st_size
    sync(training)
    assert training.ended("big").state is RunState.FINISHED
    with training.store() as store:
        points = store.series("big", "loss")
        assert list(points.steps) == list(range(600_000))
        assert list(points.values) == [float(step) for step in range(600_000)]


def test_a_run_whose_machine_died_ends_at_its_last_record(training: Training) -> None:
    training.run(
        """
        import os, signal, tracking
        run = tracking.init(id="r", mode="offline")
        for i in range(10): run.log({"loss": i})
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        status=-signal.SIGKILL,
    )
    wait_until("the companion has ended", lambda: not shippers(training.home))
    assert "crashed" in sync(training)
    record = training.ended()
    assert (record.state, record.last_step) == (RunState.CRASHED, 9)
    assert record.finished_at == pytest.approx(record.summary["_timestamp"])
    assert training.values("loss") == list(range(10))


def test_a_run_whose_companion_died_with_it_is_found(training: Training) -> None:
    process = training.start(
        """
        import time, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1})
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    (companion,) = wait_until("the companion runs", lambda: shippers(training.home))
    os.kill(companion, signal.SIGKILL)
    process.kill()
    process.wait()
    sync(training)
    assert training.ended().state is RunState.CRASHED
    assert training.values("loss") == [1]


def test_a_run_that_goes_on_is_skipped_and_followed_when_that_is_asked(training: Training) -> None:
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r", mode="offline")
        run.log({"loss": 0})
        print("ready", flush=True)
        while not os.path.exists("go"): time.sleep(0.01)
        for i in range(1, 100): run.log({"loss": i})
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert "skipped, a process writes it now" in sync(training)
    assert training.record() is None
    follower = subprocess.Popen([SWEEP, "sync", "--live"], stdout=subprocess.PIPE, text=True)
    wait_until("the run is followed", lambda: (found := training.record()) and found.last_step == 0)
    assert training.record().state is RunState.RUNNING  # type: ignore[union-attr]
    (training.folder / "go").touch()
    process.communicate(timeout=DEADLINE_S)
    out, _ = follower.communicate(timeout=DEADLINE_S)
    assert "finished" in out
    assert training.ended().state is RunState.FINISHED
    assert training.values("loss") == list(range(100))


def test_a_run_that_its_companion_ships_is_left_to_it(training: Training) -> None:
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r")
        run.log({"loss": 0})
        while not os.path.exists("go"): time.sleep(0.01)
        """
    )
    wait_until("the run is in the store", lambda: training.record())
    assert "its companion" in sync(training, "--live")
    (training.folder / "go").touch()
    process.communicate(timeout=DEADLINE_S)
    assert training.ended().state is RunState.FINISHED


def test_what_is_sound_of_a_damaged_journal_is_shipped_and_the_place_is_told(training: Training) -> None:
    folder = write_run(run_dir(training, "big"), 1000)
    journal = journal_path(folder, 1)
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 0xFF
    journal.write_bytes(data)
    said = sync(training, "--clean", status=1)
    assert "damaged" in said
    assert "attempt-1.journal" in said
    assert folder.exists()
    assert len(training.values("loss", "big")) >= 490
    assert "folder kept: attempt-1.journal is damaged" in sync(training, "--clean")
    assert folder.exists()


def test_a_torn_end_is_what_a_dead_machine_leaves_and_no_failure(training: Training) -> None:
    folder = write_run(run_dir(training, "big"), 100, finish=False)
    with journal_path(folder, 1).open("ab") as file:
        file.write(b"\x40\x00\x00\x00half a record")
    assert "its last record is torn" in sync(training)
    assert training.ended("big").state is RunState.CRASHED
    assert "in the store already" in sync(training)
    sync(training, "--clean")
    assert not folder.exists()


def test_a_file_that_is_no_journal_is_told(training: Training) -> None:
    write_run(run_dir(training, "good"), 10, run_id="good")
    folder = run_dir(training, "bad")
    folder.mkdir()
    journal_path(folder, 1).write_text("hello, this is not a journal")
    said = sync(training, status=1)
    assert "bad: " in said
    assert "is not a journal" in said
    assert training.ended("good").state is RunState.FINISHED


def test_a_dry_run_shows_everything_and_changes_nothing(training: Training) -> None:
    write_run(run_dir(training, "big"), 1000)
    said = sync(training, "--dry-run")
    assert "big" in said
    assert "to ship" in said
    assert not (training.home / "store.db").exists()
    (found,) = json.loads(sync(training, "--dry-run", "--json"))
    assert (found["run"], found["standing"]) == ("big", "missing")
    assert found["bytes"] > 30_000


def test_cleaning_removes_what_the_store_has_and_nothing_else(training: Training) -> None:
    done, other = write_run(run_dir(training, "done"), 10, run_id="done"), training.folder / "elsewhere"
    sync(training)
    write_run(run_dir(training, "fresh"), 10, run_id="fresh")
    write_run(other / "x", 10, run_id="x")
    (run_dir(training, ".removed-old-1")).mkdir()
    said = sync(training, "--clean")
    assert "2 folders removed" in said
    assert not done.exists()
    assert not list(run_dir(training, "").iterdir())
    assert (other / "x").exists()
    sync(training, str(other), "--clean")
    assert not (other / "x").exists()
    assert {run.id for run in _runs(training)} == {"done", "fresh", "x"}


def test_cleaning_keeps_a_run_that_goes_on(training: Training) -> None:
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r", mode="offline")
        print("ready", flush=True)
        while not os.path.exists("go"): time.sleep(0.01)
        """
    )
    assert process.stdout is not None
    process.stdout.readline()
    sync(training, "--clean")
    assert journal_path(run_dir(training), 1).exists()
    (training.folder / "go").touch()
    process.communicate(timeout=DEADLINE_S)


def test_files_come_along_and_damaged_ones_are_told(training: Training, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "usb" / "r", 10, run_id="r")
    good, bad = hashlib.sha256(b"good").hexdigest(), hashlib.sha256(b"bad").hexdigest()
    for digest, data in ((good, b"good"), (bad, b"b@d")):
        path = folder / "blobs" / digest[:2] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    said = sync(training, str(tmp_path / "usb"), "--clean", status=1)
    assert f"{bad} is damaged" in said
    files = training.home / "files"
    assert (files / good[:2] / good).read_bytes() == b"good"
    assert not (files / bad[:2] / bad).exists()
    assert folder.exists()
    assert training.ended().state is RunState.FINISHED


def test_a_copied_folder_is_shipped_from_where_it_lies(training: Training, tmp_path: Path) -> None:
    training.run(SCRIPT, SWEEP_RUN_ID="r", SWEEP_MODE="offline")
    wait_until("the companion has ended", lambda: not shippers(training.home))
    elsewhere = tmp_path / "copy" / "renamed"
    elsewhere.parent.mkdir()
    shutil.move(run_dir(training), elsewhere)
    sync(training, str(journal_path(elsewhere, 1)))
    assert training.ended("r").state is RunState.FINISHED


def test_the_runs_of_a_project_folder_are_found_without_naming_them(training: Training) -> None:
    write_run(training.folder / "sweepwright" / "one", 10, run_id="one")
    sync(training)
    assert training.ended("one").state is RunState.FINISHED


def test_a_path_without_runs_is_refused(training: Training) -> None:
    assert "is no run folder and holds none" in sync(training, str(training.folder), status=1)
    assert "does not exist" in sync(training, "nowhere", status=1)


def test_attempts_are_shipped_in_their_order(training: Training) -> None:
    training.run(
        "import tracking\nrun = tracking.init(id='r', mode='offline')\nrun.log({'loss': 0})\nrun.log({'loss': 1})"
    )
    training.run("import tracking\nrun = tracking.init(id='r', mode='offline', resume='must')\nrun.log({'loss': 2})\n")
    wait_until("the companions have ended", lambda: not shippers(training.home))
    sync(training)
    assert training.ended().attempt == 2
    assert training.values("loss") == [0, 1, 2]


def test_a_run_that_goes_on_online_brings_its_offline_beginning_along(training: Training) -> None:
    training.run("import tracking\nrun = tracking.init(id='r', mode='offline')\nrun.log({'loss': 0})")
    wait_until("the companion has ended", lambda: not shippers(training.home))
    training.run("import tracking\nrun = tracking.init(id='r', resume='must')\nrun.log({'loss': 1})")
    wait_until("attempt 2 is there", lambda: (found := training.record()) and found.attempt == 2)
    training.ended()
    assert training.values("loss") == [0, 1]


def test_many_runs_are_shipped_at_once_by_several_syncs(training: Training) -> None:
    for number in range(12):
        write_run(run_dir(training, f"r{number}"), 20_000, run_id=f"r{number}")
    others = [subprocess.Popen([SWEEP, "sync", "--jobs", "3"], stdout=subprocess.DEVNULL) for _ in range(2)]
    sync_status = subprocess.run([SWEEP, "sync", "-j", "3"], capture_output=True, text=True, check=False)
    for other in others:
        other.wait(DEADLINE_S)
    sync(training)
    for number in range(12):
        assert training.ended(f"r{number}").state is RunState.FINISHED, sync_status.stdout
        assert len(training.values("loss", f"r{number}")) == 20_000


def test_old_alerts_are_stored_and_not_sent(training: Training) -> None:
    folder = run_dir(training, "old")
    folder.mkdir(parents=True)
    start = {"id": "old", "project": "p", "started_at": 1e9}
    writer = JournalWriter.create(journal_path(folder, 1), {"attempt": 1, "start": start})
    for title, at in (("old", time.time() - 7200), ("new", time.time() - 60)):
        writer.record(RecordType.ALERT, {"title": title, "text": "", "level": "INFO", "wait": 60.0, "at": at})
    writer.close()
    hooks = Hooks()
    training.environ |= {"SWEEP_ALERT_WEBHOOK": hooks.url, "SWEEP_ALERT_ALLOW_PRIVATE": "1"}
    sync(training)
    hooks.close()
    assert [body["title"] for body in hooks.bodies] == ["new"]
    with training.store() as store:
        assert [(one.title, one.sent) for one in store.alerts("old")] == [
            ("old", AlertState.HELD),
            ("new", AlertState.SENT),
        ]


def test_printed_output_comes_along(training: Training) -> None:
    folder = write_run(run_dir(training, "big"), 10)
    console_path(folder, 1).write_bytes(b"hello\n" * 1000)
    sync(training)
    with training.store() as store:
        assert store.console("big") == b"hello\n" * 1000


def test_a_store_that_is_away_is_told_and_nothing_is_lost(training: Training, tmp_path: Path) -> None:
    folder = write_run(run_dir(training, "big"), 10)
    (tmp_path / "disk").write_text("not mounted")
    training.environ["SWEEP_STORE"] = f"sqlite:///{tmp_path}/disk/store.db"
    said = sync(training, "--clean", status=1)
    assert "store" in said
    assert folder.exists()


def _runs(training: Training) -> list[Any]:
    with training.store() as store:
        return list(store.runs())
