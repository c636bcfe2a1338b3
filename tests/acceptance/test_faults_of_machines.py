"""Faults of the machine: a full disk, a home that cannot be written, a store that goes away and comes back."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from sweeps.states import TrialState
from tests.acceptance.workshop import SLOW, SWEEP, AgentProcess, Workshop, wait_for
from tests.acceptance.workshop import shop as shop

LOGS_ON = """
import pathlib, time, tracking
run = tracking.init()
gate, step = pathlib.Path("gate"), 0
while not gate.exists():
    tracking.log({"loss": float(run.config["x"]) + 1 / (1 + step)})
    step += 1
    time.sleep(0.01)
print("logged", step)
"""


def test_a_store_that_vanishes_and_comes_back_costs_nothing(shop: Workshop, home: Path) -> None:
    shop.create(LOGS_ON, parameters={"x": {"values": [1, 2]}})
    agent = shop.agent(lease=30)
    shop.wait_running(1)
    away = home / "away"
    away.mkdir()
    for file in home.glob("store.db*"):
        file.rename(away / file.name)
    wait_for(lambda: "the store is away" in agent.err, "the agent says so")
    (pid,) = shop.running_pids()
    shop.open_gate()
    wait_for(lambda: not psutil.pid_exists(pid), "the trial ends while nobody can be told")
    for file in away.glob("store.db*"):
        file.rename(home / file.name)
    assert agent.wait() == 0, agent.err
    assert [(trial.state, trial.attempt) for trial in shop.trials()] == [(TrialState.COMPLETE, 1)] * 2
    assert agent.err.count("the store is away") == 1
    assert agent.err.count("the store is back") == 1
    logged = int(shop.console(0).split()[-1])
    assert shop.trials()[0].length == logged
    last_step = shop.run(0).last_step
    assert last_step == logged - 1


def test_an_agent_that_is_told_to_end_does_not_wait_forever_for_its_store(shop: Workshop, home: Path) -> None:
    shop.create(SLOW, parameters={"x": {"values": [1]}})
    agent = shop.agent(lease=3)
    shop.wait_running(1)
    hidden = home.with_name("hidden")
    home.rename(hidden)
    wait_for(lambda: "the store is away" in agent.err, "the agent says so")
    agent.send(signal.SIGTERM)
    assert agent.wait(30) == 143
    assert shop.running_pids() == []
    if home.exists():  # whatever was written meanwhile
        shutil.rmtree(home)
    hidden.rename(home)
    assert (home / "runs" / f"{shop.sweep_id}-0" / "attempt-1.journal").exists()
    shop.open_gate()
    assert shop.agent().wait() == 0
    assert shop.states() == ["complete"]


def test_a_full_disk_stops_nothing_for_good(shop: Workshop, home: Path) -> None:
    """Files may not grow beyond a limit, which is lifted later: writing fails as on a full disk."""
    shop.create(LOGS_ON, parameters={"x": {"values": [1, 2]}})
    agent = shop.agent(lease=30)
    shop.wait_running(1)
    _limit_file_sizes(agent, 4096)
    wait_for(lambda: "the store is away" in agent.err, "the agent says that the store cannot be written")
    wait_for(lambda: "full" in shop.console_file(0) or "cannot write" in shop.console_file(0), "the trial says so too")
    assert len(shop.running_pids()) == 1
    _limit_file_sizes(agent, resource.RLIM_INFINITY)
    wait_for(lambda: "the store is back" in agent.err, "the agent goes on")
    shop.open_gate()
    assert agent.wait() == 0, agent.err
    assert shop.states() == ["complete", "complete"]
    assert "Traceback" not in agent.err


def test_a_full_file_system_stops_nothing_for_good(shop: Workshop, small_home: Path) -> None:
    shop.create(LOGS_ON, parameters={"x": {"values": [1]}})
    agent = shop.agent(lease=30)
    shop.wait_running(1)
    ballast = small_home / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    wait_for(lambda: "the store is away" in agent.err, "the agent says that the store cannot be written")
    ballast.unlink()
    wait_for(lambda: "the store is back" in agent.err, "the agent goes on")
    shop.open_gate()
    assert agent.wait() == 0, agent.err
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt) == (TrialState.COMPLETE, 1)


def test_a_home_that_cannot_be_made_is_named(shop: Workshop, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    for home in (blocker / "home", Path("/proc/sweep-home")):
        for argv in ([SWEEP, "agent", "abcdefgh"], [SWEEP, "run", "sweep.yaml"]):
            (shop.folder / "sweep.yaml").write_text(
                "method: random\nprogram: train.py\nparameters: {x: {min: 0.0, max: 1.0}}\n"
            )
            agent = shop.start(argv, {"SWEEP_HOME": str(home)})
            assert agent.wait() == 1
            assert "Traceback" not in agent.err
    assert str(home) in agent.err
    assert "SWEEP_HOME" in agent.err


def test_a_home_that_may_only_be_read_is_named_before_a_trial_is_taken(shop: Workshop, home: Path) -> None:
    shop.create()
    if os.geteuid() == 0:
        argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        if shutil.which("setpriv") is None or not _may_read_us(argv):
            pytest.skip("root may write everywhere, and there is no other user to be")
    else:
        argv = []
    for folder in (home, home / "runs"):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o555)
    try:
        agent = shop.start([*argv, SWEEP, "agent", shop.sweep_id])
        assert agent.wait() == 1
    finally:
        for folder in (home, home / "runs"):
            folder.chmod(0o755)
    assert str(home) in agent.err
    assert "Traceback" not in agent.err
    assert shop.trials() == []


def test_a_run_folder_that_cannot_be_made_burns_no_trial(shop: Workshop, home: Path) -> None:
    shop.create()
    (home / "runs").mkdir(exist_ok=True)
    (home / "runs" / f"{shop.sweep_id}-0").write_text("in the way")
    agent = shop.agent()
    assert agent.wait() == 1
    assert "cannot start trial 0" in agent.err
    assert set(shop.states()) == {"waiting"}


@pytest.fixture
def small_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a file system of 1.5 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system")
    monkeypatch.setenv("SWEEP_HOME", str(folder))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _limit_file_sizes(agent: AgentProcess, size: int) -> None:
    """No process of the agent's may write beyond `size` bytes of any file."""
    for process in [psutil.Process(agent.pid), *agent.children()]:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _may_read_us(argv: list[str]) -> bool:
    return subprocess.run([*argv, SWEEP, "--version"], capture_output=True, check=False).returncode == 0
