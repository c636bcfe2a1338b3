"""Faults of the program and of what it logs: each is caught once, named, and burns no more trials than it must."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

import sweeps
from sweeps.states import FailureClass, TrialState
from sweeps.store import open_store
from tests.acceptance.workshop import LOSS, SWEEP, Workshop, wait_for
from tests.acceptance.workshop import shop as shop

MANY = {"x": {"values": list(range(20))}}


def test_a_missing_program_is_named_before_a_trial_is_taken(shop: Workshop) -> None:
    shop.create(program="nosuch.py")
    agent = shop.agent()
    assert agent.wait() == 1
    assert "program 'nosuch.py' does not exist" in agent.err
    assert str(shop.folder) in agent.err
    assert "Traceback" not in agent.err
    assert shop.trials() == []


def test_a_program_that_is_no_file_is_named(shop: Workshop) -> None:
    (shop.folder / "train.d").mkdir()
    shop.create(program="train.d")
    agent = shop.agent()
    assert agent.wait() == 1
    assert "is a directory" in agent.err
    assert shop.trials() == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["nosuchprogram", "${args}"], "program 'nosuchprogram' was not found on PATH"),
        (["./train.py", "${args}"], "is not executable"),
        (["."], "is a directory"),
        (["/usr/bin/env", "${envvar:NO_SUCH_VARIABLE}"], "NO_SUCH_VARIABLE is not set"),
    ],
)
def test_a_command_that_cannot_start_ends_the_agent_and_burns_no_trial(
    shop: Workshop, command: list[str], said: str
) -> None:
    shop.create(command=command)
    agent = shop.agent()
    assert agent.wait() == 1
    assert said in agent.err
    assert shop.trials() == []


def test_what_only_the_start_itself_shows_ends_the_agent_and_the_trial_waits_again(shop: Workshop) -> None:
    shop.create(command=["./train.py"])
    (shop.folder / "train.py").chmod(0o755)  # but without a line that names its interpreter
    agent = shop.agent()
    assert agent.wait() == 1
    assert "it has no #! line" in agent.err
    assert set(shop.states()) == {"waiting"}
    assert all(trial.failures == trial.lost == 0 for trial in shop.trials())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("program: nosuch.py", "program 'nosuch.py' does not exist"),
        ("description: nothing to run", "names no program"),
        ("program: train.py\ncommand: [python3, '${program}', '${envvar:NO_SUCH_VARIABLE}']", "NO_SUCH_VARIABLE"),
        ("command: [nosuchprogram, '${args}']", "'nosuchprogram' was not found on PATH"),
        ("program: shadowed/train.py", "hides the package `tracking`"),
    ],
)
def test_run_leaves_no_sweep_behind_that_it_could_not_launch(shop: Workshop, lines: str, said: str) -> None:
    (shop.folder / "train.py").write_text(LOSS)
    (shop.folder / "shadowed").mkdir()
    (shop.folder / "shadowed" / "train.py").write_text(LOSS)
    (shop.folder / "shadowed" / "tracking.py").write_text("")
    (shop.folder / "sweep.yaml").write_text(f"method: random\nparameters: {{x: {{min: 0.0, max: 1.0}}}}\n{lines}\n")
    agent = shop.start([SWEEP, "run", "sweep.yaml", "--trials", "4"])
    assert agent.wait() == 1
    assert said in agent.err
    assert "Traceback" not in agent.err
    assert "Created" not in agent.out
    with closing(open_store()) as store:
        assert store.sweeps() == []


def test_a_script_that_fails_at_once_ends_the_agent_with_the_log_tail(shop: Workshop) -> None:
    shop.create("print('loading'); raise RuntimeError('no such dataset')\n", parameters=MANY)
    agent = shop.agent()
    assert agent.wait() == 1
    trials = [trial for trial in shop.trials() if trial.state is TrialState.FAILED]
    assert len(trials) == 3
    assert {trial.failure for trial in trials} == {FailureClass.CODE}
    assert "RuntimeError: no such dataset" in trials[0].reason
    assert "3 trials failed within the first 60 s" in agent.err
    assert "  | RuntimeError: no such dataset" in agent.err
    for name in ("attempt-1.log", "attempt-1.journal"):
        assert str(Path(os.environ["SWEEP_HOME"]) / "runs" / f"{shop.sweep_id}-2" / name) in agent.err
    assert "no such dataset" in shop.console(0)
    assert shop.run(0).state == "failed"
    assert shop.run(0).exit_code == 1


def test_the_failure_limits_can_be_set_and_switched_off(shop: Workshop) -> None:
    shop.create("raise SystemExit(3)\n", parameters=MANY)
    assert shop.agent("--count", "6", environ={"SWEEP_AGENT_MAX_INITIAL_FAILURES": "0"}).wait() == 0
    assert shop.count(TrialState.FAILED) == 6
    in_a_row = shop.agent("--max-consecutive-failed-runs", "2")
    assert in_a_row.wait() == 1
    assert "2 trials in a row failed" in in_a_row.err
    assert shop.count(TrialState.FAILED) == 8


def test_a_few_failures_among_many_successes_do_not_end_the_agent(shop: Workshop) -> None:
    shop.create(LOSS + "if run.config['x'] % 3 == 2: raise SystemExit('bad point')\n", parameters=MANY)
    assert shop.agent("--slots", "2").wait() == 0
    assert (shop.count(TrialState.FAILED), shop.count(TrialState.COMPLETE)) == (6, 14)


def test_a_script_that_never_calls_init_has_a_run_and_a_notice(shop: Workshop) -> None:
    shop.create("import sys\nprint('hello from', sys.argv[1])\n")
    agent = shop.agent()
    assert agent.wait() == 0
    assert [(trial.state, trial.value, trial.reason) for trial in shop.trials()] == [
        (TrialState.COMPLETE, None, "metric 'loss' was never logged")
    ] * 3
    run = shop.run(1)
    assert (run.state, run.config, run.trial, run.sweep_id) == ("finished", {"x": 1}, 1, shop.sweep_id)
    assert shop.console(1) == "hello from --x=1\n"
    (notice,) = shop.notices()
    assert "without calling tracking.init()" in notice.text
    assert notice.text in agent.err


def test_a_metric_that_is_never_logged_is_noticed_with_the_nearest_key(shop: Workshop) -> None:
    shop.create(
        "import tracking\nwith tracking.init() as run:\n    tracking.log({'val/loss': 1, 'epoch': 2})\n",
        metric={"name": "val_loss", "goal": "minimize"},
    )
    agent = shop.agent("--count", "1")
    assert agent.wait() == 0
    (notice,) = shop.notices()
    assert notice.text == "val_loss was never logged; did you mean val/loss? logged: epoch, val/loss"
    assert notice.text in agent.err
    assert shop.agent().wait() == 0
    assert len(shop.notices()) == 1
    assert {trial.reason for trial in shop.trials()} == {"metric 'val_loss' was never logged"}


def test_nan_never_becomes_a_value(shop: Workshop) -> None:
    shop.create(
        "import tracking\nrun = tracking.init()\n"
        "for value in [float('nan'), float('inf')] + [5.0, 4.0] * (run.config['x'] == 1):\n"
        "    tracking.log({'loss': value})\n",
        parameters={"x": {"values": [0, 1]}},
    )
    assert shop.agent().wait() == 0
    bad, good = shop.trials()
    assert (bad.state, bad.value, bad.length) == (TrialState.COMPLETE, None, 0)
    assert "NaN" in bad.reason
    assert (good.value, good.length) == (4.0, 2)
    assert [notice.kind for notice in shop.notices()] == ["metric-not-finite"]


def test_a_run_that_says_it_failed_has_failed_though_the_script_ends_well(shop: Workshop) -> None:
    shop.create(LOSS + "run.finish(exit_code=1)\n", parameters={"x": {"values": [1]}})
    assert shop.agent().wait() == 0
    assert shop.states() == ["failed"]


def test_memory_that_runs_out_is_classed_as_such(shop: Workshop) -> None:
    shop.create(LOSS + "raise MemoryError\n", parameters={"x": {"values": [1]}})
    assert shop.agent().wait() == 0
    assert shop.trials()[0].failure is FailureClass.OOM


def test_the_parameters_of_a_crash_by_the_programs_own_fault_are_to_blame(shop: Workshop) -> None:
    shop.create(LOSS + "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", parameters={"x": {"values": [1]}})
    assert shop.agent().wait() == 0
    (trial,) = shop.trials()
    assert (trial.state, trial.failure, trial.attempt) == (TrialState.FAILED, FailureClass.CODE, 1)
    assert "SIGSEGV" in trial.reason


def test_a_file_that_hides_tracking_from_the_script_is_named(shop: Workshop) -> None:
    (shop.folder / "tracking.py").write_text("")
    shop.create()
    agent = shop.agent()
    assert agent.wait() == 1
    assert f"{shop.folder}/tracking.py hides the package `tracking`" in agent.err
    assert shop.trials() == []


@pytest.mark.parametrize(("name", "on_path"), [("agent", True), ("agent", False), ("sweeps", False)])
def test_a_file_beside_the_script_that_hides_what_it_does_not_need_is_only_named(
    shop: Workshop, name: str, on_path: bool
) -> None:
    (shop.folder / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    shop.create()
    agent = shop.agent(environ={"PYTHONPATH": str(shop.folder)} if on_path else {})
    assert agent.wait() == 0, agent.err
    assert f"{shop.folder}/{name}.py hides the package `{name}`" in agent.err
    assert shop.count(TrialState.COMPLETE) == 3


def test_an_unknown_sweep_id_names_the_nearest(shop: Workshop) -> None:
    sweep_id = shop.create()
    wrong = sweep_id[:6] + ("zz" if not sweep_id.endswith("zz") else "yy")
    agent = shop.start([SWEEP, "agent", wrong])
    assert agent.wait() == 1
    assert wrong in agent.err
    assert sweep_id in agent.err
    assert "Traceback" not in agent.err


def test_an_unknown_id_without_any_store_makes_none(shop: Workshop, home: Path) -> None:
    agent = shop.start([SWEEP, "agent", "nosuch12"])
    assert agent.wait() == 1
    assert "no sweep" in agent.err
    assert not home.exists()


def test_numbers_that_make_no_sense_are_refused(shop: Workshop) -> None:
    shop.create()
    for arguments in (["--slots", "0"], ["--count", "0"], ["--slots", "two"], ["--grace", "-3"]):
        agent = shop.agent(*arguments)
        assert agent.wait() == 2
        assert "Traceback" not in agent.err
    assert shop.trials() == []


def test_a_sweep_that_is_deleted_ends_its_agent(shop: Workshop) -> None:
    deleted = shop.create()
    sweeps.get(deleted).pause()
    agent = shop.agent()
    wait_for(shop.agents, "the agent is known")
    assert shop.start([SWEEP, "delete", deleted, "--yes"]).wait() == 0
    assert agent.wait() == 1
    assert deleted in agent.err
    assert "Traceback" not in agent.err
