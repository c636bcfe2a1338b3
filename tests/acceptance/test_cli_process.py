"""The command as a process: pipes, Ctrl-C, user files that would hide ours, stores that are away."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread

import pytest
from rich.console import Console

import sweeps
from sweeps.store import open_store
from sweeps.views.live import LiveView
from tracking.errors import StoreUnavailable
from tracking.store import open_store as open_run_store

SWEEP = str(Path(sys.executable).with_name("sweep"))
SPEC = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}, "run_cap": 3}
DEADLINE = 30.0


def call(argv: Sequence[str], cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environ}
    return subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE, check=False, cwd=cwd, env=env)


def test_a_reader_that_leaves_is_no_failure() -> None:
    sweeps.create({**SPEC, "description": "long " * 40_000})
    sweep = sweeps.create({**SPEC, "description": "long " * 40_000})
    for verb in (["show", sweep.id], ["show", sweep.id, "--json"], ["--help"]):
        done = subprocess.run(
            ["bash", "-c", 'set -o pipefail; "$@" | head -c 1', "-", SWEEP, *verb],
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_ends_watching_with_130() -> None:
    sweep = sweeps.create(SPEC)
    watcher = subprocess.Popen([SWEEP, "watch", sweep.id], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watcher.stdout is not None
    assert "0/3 done" in watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, err = watcher.communicate(timeout=DEADLINE)
    assert watcher.returncode == 130
    assert "Traceback" not in err


def test_watching_ends_with_the_sweep() -> None:
    sweep = sweeps.create(SPEC)
    watcher = subprocess.Popen([SWEEP, "watch", sweep.id], stdout=subprocess.PIPE, text=True)
    assert watcher.stdout is not None
    assert "0/3 done" in watcher.stdout.readline()
    sweep.stop()
    rest, _ = watcher.communicate(timeout=DEADLINE)
    assert watcher.returncode == 0
    assert "finished" in rest


def test_files_of_the_user_do_not_hide_ours(tmp_path: Path) -> None:
    for name in ("sweeps", "tracking", "agent", "click", "rich", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    sweeps.create(SPEC)
    done = call([SWEEP, "ls"], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0/3" in done.stdout


@pytest.mark.parametrize("way", ["PYTHONPATH", "working folder"])
def test_files_on_the_search_path_do_not_break_the_command(tmp_path: Path, way: str) -> None:
    for name in ("tracking", "agent", "click", "queue", "rich", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    work = tmp_path / "work"
    work.mkdir()
    (work / "train.py").write_text("import os; print('sees', os.environ.get('PYTHONPATH'))\n")
    (work / "sweep.yaml").write_text(
        "method: grid\nprogram: train.py\ncommand: ['/usr/bin/env', python3, '${program}']\n"
        "parameters: {x: {values: [1]}}\n"
    )
    # An empty entry of PYTHONPATH is the working folder.
    path = str(tmp_path) if way == "PYTHONPATH" else ""
    done = call([SWEEP, "ls"], cwd=work if path else tmp_path, PYTHONPATH=path or os.pathsep)
    assert (done.returncode, done.stderr) == (0, "")
    if not path:
        return
    done = call([SWEEP, "run", "sweep.yaml"], cwd=work, PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    (listed,) = json.loads(call([SWEEP, "ls", "--json"], cwd=work, PYTHONPATH=path).stdout)
    assert f"sees {path}" in call([SWEEP, "logs", f"{listed['id']}-0"], cwd=work).stdout
    doctor = call([SWEEP, "doctor"], cwd=work, PYTHONPATH=path).stdout
    assert all(f"{tmp_path}/{name}.py hides" in doctor for name in ("tracking", "agent", "click", "queue"))


def test_a_plain_run_of_the_module_works_as_well() -> None:
    done = call([sys.executable, "-P", "-m", "sweeps.cli.main", "ls"])
    assert (done.returncode, done.stdout.startswith("No sweeps yet")) == (0, True)


def test_a_home_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spec = tmp_path / "sweep.yaml"
    spec.write_text("method: random\nparameters: {x: {values: [1, 2]}}\n")
    done = call([SWEEP, "create", str(spec)], SWEEP_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 1
    assert "SWEEP_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_is_no_database_is_said_plainly(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.db"
    wrong.write_text("this is no database" * 100)
    done = call([SWEEP, "ls", "--store", f"sqlite:///{wrong}"])
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert wrong.read_text().startswith("this is no database")


class Flaky:
    """A store that can be taken away, as a caller sees it."""

    def __init__(self, store: object) -> None:
        self._store, self.away = store, False

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise StoreUnavailable("cannot reach the store")
        return getattr(self._store, name)


def wait_for(what: str, out: Console, seconds: float = DEADLINE) -> None:
    deadline = time.monotonic() + seconds
    while what not in out.export_text(clear=False):
        assert time.monotonic() < deadline, out.export_text(clear=False)
        time.sleep(0.02)


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_the_live_view_survives_a_store_that_goes_away(terminal: bool) -> None:
    sweep = sweeps.create(SPEC)
    store, runs = open_store(), open_run_store()
    flaky = Flaky(store)
    with open(os.devnull, "w") as sink:
        out = Console(file=sink, record=True, force_terminal=terminal, width=100, _environ={"TERM": "xterm"})
        stop = Event()
        view = LiveView(flaky, runs, sweep.id, out)  # type: ignore[arg-type]
        thread = Thread(target=view.run_until, args=(stop,))
        thread.start()
        try:
            wait_for("0/3", out)
            flaky.away = True
            wait_for("store away, retrying", out)
            flaky.away = False
            sweep.tell(sweep.ask(), 0.5)
            wait_for("1/3", out)
        finally:
            stop.set()
            thread.join(DEADLINE)
    assert not thread.is_alive()
    store.close()
    runs.close()


def test_the_live_view_asks_only_for_what_changed() -> None:
    sweep = sweeps.create({**SPEC, "run_cap": 50})
    for number in range(20):
        sweep.tell(sweep.ask(), float(20 - number))
    store, runs = open_store(), open_run_store()
    asked: list[tuple[int, int, int]] = []

    class Counting(Flaky):
        def changes(self, sweep_id: str, number: int, finish: int) -> object:
            found = store.changes(sweep_id, number, finish)
            asked.append((number, finish, len(found)))
            return found

    view = LiveView(Counting(store), runs, sweep.id, Console())  # type: ignore[arg-type]
    first = view.look()
    sweep.tell(sweep.ask(), 99.0)
    second = view.look()
    third = view.look()
    assert asked[0][:2] == (0, 0)
    assert asked[0][2] >= 20  # and those which wait
    assert asked[1][2] <= 2
    assert asked[2][2] == 0
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.done, second.done, third.done) == (20, 21, 21)
    assert second.best is not None
    assert second.best.value == 1.0
    assert list(second.curve[:3]) == [20.0, 19.0, 18.0]
    store.close()
    runs.close()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_live_view_redraws_in_place_on_a_real_terminal(width: int, tmp_path: Path) -> None:
    sweep = sweeps.create(SPEC)
    socket = str(tmp_path / "tmux")
    # The readline that pytest loads exports COLUMNS and LINES of its own, which would win over the pane's size.
    line = f"env -u COLUMNS -u LINES SWEEP_HOME={os.environ['SWEEP_HOME']} {SWEEP} watch {sweep.id}"
    tmux = ["tmux", "-f", os.devnull, "-S", socket]
    subprocess.run([*tmux, "new-session", "-d", "-x", str(width), "-y", "24", line], check=True, timeout=DEADLINE)
    try:
        deadline = time.monotonic() + DEADLINE
        screen = ""
        asked = False
        while "1/3" not in screen:
            assert time.monotonic() < deadline, screen
            screen = subprocess.run(
                [*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True, timeout=DEADLINE
            ).stdout
            if "0/3" in screen and not asked:
                asked = True
                sweep.tell(sweep.ask(), 0.5)
            time.sleep(0.05)
        assert screen.count("Best") == 1
        assert screen.count(sweep.id) == 1
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, timeout=DEADLINE)
