"""Several processes and one run: shared runs, the ranks of a distributed training, forks, nested runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training, wait_until
from tracking.home import part_id
from tracking.states import RunState


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


def test_several_processes_write_one_shared_run(training: Training) -> None:
    training.run(
        """
        import subprocess, sys, tracking
        run = tracking.init(id="r", mode="shared", config={"lr": 1})
        assert run.part == "" and not run.offline
        code = (
            "import sys, tracking\\n"
            "run = tracking.init(id='r', mode='shared', settings=tracking.Settings(x_label='worker'))\\n"
            "for i in range(5): run.log({'rank' + sys.argv[1]: i, 'both': 10 + i})\\n"
            "print(run.part)\\n"
        )
        workers = [subprocess.Popen([sys.executable, "-c", code, str(n)], stdout=subprocess.PIPE, text=True)
                   for n in (1, 2, 3)]
        for i in range(4): run.log({"loss": i, "both": i})
        parts = sorted(worker.communicate()[0].split()[-1] for worker in workers)
        assert parts == ["w1", "w2", "w3"], parts
        """
    )
    assert training.ended().state is RunState.FINISHED
    for part in ("w1", "w2", "w3"):
        assert training.ended(part_id("r", part)).part_of == "r"
    with training.store() as store:
        assert [run.id for run in store.runs()] == ["r"]
        assert {"loss", "both", "rank1", "rank2", "rank3"} <= {info.key for info in store.keys("r")}
        assert list(store.series("r", "both").values) == [0, 1, 2, 3, 14]
        assert list(store.series("r", "rank2").values) == [0, 1, 2, 3, 4]
        assert store.run("r").config == {"lr": 1}


def test_a_shared_writer_that_may_not_lead_waits_for_the_one_that_does(training: Training) -> None:
    code = """
        import sys, time, tracking
        primary = sys.argv[1] == "main"
        if primary: time.sleep(1.0)
        settings = tracking.Settings(mode="shared", x_primary=primary)
        run = tracking.init(id="r", settings=settings)
        run.log({sys.argv[1]: 1})
        print(repr(run.part), run.attempt, flush=True)
        time.sleep(1.5)
        """
    script = training.start(code, "worker")
    done = training.run(code, "main")
    out, err = script.communicate(timeout=30)
    assert (out, done.stdout) == ("'w1' 1\n", "'' 1\n"), err
    assert training.ended().state is RunState.FINISHED


def test_only_rank_0_writes_under_torchrun(training: Training) -> None:
    code = """
        import os, tracking
        run = tracking.init(id="r", config={"lr": 1})
        run.log({"rank": int(os.environ["RANK"])})
        print(run.disabled, run.config.lr)
        """
    first = training.run(code, RANK="1", LOCAL_RANK="1", WORLD_SIZE="3")
    third = training.run(code, RANK="2", LOCAL_RANK="2", WORLD_SIZE="3")
    assert first.stdout == third.stdout == "True 1\n"
    assert "only rank 0 records this run" in first.stderr
    assert third.stderr == ""
    assert not training.home.exists()
    assert training.run(code, RANK="0", LOCAL_RANK="0", WORLD_SIZE="3").stdout == "False 1\n"
    training.ended()
    assert training.values("rank") == [0]


def test_every_rank_writes_a_shared_run(training: Training) -> None:
    code = """
        import os, time, tracking
        run = tracking.init(id="r", mode="shared")
        run.log({"rank" + os.environ["RANK"]: 1})
        time.sleep(2)
        """
    ranks = [training.start(code, RANK=str(n), LOCAL_RANK=str(n), WORLD_SIZE="3") for n in (2, 1, 0)]
    for process in ranks:
        assert process.wait(timeout=60) == 0
    assert training.ended().part_of == ""
    wait_until(
        "the parts are there", lambda: training.record(part_id("r", "w1")) and training.record(part_id("r", "w2"))
    )
    training.ended(part_id("r", "w1")), training.ended(part_id("r", "w2"))
    with training.store() as store:
        assert {"rank0", "rank1", "rank2"} <= {info.key for info in store.keys("r")}


def test_a_fork_while_threads_log_neither_hangs_nor_writes(training: Training) -> None:
    training.run(
        """
        import os, threading, time, tracking
        run = tracking.init(id="r")
        stop = threading.Event()
        def work(name):
            i = 0
            while not stop.is_set():
                run.log({name: i, "text": "x" * 100}); i += 1
        threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(3)]
        for t in threads: t.start()
        pids = []
        for _ in range(40):
            pid = os.fork()
            if pid == 0:
                run.log({"child": 1.0}); tracking.log({"child": 2.0}); run.config.update({"child": 1})
                run.summary["child"] = 1; run.define_metric("child", summary="min"); run.finish()
                os._exit(0)
            pids.append(pid)
            time.sleep(0.005)
        deadline = time.monotonic() + 20
        while pids and time.monotonic() < deadline:
            pids = [pid for pid in pids if os.waitpid(pid, os.WNOHANG)[0] == 0]
            time.sleep(0.01)
        stop.set()
        for t in threads: t.join()
        assert not pids, "a child hangs"
        """
    )
    record = training.ended()
    assert record.state is RunState.FINISHED
    assert "child" not in record.config
    with training.store() as store:
        assert "child" not in {info.key for info in store.keys("r")}
        for name in ("t0", "t1", "t2"):
            values = list(store.series("r", name).values)
            assert values == list(range(len(values)))


def test_nested_runs_log_each_to_itself(training: Training) -> None:
    training.run(
        """
        import tracking
        outer = tracking.init(id="outer")
        with tracking.init(id="inner", reinit="create_new") as inner:
            inner.log({"v": 1}); tracking.log({"v": 2}); outer.log({"v": 3})
            assert tracking.run is outer
        tracking.log({"v": 4})
        """
    )
    training.ended("outer"), training.ended("inner")
    assert (training.values("v", "inner"), training.values("v", "outer")) == ([1], [2, 3, 4])
