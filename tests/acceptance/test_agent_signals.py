"""The agent when it is interrupted or killed: Ctrl-C in three tiers, SIGTERM, SIGKILL of agent, guard and trial."""

from __future__ import annotations

import os
import pty
import select
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from sweeps.states import FailureClass, TrialState
from tests.acceptance.workshop import DEADLINE, LOSS, SLOW, SWEEP, AgentProcess, Workshop, pids_with, wait_for
from tests.acceptance.workshop import shop as shop

FAMILY = SLOW.replace(
    "gate = ",
    "import subprocess\nsubprocess.Popen(['sleep', '300'])\n"
    "subprocess.Popen(['sleep', '301'], start_new_session=True)\ngate = ",
)
"""A trial with a child in its group and one in a session of its own."""
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLOW


def test_ctrl_c_once_takes_no_new_trials_and_waits(shop: Workshop) -> None:
    shop.create(SLOW)
    agent = shop.agent()
    shop.wait_running(1)
    agent.send(signal.SIGINT)
    wait_for(lambda: "no new trials" in agent.err, "the agent says what Ctrl-C did")
    assert agent.process.poll() is None
    shop.open_gate()
    assert agent.wait() == 130
    assert "left after Ctrl-C, 1 trial taken; to go on: " in agent.out
    assert shop.states() == ["complete"]


def test_ctrl_c_during_the_last_trial_leaves_a_finished_sweep(shop: Workshop) -> None:
    shop.create(SLOW, parameters={"x": {"values": [1]}})
    agent = shop.agent()
    shop.wait_running(1)
    agent.send(signal.SIGINT)
    wait_for(lambda: "no new trials" in agent.err, "the agent says what Ctrl-C did")
    shop.open_gate()
    assert agent.wait() == 130
    assert shop.sweep_state() == "finished"


def test_on_a_terminal_ctrl_c_is_answered_above_the_live_view(shop: Workshop) -> None:
    shop.create(SLOW)
    ours, theirs = pty.openpty()
    argv = [SWEEP, "agent", shop.sweep_id]
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=shop.folder, env=environ) as agent:
        os.close(theirs)
        try:
            screen = Screen(ours)
            screen.wait_for("1 running")
            agent.send_signal(signal.SIGINT)
            screen.wait_for("Ctrl-C: no new trials. Running ones (1) go on")
            shop.open_gate()
            screen.wait_for("left after Ctrl-C, 1 trial taken")
            assert agent.wait(DEADLINE) == 130
        finally:
            agent.kill()
    os.close(ours)
    before, _, after = screen.text.partition("Ctrl-C: no new")
    assert before.endswith("\x1b[2K")  # the view was erased first
    assert shop.sweep_id in after  # and drawn again below


class Screen:
    """What a terminal got."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.text = ""

    def wait_for(self, wanted: str) -> None:
        deadline = time.monotonic() + DEADLINE
        while wanted not in self.text:
            assert time.monotonic() < deadline, self.text
            if select.select([self._descriptor], [], [], 0.1)[0]:
                self.text += os.read(self._descriptor, 65536).decode(errors="replace")


def test_ctrl_c_twice_ends_running_trials_which_wait_again(shop: Workshop) -> None:
    shop.create(SLOW)
    agent = shop.agent()
    shop.wait_running(1)
    agent.send(signal.SIGINT)
    wait_for(lambda: "no new trials" in agent.err, "the first Ctrl-C is heard")
    agent.send(signal.SIGINT)
    assert agent.wait(10) == 130
    (trial,) = shop.trials()
    assert (trial.state, trial.failure) == (TrialState.WAITING, FailureClass.PREEMPTED)
    assert shop.run(0).state == "preempted"


def test_ctrl_c_three_times_kills_what_ignores_sigterm(shop: Workshop) -> None:
    shop.create(STUBBORN)
    agent = shop.agent()
    shop.wait_running(1)
    for said in ("no new trials", "Ctrl-C again", "third time"):
        agent.send(signal.SIGINT)
        wait_for(lambda said=said: said in agent.err, said)  # type: ignore[misc]
    assert agent.wait(10) == 130
    assert shop.states() == ["waiting"]
    assert shop.running_pids() == []


def test_sigterm_leaves_no_orphan_and_gives_the_trials_back(shop: Workshop) -> None:
    shop.create(FAMILY)
    agent = shop.agent("--slots", "2")
    wait_for(lambda: len(shop.running_pids()) == 6, "two trials with two children each")
    shop_pids = shop.running_pids()
    agent.send(signal.SIGTERM)
    assert agent.wait(10) == 143
    assert not any(map(psutil.pid_exists, shop_pids))
    assert shop.states() == ["waiting", "waiting"]
    assert all(trial.leased_until is None for trial in shop.trials())


def test_a_trial_that_ignores_sigterm_is_killed_after_the_grace(shop: Workshop) -> None:
    shop.create(STUBBORN)
    agent = shop.agent("--grace", "0.5")
    shop.wait_running(1)
    agent.send(signal.SIGTERM)
    assert agent.wait(10) == 143
    assert shop.running_pids() == []
    assert shop.states() == ["waiting"]


@pytest.mark.parametrize("script", [FAMILY, STUBBORN], ids=["children", "ignores SIGTERM"])
def test_the_trials_of_a_killed_agent_end_and_finish_elsewhere(shop: Workshop, script: str) -> None:
    shop.create(script, parameters={"x": {"values": [1, 2]}})
    agent = shop.agent("--slots", "2")
    wait_for(lambda: shop.count(TrialState.RUNNING) == 2 and len(shop.running_pids()) >= 2, "two trials run")
    began = time.monotonic()
    agent.send(signal.SIGKILL)
    wait_for(lambda: not shop.running_pids(), "the trials have ended with their agent", 5)
    assert time.monotonic() - began < 2  # before the lease is over, so that no trial ever runs twice at once
    shop.open_gate()
    other = shop.agent()
    assert other.wait() == 0
    assert [(trial.state, trial.attempt, trial.lost) for trial in shop.trials()] == [(TrialState.COMPLETE, 2, 1)] * 2
    assert "was lost with its agent" in other.out


def test_a_killed_guard_is_replaced_and_its_trials_run_again(shop: Workshop) -> None:
    shop.create(FAMILY, parameters={"x": {"values": [1, 2]}})
    agent = shop.agent("--slots", "2")
    wait_for(lambda: len(shop.running_pids()) == 6, "two trials with two children each")
    _guard_of(agent).kill()
    wait_for(lambda: [trial.lost for trial in shop.trials()] == [1, 1], "both trials count as lost")
    shop.open_gate()
    assert agent.wait() == 0, agent.err
    assert [(trial.state, trial.attempt) for trial in shop.trials()] == [(TrialState.COMPLETE, 2)] * 2
    assert "the guard" in agent.out


def test_a_killed_trial_runs_again(shop: Workshop) -> None:
    shop.create(SLOW, parameters={"x": {"values": [1]}})
    agent = shop.agent()
    shop.wait_running(1)
    os.kill(shop.running_pids()[0], signal.SIGKILL)
    wait_for(lambda: shop.trials()[0].lost == 1, "the loss is noted")
    shop.open_gate()
    assert agent.wait() == 0
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt, trial.failures) == (TrialState.COMPLETE, 2, 0)
    assert "killed by SIGKILL" in agent.out


def test_a_trial_that_is_killed_again_and_again_is_given_up(shop: Workshop) -> None:
    shop.create(LOSS + "import os\nos.kill(os.getpid(), 9)\n", parameters={"x": {"values": [1]}})
    assert shop.agent().wait() == 0
    (trial,) = shop.trials()
    assert (trial.state, trial.failure, trial.attempt) == (TrialState.FAILED, FailureClass.KILLED, 3)
    assert "SIGKILL" in trial.reason


def test_what_a_trial_leaves_behind_ends_with_it(shop: Workshop) -> None:
    shop.create(FAMILY, parameters={"x": {"values": [1]}})
    shop.open_gate()
    assert shop.agent("--count", "1").wait() == 0
    assert shop.running_pids() == []


def test_a_stopped_agent_loses_its_trial_and_is_refused(shop: Workshop) -> None:
    shop.create(SLOW, parameters={"x": {"values": [1]}})
    frozen = shop.agent()
    shop.wait_running(1)
    frozen.send(signal.SIGSTOP)
    other = shop.agent()
    wait_for(lambda: shop.trials()[0].attempt == 2, "the trial was taken over")
    frozen.send(signal.SIGCONT)
    wait_for(lambda: "lease was taken over" in frozen.out, "the stale agent is told")
    wait_for(lambda: len(pids_with("SWEEP_ATTEMPT=1")) == 0, "its process has ended")
    shop.open_gate()
    assert other.wait() == 0
    assert frozen.wait() == 0
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt, trial.lost) == (TrialState.COMPLETE, 2, 1)


def test_signals_are_passed_on_when_wanted(shop: Workshop) -> None:
    script = SLOW.replace(
        "gate = ", "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: tracking.log({'usr1': 1}))\ngate = "
    )
    shop.create(script, parameters={"x": {"values": [1]}})
    agent = shop.agent("--forward-signals")
    shop.wait_running(1)
    agent.send(signal.SIGUSR1)
    wait_for(lambda: "usr1" in shop.run(0).summary, "the trial has got the signal")
    shop.open_gate()
    assert agent.wait() == 0


def _guard_of(agent: AgentProcess) -> psutil.Process:
    (guard,) = psutil.Process(agent.pid).children()
    return guard


def test_trials_are_ended_while_another_process_keeps_the_store_locked(shop: Workshop, home: Path) -> None:
    shop.create(SLOW)
    agent = shop.agent("--grace", "1", lease=30)
    shop.wait_running(1)
    lock = sqlite3.connect(home / "store.db", isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        agent.send(signal.SIGTERM)
        wait_for(lambda: not shop.running_pids(), "the trial to end while the store is locked", 8)
        assert agent.process.poll() is None
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    assert agent.wait() == 143
    (trial, *_) = shop.trials()
    assert (trial.state, trial.failure) == (TrialState.WAITING, FailureClass.PREEMPTED)


def test_another_ctrl_c_leaves_at_once_when_the_store_hangs(shop: Workshop, home: Path) -> None:
    shop.create(SLOW)
    agent = shop.agent(lease=30)
    shop.wait_running(1)
    lock = sqlite3.connect(home / "store.db", isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        for said in ("no new trials", "SIGTERM and wait", "third time"):
            agent.send(signal.SIGINT)
            wait_for(lambda said=said: said in agent.err, f"the agent to say {said!r}")
        agent.send(signal.SIGINT)
        assert agent.wait(5) == 130
        wait_for(lambda: not shop.running_pids(), "the guard to end the trial", 8)
        lock.execute("ROLLBACK")
    finally:
        lock.close()
