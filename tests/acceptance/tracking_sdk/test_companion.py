"""The companion beside a run: what it ships, what it watches, and that nothing of that endangers the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tracked import DEADLINE_S, Training, shippers, wait_until
from tracking.home import journal_path, part_id
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.shipping.child import ShipperChild, variables_of
from tracking.shipping.duty import is_on_duty
from tracking.starting.settings import Settings
from tracking.states import RunState

WAITING = """
import os, time, tracking
run = tracking.init(id="r", mode=os.environ.get("MODE", "online"))
run.log({"loss": 1.0})
print("ready", flush=True)
while not os.path.exists("go"): time.sleep(0.01)
"""


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


def keys(training: Training, run_id: str = "r") -> set[str]:
    with training.store() as store:
        return {info.key for info in store.keys(run_id)}


def gone(training: Training) -> None:
    wait_until("the companion has ended", lambda: not shippers(training.home))


def finish(training: Training, process: subprocess.Popen[str]) -> None:
    (training.folder / "go").touch()
    process.communicate(timeout=DEADLINE_S)


def write_part(folder: Path, part: str, values: list[float], *, finish: bool = True) -> None:
    """A part as another process of a shared run would have left it."""
    start = {"id": part_id("r", part), "part_of": "r", "project": "p", "started_at": 1e9}
    writer = JournalWriter.create(journal_path(folder, 1, part), {"attempt": 1, "start": start})
    layout = writer.declare((f"{part}/loss",), "d")
    assert layout is not None
    for step, value in enumerate(values):
        writer.row(layout, step, 1e9 + step, (value,))
    if finish:
        writer.record(RecordType.FINISH, {"state": "finished", "exit_code": 0, "at": 1e9})
    writer.close()


def test_the_machine_is_sampled_at_once_and_the_part_ends_with_the_run(training: Training) -> None:
    process = training.start(WAITING)
    wait_until("the first sample is there", lambda: training.record() and "system/cpu" in keys(training))
    finish(training, process)
    assert training.ended().state is RunState.FINISHED
    gone(training)
    with training.store() as store:
        (part,) = store.parts("r")
        metadata = store.run("r").metadata
    assert part.state is RunState.FINISHED
    assert metadata["program"].endswith("train.py")


def test_offline_the_machine_is_watched_and_no_store_is_made(training: Training) -> None:
    process = training.start(WAITING, MODE="offline")
    wait_until("the part has rows", lambda: _size(training, "system") > 500)
    assert not is_on_duty(training.home / "runs" / "r", 1)
    finish(training, process)
    gone(training)
    assert not (training.home / "store.db").exists()


def test_one_variable_switches_the_machine_off(training: Training) -> None:
    training.run("import tracking, time\ntracking.init(id='r')\ntime.sleep(1)", SWEEP_SYSTEM="off")
    training.ended()
    gone(training)
    assert not any(key.startswith("system/") for key in keys(training))


def test_settings_become_variables_of_the_companion() -> None:
    settings = Settings(x_disable_stats=True, disable_git=True, save_code=True, x_stats_sampling_interval=5)
    assert variables_of(settings) == {
        "SWEEP_SYSTEM": "off",
        "SWEEP_DISABLE_GIT": "true",
        "SWEEP_SAVE_CODE": "true",
    }
    assert variables_of(Settings(x_stats_sampling_interval=2.5)) == {"SWEEP_SYSTEM": "2.5"}


def test_a_killed_process_leaves_a_crashed_run_and_an_ended_part(training: Training) -> None:
    process = training.start(WAITING)
    wait_until("the first sample is there", lambda: training.record() and "system/cpu" in keys(training))
    process.kill()
    process.communicate()
    assert training.ended().state is RunState.CRASHED
    gone(training)
    with training.store() as store:
        assert [part.state for part in store.parts("r")] == [RunState.CRASHED]


FAIL = "def fail(*a, **k): raise RuntimeError('broken')\n"
BREAK = {
    "sampling": f"import tracking.machine.sampler as m\n{FAIL}m.Sampler.tick = fail",
    "hanging": "import time, tracking.machine.sampler as m\nm.Sampler.tick = lambda *a, **k: time.sleep(600)",
    "collecting": f"import tracking.provenance.collecting as m\n{FAIL}m.collect = fail",
    "the part": f"import tracking.machine.part as m\n{FAIL}m.SystemPart.__init__ = fail",
}


@pytest.mark.parametrize("what", BREAK)
def test_nothing_that_breaks_beside_the_run_harms_it(training: Training, what: str, tmp_path: Path) -> None:
    # A sitecustomize of the companion alone: the training process starts without this folder on its path.
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import sys\nif 'tracking.shipping' in sys.orig_argv:\n    " + BREAK[what].replace("\n", "\n    ") + "\n"
    )
    training.run(
        "import tracking, time\nrun = tracking.init(id='r')\nrun.log({'loss': 1})\ntime.sleep(1)",
        PYTHONPATH=str(broken),
    )
    record = training.ended()
    assert (record.state, training.values("loss")) == (RunState.FINISHED, [1])
    if what != "hanging":
        assert "broken" in (training.home / "runs" / "r" / "shipper.log").read_text()


def test_parts_that_nobody_ships_any_more_come_with_the_run(training: Training) -> None:
    process = training.start(WAITING)
    assert process.stdout is not None
    process.stdout.readline()
    write_part(training.home / "runs" / "r", "w1", [1.0, 2.0])
    write_part(training.home / "runs" / "r", "w2", [3.0], finish=False)
    finish(training, process)
    training.ended()
    gone(training)
    assert training.values("w1/loss") == [1.0, 2.0]
    assert training.values("w2/loss") == [3.0]
    with training.store() as store:
        states = {part.id: part.state for part in store.parts("r")}
    assert states[part_id("r", "w1")] is RunState.FINISHED
    assert states[part_id("r", "w2")] is RunState.CRASHED


def test_a_companion_of_a_part_ships_that_part_alone(training: Training) -> None:
    folder = training.home / "runs" / "r"
    folder.mkdir(parents=True)
    write_part(folder, "w1", [1.0, 2.0])
    write_part(folder, "w2", [3.0])
    child = ShipperChild.start(folder, "r", 1, part="w1")
    child.finish(0.2)
    gone(training)
    with training.store() as store:
        assert list(store.series(part_id("r", "w1"), "w1/loss").values) == [1.0, 2.0]
        assert [part.id for part in store.parts("r")] == [part_id("r", "w1")]
    assert not journal_path(folder, 1, "system").exists()


def test_files_of_a_run_with_a_folder_of_its_own_are_where_the_store_says(training: Training) -> None:
    training.run(
        """
        import hashlib, os, tracking
        from tracking.journal.records import RecordType
        run = tracking.init(id="r", dir="own")
        blob = run.blobs.put_bytes(b"content")
        assert str(run.blobs.root).startswith(os.path.abspath("own"))
        run.record(RecordType.FILE, {"name": "a.txt", "sha256": blob.digest, "size": 7, "mime": "text/plain",
                                     "step": None, "at": 1.0})
        """
    )
    training.ended()
    with training.store() as store:
        (digest,) = [file.digest for file in store.files("r") if file.name == "a.txt"]
    assert (training.home / "files" / digest[:2] / digest).read_bytes() == b"content"


def test_shipping_by_hand_says_how_to_call_it() -> None:
    for words in (["x"], ["a", "b", "c"], ["a", "b", "1", "--what"]):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tracking.shipping", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.startswith("usage: ")


def test_two_companions_of_one_run_ship_it_once(training: Training) -> None:
    process = training.start(WAITING)
    wait_until("the run is in the store", lambda: training.record())
    folder = training.home / "runs" / "r"
    second = subprocess.Popen([sys.executable, "-P", "-m", "tracking.shipping", str(folder), "r", "1"])
    finish(training, process)
    assert second.wait(DEADLINE_S) == 0
    assert training.ended().state is RunState.FINISHED
    assert training.values("loss") == [1.0]


def test_the_companion_outlives_a_hangup_of_the_terminal(training: Training) -> None:
    process = training.start(WAITING)
    (pid,) = wait_until("the companion runs", lambda: training.record() and shippers(training.home))
    os.kill(pid, signal.SIGHUP)
    finish(training, process)
    assert training.ended().state is RunState.FINISHED


def _size(training: Training, part: str) -> Any:
    path = journal_path(training.home / "runs" / "r", 1, part)
    return path.stat().st_size if path.exists() else 0
