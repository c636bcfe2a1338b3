"""Storms on real processes: kills, full disks, stores that are away, many runs at once, damage, hostile names."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import DEADLINE_S, Training, wait_until
from tracking.home import Home, journal_path
from tracking.shipping.journal_shipper import JournalShipper
from tracking.states import RunState

STORM = pytest.mark.storm
QUIET = {"SWEEP_SYSTEM": "off", "SWEEP_DISABLE_GIT": "true", "SWEEP_DISABLE_CODE": "true", "SWEEP_CONSOLE": "off"}


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        training.environ |= QUIET
        yield training


def ship(run_dir: Path, run_id: str = "r") -> int:
    command = [sys.executable, "-P", "-m", "tracking.shipping", str(run_dir), run_id, "1"]
    return subprocess.run(command, check=False, timeout=DEADLINE_S).returncode


# -- SIGKILL ------------------------------------------------------------------------------------


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("repeats", [3, pytest.param(100, marks=STORM)])
def test_a_process_that_is_killed_straight_after_log_has_lost_no_step(training: Training, repeats: int) -> None:
    for number in range(repeats):
        length = 1 + 97 * number % 1000
        process = training.start(
            f"""
            import os, signal, tracking
            run = tracking.init(id="r{number}", mode="{"online" if number % 2 else "offline"}")
            for i in range({length}):
                run.log({{"loss": float(i), "i": i}})
            os.kill(os.getpid(), signal.SIGKILL)
            """
        )
        process.communicate(timeout=DEADLINE_S)
        assert process.returncode == -signal.SIGKILL
        if number % 2 == 0:
            assert ship(Home.find().run_dir(f"r{number}"), f"r{number}") == 0
        assert training.ended(f"r{number}").state is RunState.CRASHED
        assert training.values("i", f"r{number}") == list(range(length))


# -- full disk ----------------------------------------------------------------------------------

FULL_DISK = """
import os, shutil, sys, tracking
disk = sys.argv[1]
run = tracking.init(id="r", mode="offline", dir=disk)
run.log({"i": 0})
ballast = os.open(f"{disk}/ballast", os.O_WRONLY | os.O_CREAT)
try:
    while os.write(ballast, bytes(4096)): pass
except OSError as error:
    print("full:", error.strerror)
for i in range(1, 20_000):
    run.log({"i": i})
for _ in range(400):
    run.log({"text": "x" * 100_000})
# Not ru_maxrss: that is inherited from whoever started us.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
os.ftruncate(ballast, 0)
for i in range(20_000, 20_100):
    run.log({"i": i})
run.finish()
print("peak", peak)
shutil.copytree(run.dir + "/..", "kept")
"""


def test_a_disk_that_is_full_for_a_while_costs_bounded_memory_and_says_what_is_lost(training: Training) -> None:
    disk = training.folder / "disk"
    disk.mkdir()
    (training.folder / "train.py").write_text(FULL_DISK)
    mount = f"mount -t tmpfs -o size=64m tmpfs '{disk}' && exec '{sys.executable}' train.py '{disk}'"
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no file system may be mounted here; test_tracking_faults has the same with a limited file size")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount],
        cwd=training.folder, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("full: No space left on device")
    assert done.stderr.count("cannot write the journal") == 1
    assert int(done.stdout.rsplit("peak", 1)[1]) < 150_000  # kB; 40 MB were logged in vain, of which 16 are kept
    shipper = JournalShipper(training.folder / "kept", "r", 1)
    seen: list[int] = []
    texts = dropped = 0
    while (batch := shipper.collect()) is not None:
        seen += batch.history["i"].values if "i" in batch.history else []
        texts += len(batch.history["text"].values) if "text" in batch.history else 0
        dropped = batch.summary.get("_dropped", dropped)
        shipper.accept(batch.to_offset)
    assert shipper.problem == ""
    assert shipper.ended is not None
    assert shipper.ended.state is RunState.FINISHED
    assert seen == list(range(20_100))
    assert texts + dropped == 400
    assert 100 < texts < 200


# -- the store is away --------------------------------------------------------------------------


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=STORM)])
def test_a_store_that_is_away_costs_the_training_no_memory(training: Training, seconds: int) -> None:
    database = training.home / "store.db"
    process = training.start(
        f"""
        import os, time, tracking
        def resident(): return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        run = tracking.init(id="r")
        for i in range(2000): run.log({{"i": i}})
        while not os.path.exists("go"): time.sleep(0.01)
        before, until, i = resident(), time.monotonic() + {seconds}, 2000
        while time.monotonic() < until:
            for _ in range(100):
                run.log({{"i": i}}); i += 1
            time.sleep(0.01)
        print("grew", resident() - before, "rows", i, flush=True)
        run.finish()
        """
    )
    wait_until("the first rows are shipped", lambda: (r := training.record()) and r.last_step == 1999)
    with sqlite3.connect(database, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        (training.folder / "go").touch()
        out, err = process.communicate(timeout=seconds + DEADLINE_S)
        other.execute("ROLLBACK")
    other.close()
    assert process.returncode == 0, err
    _, grew, _, rows = out.split()
    assert int(grew) < 4 << 20
    assert training.ended().state is RunState.FINISHED
    assert training.values("i") == list(range(int(rows)))


# -- many at once -------------------------------------------------------------------------------


@pytest.mark.timeout(400)
@pytest.mark.parametrize("runs", [6, pytest.param(32, marks=STORM)])
def test_concurrent_runs_share_one_folder(training: Training, runs: int) -> None:
    code = """
        import os, sys, tracking
        run = tracking.init(id=sys.argv[1], dir="shared", project="p")
        for i in range(300): run.log({"i": i, "who": int(sys.argv[1][1:])})
        run.summary["name"] = sys.argv[1]
        """
    (training.folder / "train.py").write_text(textwrap.dedent(code))
    processes = [training.start(code, f"r{number}") for number in range(runs)]
    for process in processes:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    for number in range(runs):
        run_id = f"r{number}"
        record = wait_until(
            f"run {run_id} has ended", lambda run_id=run_id: (r := training.record(run_id)) and r.finished_at and r, 200
        )
        assert (record.state, record.summary["name"]) == (RunState.FINISHED, run_id)
        assert training.values("i", run_id) == list(range(300))
        assert training.values("who", run_id) == [number] * 300


# -- damage -------------------------------------------------------------------------------------


def test_a_damaged_journal_is_shipped_around_its_damage(training: Training) -> None:
    training.run(
        """
        import tracking
        with tracking.init(id="r", mode="offline") as run:
            for i in range(1000): run.log({"i": i})
        """
    )
    run_dir = Home.find().run_dir("r")
    journal = journal_path(run_dir, 1)
    data = bytearray(journal.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = bytes(4096)
    journal.write_bytes(data)
    assert ship(run_dir) == 1
    record = training.ended()
    assert record.state is RunState.FINISHED
    (damage,) = record.metadata["journal_damage"]
    # A record that ends in zeros anyway is sound, so the damage may seem to begin and end a little later.
    assert abs(damage["at"] - middle) < 100
    assert 4000 <= damage["bytes"] < 4300
    kept = training.values("i")
    assert kept[0] == 0
    assert kept[-1] == 999
    assert 880 < len(kept) < 1000
    before = record
    shutil.rmtree(run_dir / "files", ignore_errors=True)
    assert ship(run_dir) == 1
    assert training.record() == before


# -- hostile names ------------------------------------------------------------------------------


def test_hostile_names_stay_inside_or_are_refused_with_a_message(training: Training) -> None:
    done = training.run(
        r"""
        import tracking
        for bad in ("../up", "a/b", "a\x00b", "x" * 300, "nul", "COM1.txt", "dot.", "..", "r:w1", "\ud800", "😀" * 64):
            try:
                tracking.init(id=bad, mode="offline")
            except tracking.UsageError as error:
                print("refused:", ascii(str(error))[:200])
            else:
                raise SystemExit(f"{bad!r} was taken")
        run = tracking.init(id="ключ 1", project=".. .etc", name="a\x00b/../c", group="nul", mode="online")
        keys = ["../../etc/passwd", "a\x00b", "k" * 300, "ключ/😀", "con", "x\ny", "'; DROP TABLE runs; --"]
        run.log({key: float(i) for i, key in enumerate(keys)})
        run.finish()
        """
    )
    assert done.stdout.count("refused: ") == 11
    record = training.ended("ключ 1")
    assert record.project == ".. .etc"
    with training.store() as store:
        names = {info.key for info in store.keys("ключ 1")}
    assert {"../../etc/passwd", "k" * 300, "ключ/😀", "con", "x\ny", "'; DROP TABLE runs; --"} <= names
    assert {path.name for path in training.home.iterdir()} <= {
        "runs", "files", "resume", "store.db", "store.db-wal", "store.db-shm", "store.db.lock",
    }  # fmt: skip
    assert [path.name for path in (training.home / "runs").iterdir()] == ["ключ 1"]
