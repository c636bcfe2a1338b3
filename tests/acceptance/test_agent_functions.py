"""Sweeps of Python functions: in the main thread with one slot, in threads with more, and what their exceptions do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

import sweeps
import tracking
from agent.api import run_sweep
from agent.errors import TooManyFailures
from sweeps.control.replaying import replay
from sweeps.states import FailureClass, TrialState
from tests.acceptance.workshop import Workshop, wait_for
from tests.acceptance.workshop import shop as shop

SPEC: dict[str, Any] = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"opt": {"parameters": {"lr": {"values": [0.5, 0.25]}}}, "x": {"values": [1, 2, 3]}},
}


def create(shop: Workshop, **spec: Any) -> str:
    return shop.create(None, **{**SPEC, "program": None, **spec})


@pytest.mark.parametrize("slots", [1, 2])
def test_a_function_sees_its_parameters_and_its_metric_counts(shop: Workshop, slots: int) -> None:
    sweep_id = create(shop)
    threads = set()

    def train() -> None:
        tracking.init()
        threads.add(threading.current_thread())
        for step in range(3):
            tracking.log({"loss": tracking.config["x"] * tracking.config["opt"]["lr"] / (step + 1)})

    run_sweep(sweep_id, function=train, slots=slots, quiet=True)
    trials = shop.trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 6
    assert [trial.value for trial in trials] == [t.params["x"] * t.params["opt.lr"] / 3 for t in trials]
    assert {trial.length for trial in trials} == {3}
    assert shop.run(4).state == "finished"
    assert (threads == {threading.main_thread()}) is (slots == 1)


@pytest.mark.parametrize("slots", [1, 2])
def test_an_exception_fails_that_trial_only(shop: Workshop, slots: int) -> None:
    sweep_id = create(shop)

    def train() -> None:
        run = tracking.init()
        tracking.log({"loss": 1.0})
        if run.config["x"] == 2:
            raise RuntimeError("bad point")

    run_sweep(sweep_id, function=train, slots=slots, quiet=True)
    failed = [trial for trial in shop.trials() if trial.state is TrialState.FAILED]
    assert [trial.params["x"] for trial in failed] == [2, 2]
    assert {(trial.reason, trial.failure) for trial in failed} == {("RuntimeError: bad point", FailureClass.CODE)}
    assert "RuntimeError: bad point" in shop.console(failed[0].number)
    assert shop.run(failed[0].number).state == "failed"
    assert shop.count(TrialState.COMPLETE) == 4


def test_too_many_failures_are_raised_with_the_traceback(shop: Workshop) -> None:
    sweep_id = create(shop)

    def train() -> None:
        raise RuntimeError("no data")

    with pytest.raises(TooManyFailures, match="RuntimeError: no data"):
        run_sweep(sweep_id, function=train, quiet=True)
    assert shop.count(TrialState.FAILED) == 5


def test_early_exceptions_among_successes_never_end_a_sweep_of_functions(shop: Workshop) -> None:
    sweep_id = create(shop, parameters={"k": {"values": list(range(10))}})

    def train() -> None:
        if tracking.init().config["k"] != 3:
            raise ValueError("impossible")
        tracking.log({"loss": 1.0})

    run_sweep(sweep_id, function=train, quiet=True)
    assert (shop.count(TrialState.FAILED), shop.count(TrialState.COMPLETE)) == (9, 1)


def test_failures_in_a_row_end_a_sweep_of_functions_when_wanted(shop: Workshop) -> None:
    sweep_id = create(shop)

    def train() -> None:
        raise RuntimeError("no data")

    with pytest.raises(TooManyFailures, match="2 trials in a row failed"):
        run_sweep(sweep_id, function=train, quiet=True, max_consecutive_failures=2)
    assert shop.count(TrialState.FAILED) == 2


BAYES: dict[str, Any] = {
    "method": "bayes",
    "seed": 11,
    "run_cap": 25,
    "parameters": {"x": {"min": -2.0, "max": 2.0}, "n": {"min": 1, "max": 9}, "c": {"values": ["a", "b"]}},
}


def test_the_same_seed_gives_a_bayes_search_the_same_points_on_every_run(shop: Workshop) -> None:
    def train() -> None:
        with tracking.init() as run:
            tracking.log({"loss": (run.config["x"] - 0.5) ** 2 + run.config["n"] / 9})

    runs = []
    for _ in range(2):
        sweep_id = create(shop, **BAYES)
        run_sweep(sweep_id, function=train, quiet=True)
        trials = shop.trials()
        runs.append([trial.params for trial in trials])
        assert [trial.seen for trial in trials] == list(range(25))  # each knew of all the ends before it
        assert [one.number for one in replay(sweeps.get(sweep_id).spec, trials) if not one.equal] == []
    assert runs[0] == runs[1]


def test_a_count_that_spends_the_budget_finishes_the_sweep(shop: Workshop) -> None:
    sweep_id = create(shop, method="random", parameters={"x": {"min": 0.0, "max": 1.0}}, run_cap=2)
    run_sweep(sweep_id, function=lambda: None, count=1, quiet=True)
    assert shop.sweep_state() == "running"
    run_sweep(sweep_id, function=lambda: None, count=1, quiet=True)
    assert shop.sweep_state() == "finished"


def test_started_is_said_when_the_call_begins(shop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    sweep_id = create(shop, parameters={"x": {"values": list(range(30))}})
    run_sweep(sweep_id, function=lambda: print("now", tracking.init().config["x"]))
    lines = [line for line in capsys.readouterr().out.splitlines() if "started" in line or "now" in line]
    assert lines == [text for x in range(30) for text in (f"trial {x} started: x={x}", f"now {x}")]


def test_a_count_takes_exactly_so_many(shop: Workshop) -> None:
    sweep_id = create(shop, parameters={"x": {"values": list(range(200))}})
    calls = []
    run_sweep(sweep_id, function=lambda: calls.append(1), count=50, slots=2, quiet=True)
    assert len(calls) == 50
    trials = shop.trials()
    assert sum(trial.state is TrialState.COMPLETE for trial in trials) == 50
    assert {trial.state for trial in trials} <= {TrialState.COMPLETE, TrialState.WAITING}
    run_sweep(sweep_id, function=lambda: None, slots=2, quiet=True)
    assert shop.count(TrialState.COMPLETE) == 200
    assert {trial.lost for trial in shop.trials()} == {0}


def test_a_function_without_init_has_a_run_too(shop: Workshop) -> None:
    sweep_id = create(shop)
    run_sweep(sweep_id, function=lambda: None, count=1, quiet=True)
    assert (shop.run(0).state, shop.run(0).config) == ("finished", {"opt": {"lr": 0.5}, "x": 1})
    assert [notice.kind for notice in shop.notices()] == ["no-init"]


def test_sys_exit_is_an_exit_status(shop: Workshop) -> None:
    sweep_id = create(shop, parameters={"x": {"values": [0, 3]}})

    def train() -> None:
        run = tracking.init()
        tracking.log({"loss": 1})
        sys.exit(run.config["x"])

    run_sweep(sweep_id, function=train, quiet=True)
    assert shop.states() == ["complete", "failed"]


@pytest.mark.parametrize("slots", [1, 2])
def test_cancel_stops_a_function_at_its_next_log(shop: Workshop, slots: int) -> None:
    sweep_id = create(shop)
    started = threading.Event()

    def train() -> None:
        tracking.init()
        while True:
            tracking.log({"loss": 1.0})
            started.set()

    def cancel() -> None:
        started.wait(20)
        sweeps.get(sweep_id).cancel()

    canceler = threading.Thread(target=cancel)
    canceler.start()
    run_sweep(sweep_id, function=train, slots=slots, quiet=True)
    canceler.join()
    assert set(shop.states()) == {"canceled"}
    assert shop.run(0).state == "killed"


def test_ctrl_c_ends_the_function_and_the_agent(shop: Workshop) -> None:
    sweep_id = create(shop)
    script = shop.folder / "notebook.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import time, sweeps, tracking
            def train():
                tracking.init()
                tracking.log({{"loss": 1}})
                print("here", flush=True)
                time.sleep(60)
            try:
                sweeps.agent("{sweep_id}", function=train)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=shop.folder)
    assert process.stdout is not None
    with process.stdout:
        while "here" not in (line := process.stdout.readline()):
            assert line, "it ended too early"
        process.send_signal(signal.SIGINT)
        assert "interrupted" in process.stdout.read()
    assert process.wait(20) == 0
    assert shop.trials()[0].state is TrialState.WAITING
    assert shop.run(0).state == "preempted"


def test_a_killed_process_of_functions_loses_its_trial_to_another(shop: Workshop) -> None:
    sweep_id = create(shop, parameters={"x": {"values": [1]}})
    code = f"import sweeps, time; sweeps.agent('{sweep_id}', function=lambda: time.sleep(60))"
    environ = {**os.environ, "SWEEP_LEASE": "1"}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.DEVNULL)
    wait_for(lambda: shop.count(TrialState.RUNNING) == 1, "it runs")
    process.kill()
    process.wait()
    run_sweep(sweep_id, function=lambda: None, quiet=True)
    (trial,) = shop.trials()
    assert (trial.state, trial.attempt, trial.lost) == (TrialState.COMPLETE, 2, 1)


def test_the_program_of_a_sweep_runs_from_python_too(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep_id = shop.create()
    monkeypatch.chdir(shop.folder)
    run_sweep(sweep_id, slots=2, quiet=True)
    assert [trial.value for trial in shop.trials()] == [0.0, 1.0, 2.0]


def test_the_caller_s_signal_handlers_come_back(shop: Workshop, home: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    run_sweep(create(shop), function=lambda: None, slots=2, quiet=True)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
