"""Runs from init() to the store, as real scripts with a real shipper."""

from __future__ import annotations

import ast
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training, end_shippers, wait_until
from tracking.states import RunState


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


def test_everything_that_a_run_says_is_in_the_store(training: Training) -> None:
    done = training.run(
        """
        import argparse, sys
        import tracking as wandb
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.001)
        args = parser.parse_args(["--lr=0.5"])
        with wandb.init(project="digits", entity="lab", id="r", name="first", notes="n", tags=["a", "b"],
                        group="g", job_type="train", config=args) as run:
            run.config.epochs = 10
            wandb.config.update({"model": {"width": 8}})
            wandb.define_metric("val/*", step_metric="epoch")
            wandb.define_metric("loss", summary="min")
            for epoch in range(10):
                run.log({"loss": 10 - epoch, "epoch": epoch})
                wandb.log({"val/acc": epoch / 10})
            wandb.run.summary["best"] = 0.9
            print("to stdout")
            print("to stderr", file=sys.stderr)
            run.name = "renamed"
            assert (wandb.config.lr, wandb.config["lr"], run.step) == (0.5, 0.5, 20)
            assert run.path == "lab/digits/r"
        assert wandb.run is None
        """
    )
    record = training.ended()
    assert (record.state, record.exit_code, record.attempt) == (RunState.FINISHED, 0, 1)
    assert (record.project, record.entity, record.name, record.notes) == ("digits", "lab", "renamed", "n")
    assert (record.tags, record.group, record.job_type) == (("a", "b"), "g", "train")
    assert record.config == {"lr": 0.5, "epochs": 10, "model": {"width": 8}}
    assert (record.summary["loss"], record.summary["best"], record.summary["val/acc"]) == ({"min": 1}, 0.9, 0.9)
    assert record.metrics["val/*"] == {"name": "val/*", "step_metric": "epoch"}
    assert training.values("loss") == list(range(10, 0, -1))
    assert len(training.values("epoch")) == 20
    with training.store() as store:
        console = store.console("r").decode()
    assert "to stdout\n" in console
    assert "to stderr\n" in console
    assert done.stdout == "to stdout\n"
    assert "run first (r) · project digits" in done.stderr


ENDINGS = {
    "a script that ends without finish()": ("", 0, RunState.FINISHED, 0, ""),
    "an exception": ("raise ValueError('no data')", 1, RunState.FAILED, 1, "ValueError: no data"),
    "sys.exit with a status": ("import sys; sys.exit(3)", 3, RunState.FAILED, 3, "exit status 3"),
    "sys.exit with a text": ("import sys; sys.exit('bad')", 1, RunState.FAILED, 1, "exit status 1"),
    "sys.exit without one": ("import sys; sys.exit()", 0, RunState.FINISHED, 0, ""),
    "finish with a code": ("tracking.finish(exit_code=4)", 0, RunState.FAILED, 4, "exit status 4"),
    "a block that raises": (
        "with run:\n    raise KeyError('gone')",
        1,
        RunState.FAILED,
        1,
        "KeyError: 'gone'",
    ),
    "a block that exits": ("with run:\n    raise SystemExit(5)", 5, RunState.FAILED, 5, "exit status 5"),
    "os._exit": ("import os; os._exit(6)", 6, RunState.CRASHED, None, "without saying goodbye"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_however_a_script_ends_the_run_says_so(training: Training, ending: str) -> None:
    code, status, state, exit_code, reason = ENDINGS[ending]
    begin = "import tracking\nrun = tracking.init(id='r')\nrun.log({'loss': 1.0})\n"
    training.run(begin + code + "\n", status=status)
    record = training.ended()
    assert (record.state, record.exit_code) == (state, exit_code)
    assert reason in record.reason
    assert training.values("loss") == [1.0]


def test_ctrl_c_is_a_killed_run(training: Training) -> None:
    process = training.start(
        """
        import tracking, time
        run = tracking.init(id="r")
        run.log({"loss": 1.0})
        print("ready", flush=True)
        time.sleep(60)
        """
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    record = training.ended()
    assert (record.state, record.exit_code) == (RunState.KILLED, 130)


def test_a_process_killed_right_after_log_has_lost_nothing(training: Training) -> None:
    process = training.start(
        """
        import os, signal, tracking
        run = tracking.init(id="r")
        for i in range(1234):
            run.log({"loss": float(i), "i": i})
        run.log({"text": "last words"})
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    record = training.ended()
    assert record.state is RunState.CRASHED
    assert training.values("i") == list(range(1234))
    assert training.values("text") == ["last words"]


def test_rows_reach_the_store_while_the_script_runs(training: Training) -> None:
    process = training.start(
        """
        import sys, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1.0})
        sys.stdin = open(0)
        print("ready", flush=True)
        import time
        time.sleep(60)
        """
    )
    try:
        record = wait_until("the store knows the run", lambda: (r := training.record()) and r.last_step == 0 and r)
        assert record.state is RunState.RUNNING
    finally:
        process.kill()
        process.communicate()
    assert training.ended().state is RunState.CRASHED


def test_a_fork_records_nothing_and_does_not_keep_the_run_alive(training: Training) -> None:
    process = training.start(
        """
        import os, time, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1.0})
        if os.fork() == 0:
            run.log({"loss": 2.0})
            tracking.log({"loss": 3.0})
            run.config.child = 1
            run.finish()
            os.close(1); os.close(2)
            time.sleep(30)
            os._exit(0)
        run.log({"loss": 4.0})
        os._exit(7)
        """
    )
    process.communicate(timeout=20)
    assert process.returncode == 7
    record = training.ended()
    assert record.state is RunState.CRASHED
    assert training.values("loss") == [1.0, 4.0]
    assert "child" not in record.config


def test_multiprocessing_workers_do_not_end_the_run(training: Training) -> None:
    training.run(
        """
        import multiprocessing, sys, tracking
        def work(i):
            tracking.log({"worker": i})
            return i
        if __name__ == "__main__":
            run = tracking.init(id="r")
            with multiprocessing.get_context("fork").Pool(2) as pool:
                pool.map(work, range(10))
            run.log({"loss": 1.0})
        """
    )
    record = training.ended()
    assert record.state is RunState.FINISHED
    assert "worker" not in record.summary


def test_threads_log_into_the_one_run(training: Training) -> None:
    training.run(
        """
        import threading, tracking
        tracking.init(id="r")
        def work(n):
            for i in range(200):
                tracking.log({f"t{n}": i})
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [t.start() for t in threads]; [t.join() for t in threads]
        """
    )
    assert training.ended().last_step == 799
    assert all(training.values(f"t{n}") == list(range(200)) for n in range(4))


def test_a_disabled_run_needs_and_leaves_nothing(training: Training, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = training.run(
        """
        import sys, tracking
        with tracking.init(project="p", mode="disabled", config={"lr": 1}) as run:
            run.log({"loss": 0.5}); tracking.log({"loss": 0.25})
            assert run.summary["loss"] == 0.25 and tracking.config.lr == 1 and run.step == 2 and run.disabled
        assert "sqlalchemy" not in sys.modules
        """,
        SWEEP_HOME=str(file / "below"),
    )
    assert done.stderr == ""
    training.run(
        "import tracking\ntracking.init().log({'a': 1})", SWEEP_HOME=str(file / "below"), SWEEP_MODE="disabled"
    )


def test_a_home_that_cannot_be_written_is_told_with_what_to_do(training: Training, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = training.run("import tracking\ntracking.init()", status=1, SWEEP_HOME=str(file / "below"))
    assert "HomeUnwritable: cannot use the home folder" in done.stderr
    assert "Set SWEEP_HOME to a folder that you can write" in done.stderr


def test_an_offline_run_is_shipped_later_and_twice_changes_nothing(training: Training) -> None:
    training.run("import tracking\nrun = tracking.init(id='r', mode='offline')\nrun.log({'loss': 1.0})")
    assert training.record() is None
    ship = (
        "import subprocess, sys\n"
        "from tracking.home import Home\n"
        "folder = str(Home.find().run_dir('r'))\n"
        "sys.exit(subprocess.call([sys.executable, '-P', '-m', 'tracking.shipping', folder, 'r', '1']))"
    )
    training.run(ship)
    first = training.ended()
    training.run(ship)
    assert training.ended() == first
    assert (first.state, training.values("loss")) == (RunState.FINISHED, [1.0])


def test_a_resumed_run_goes_on_where_it_stopped(training: Training) -> None:
    training.run(
        "import tracking\n"
        "run = tracking.init(id='r', project='p', name='first', config={'lr': 1})\n"
        "for i in range(3): run.log({'loss': i})\n"
        "run.summary['best'] = 7\n"
    )
    training.ended()
    training.run(
        "import tracking\n"
        "run = tracking.init(id='r', resume='must', config={'more': 2})\n"
        "assert run.resumed and run.starting_step == run.step == 3 and run.name == 'first'\n"
        "assert (run.config.lr, run.config.more, run.summary['best'], run.summary['loss']) == (1, 2, 7, 2)\n"
        "for i in range(3, 5): run.log({'loss': i})\n"
    )
    record = wait_until("the second attempt is shipped", lambda: (r := training.ended()).attempt == 2 and r)
    assert training.values("loss") == [0, 1, 2, 3, 4]
    assert (record.config, record.summary["best"], record.project) == ({"lr": 1, "more": 2}, 7, "p")


def test_a_repeated_id_without_resume_begins_anew(training: Training) -> None:
    code = "import sys, tracking\nrun = tracking.init(id='r')\nrun.log({'loss': int(sys.argv[1])})"
    training.run(code, "1")
    training.ended()
    training.run(code, "2")
    wait_until("the second attempt is shipped", lambda: training.ended().attempt == 2)
    assert training.values("loss") == [2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("init(resume='must', id='nope')", "there is no run nope"),
        ("init(resume='must')", "needs the id"),
        ("init(mode='onlin')", "mode 'onlin' is none of online, offline, disabled"),
        ("init(id='a/b')", "holds '/'"),
        ("init(config='gone.yaml')", "gone.yaml does not exist"),
        ("log({'a': 1})", "call tracking.init() before log()"),
        ("config.lr", "call tracking.init() before tracking.config"),
    ],
)
def test_calls_that_make_no_sense_say_why(training: Training, call: str, message: str) -> None:
    done = training.run(f"import tracking\ntracking.{call}", status=1)
    assert message in done.stderr
    assert "UsageError" in done.stderr


def test_never_resumes_refuses_a_run_that_exists(training: Training) -> None:
    training.run("import tracking\ntracking.init(id='r')")
    done = training.run("import tracking\ntracking.init(id='r', resume='never')", status=1)
    assert "the run r exists already" in done.stderr


def test_auto_resumes_what_crashed_and_nothing_that_ended_well(training: Training) -> None:
    code = (
        "import os, sys, tracking\n"
        "run = tracking.init(resume='auto')\n"
        "print(run.id, run.resumed)\n"
        "sys.stdout.flush()\n"
        "run.log({'a': 1})\n"
        "if sys.argv[1:]: os._exit(1)\n"
    )
    crashed, _ = training.run(code, "crash", status=1).stdout.split()
    assert training.run(code).stdout.split() == [crashed, "True"]
    again, resumed = training.run(code).stdout.split()
    assert (again != crashed, resumed) == (True, "False")


def test_a_second_process_does_not_write_a_live_run(training: Training) -> None:
    done = training.run(
        """
        import subprocess, sys, tracking
        run = tracking.init(id="r")
        code = "import tracking; run = tracking.init(id='r', resume='allow'); run.log({'loss': 9}); run.finish()"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        print(child.stderr)
        run.log({"loss": 1})
        """
    )
    assert "another process writes run r" in done.stdout
    assert training.ended().attempt == 1
    assert training.values("loss") == [1]


def test_reinit_returns_finishes_or_adds(training: Training) -> None:
    training.run(
        """
        import tracking
        a = tracking.init(id="a", config={"x": 1})
        assert tracking.init(config={"x": 2}) is a and a.config.x == 2
        b = tracking.init(id="b", reinit=True)
        assert a.finished and tracking.run is b
        c = tracking.init(id="c", reinit="create_new")
        b.log({"v": 1}); c.log({"v": 2})
        """
    )
    assert [training.ended(name).state for name in "abc"] == [RunState.FINISHED] * 3
    assert (training.values("v", "b"), training.values("v", "c")) == ([1], [2])


def test_a_name_that_does_not_exist_is_an_attribute_error(training: Training) -> None:
    done = training.run(
        """
        import tracking
        run = tracking.init(mode="disabled")
        for owner, name in ((tracking, "sweep"), (tracking, "nonsense"), (run, "nonsense")):
            try:
                getattr(owner, name)
            except AttributeError as error:
                print(error)
        """
    )
    lines = done.stdout.splitlines()
    assert "sweeps.sweep()" in lines[0]
    assert all("no attribute 'nonsense'" in line for line in lines[1:])


def test_importing_tracking_brings_nothing_heavy(training: Training) -> None:
    done = training.run(
        "import sys, tracking\nrun = tracking.init(mode='offline')\nrun.log({'a': 1})\nprint(sorted(sys.modules))"
    )
    modules = set(ast.literal_eval(done.stdout))
    assert not modules & {"sqlalchemy", "numpy", "yaml", "rich", "asyncio", "optuna", "alembic", "click", "psutil"}


def test_finish_does_not_wait_long_for_a_store_that_is_away(training: Training, tmp_path: Path) -> None:
    file = tmp_path / "no-folder"
    file.write_text("")
    done = training.run(
        """
        import time, tracking
        run = tracking.init(id="r")
        run.log({"loss": 1})
        start = time.monotonic()
        run.finish()
        print(time.monotonic() - start)
        """,
        SWEEP_STORE=f"sqlite:///{file}/store.db",
    )
    assert float(done.stdout) < 2
    begun = time.monotonic()
    end_shippers(training.home)
    assert time.monotonic() - begun < 10
