"""Api(): runs that real processes recorded, read, edited, stopped and deleted; and the sweeps above them."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import polars
import pytest

import tracking
from sweeps.errors import BudgetTooSmall, SweepNotFound
from tests.acceptance.desk import Run as CommandLine
from tests.acceptance.desk import told
from tests.acceptance.tracked import Training, wait_until
from tests.acceptance.workshop import SLOW, Workshop, shop  # noqa: F401  a fixture
from tests.contract.store_examples import floats, further, started
from tracking.errors import FileMissing, RunNotFound, UsageError
from tracking.public.api import Api
from tracking.states import RunState
from tracking.store import open_store
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore, SeriesPart


@pytest.fixture
def store(home: Path) -> Iterator[RunStore]:
    opened = open_store()
    yield opened
    opened.close()


@pytest.fixture
def api(home: Path) -> Iterator[Api]:
    with tracking.Api(overrides={"project": "demo"}, api_key="ignored", timeout=19) as made:
        yield made


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    folder = tmp_path / "work"
    folder.mkdir()
    with Training(folder, home, {"SWEEP_SYSTEM": "off", "SWEEP_DISABLE_GIT": "true"}) as made:
        yield made


def some_run(store: RunStore, run_id: str = "r1", **fields: Any) -> None:
    start = RunStart(run_id, "demo", name=f"name of {run_id}", started_at=1000.0, **fields)
    end = RunEnd(RunState.FINISHED, exit_code=0, at=1100.0)
    store.apply([RunBatch(run_id, 1, 0, 100, start=start, last_step=9, summary={"loss": 0.5}, end=end)])


# -- runs -----------------------------------------------------------------------------------------


def test_what_a_script_recorded_is_read_back(training: Training) -> None:
    training.run(
        """
        import tracking
        with tracking.init(project="demo", entity="lab", id="r", name="first", config={"lr": 0.1}, tags=["a"]) as run:
            for step in range(1000):
                run.log({"loss": 1 / (step + 1), "acc": step / 1000})
            run.summary["best"] = 3
            print("hello from the run")
        """
    )
    training.ended()
    api = tracking.Api()
    run = api.run("lab/demo/r")
    assert (run.id, run.name, run.display_name, run.project, run.entity) == ("r", "first", "first", "demo", "lab")
    assert (run.state, run.tags, run.lastHistoryStep, run.user, run.url) == ("finished", ["a"], 999, "", None)
    assert run.path == ["lab", "demo", "r"]
    assert (run.config, run.config.lr) == ({"lr": 0.1}, 0.1)
    assert run.summary["best"] == 3
    assert run.summary.loss == 0.001
    assert run.created_at.endswith("Z")
    assert run.metadata["program"].endswith("train.py")
    frame = run.history()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["_step", "acc", "loss", "_runtime", "_timestamp"]
    assert frame["loss"].max() == 1.0
    assert frame["_step"].is_monotonic_increasing
    rows = list(run.scan_history())
    assert len(rows) == 1000
    assert rows[7].keys() == {"_step", "_runtime", "_timestamp", "loss", "acc"}
    assert list(run.scan_history(keys=["acc"], min_step=10, max_step=12)) == [{"acc": 0.01}, {"acc": 0.011}]
    wait_until("the output is in the store", lambda: "output.log" in [file.name for file in run.files()])
    assert b"hello from the run" in run.file("output.log").read()
    assert [found.id for found in api.runs("lab/demo", {"config.lr": {"$lt": 1}})] == ["r"]
    assert [project.name for project in api.projects()] == ["demo"]


def test_the_examples_of_wandb_for_its_api_mean_the_same(store: RunStore) -> None:
    for number in range(7):
        some_run(store, f"r{number}", config={"lr": number / 10}, tags=("base",) if number % 2 else ())
    import tracking as wandb

    api = wandb.Api()
    runs = api.runs(path="demo", filters={"$and": [{"tags": "base"}, {"config.lr.value": {"$gte": 0.3}}]})
    assert len(runs) == 2
    assert [run.id for run in runs] == ["r3", "r5"]
    best = api.runs("demo", order="-config.lr")[0]
    assert best.id == "r6"
    assert [run.summary._json_dict for run in runs] == [{"loss": 0.5}] * 2
    assert [{k: v for k, v in run.config.items() if not k.startswith("_")} for run in runs] == [
        {"lr": 0.3},
        {"lr": 0.5},
    ]


def test_runs_are_a_lazy_sequence(store: RunStore, api: Api) -> None:
    for number in range(23):
        some_run(store, f"r{number:02}")
    runs = api.runs(per_page=5, order="+name")
    assert len(runs) == 23
    assert bool(runs)
    assert runs[0].id == "r00"
    assert runs[-1].id == "r22"
    assert [run.id for run in runs[3:6]] == ["r03", "r04", "r05"]
    assert [run.id for run in runs[20:]] == ["r20", "r21", "r22"]
    assert [run.id for run in runs[::-10]] == ["r22", "r12", "r02"]
    assert runs[9:2] == []
    seen = []
    for run in runs:
        seen.append(run.id)
        if len(seen) == 3:
            some_run(store, "a0")  # comes first in this order, and shifts nothing
            store.delete_runs(["r20"])
    assert seen == [f"r{number:02}" for number in range(23) if number != 20]
    with pytest.raises(IndexError):
        runs[99]
    assert not api.runs("elsewhere")


def test_an_unknown_run_names_the_nearest(store: RunStore, api: Api) -> None:
    some_run(store, "abcd1234", entity="lab")
    with pytest.raises(RunNotFound, match="Did you mean 'abcd1234'"):
        api.run("demo/abcd1243")
    with pytest.raises(RunNotFound, match="Did you mean 'abcd1234'"):
        api.run("name of abcd1243")
    with pytest.raises(RunNotFound, match="Did you mean 'lab/demo/abcd1234'"):
        api.run("other/abcd1234")
    with pytest.raises(UsageError):
        api.run("a/b/c/d")
    assert api.run("lab/demo/runs/abcd1234").id == "abcd1234"


# -- editing --------------------------------------------------------------------------------------


def test_what_is_edited_is_stored_and_the_history_stays(store: RunStore, api: Api) -> None:
    store.apply([started("r1", start=RunStart("r1", "demo", config={"lr": 0.1, "old": 1, "n": {"a": 1}}), to=100)])
    store.apply([further("r1", history={"loss": floats([0, 1])}, summary={"loss": math.nan, "acc": {"max": 1}})])
    run = api.run("r1")
    run.config["new"] = [1, {"x": None}]
    run.config["n"]["a"] = 2
    del run.config["old"]
    run.name = "renamed"
    run.tags.append("tag")
    run.group = "g"
    run.update()
    run.summary["x"] = 1
    run.summary.update({"acc": {"min": 0}})
    again = api.run("r1")
    assert again.config == {"lr": 0.1, "n": {"a": 2}, "new": [1, {"x": None}]}
    assert (again.name, again.tags, again.group) == ("renamed", ["tag"], "g")
    assert again.summary["x"] == 1
    assert again.summary["acc"] == {"max": 1, "min": 0}
    assert math.isnan(again.summary["loss"])
    assert [row["loss"] for row in again.scan_history()] == [0.0, 0.5]
    assert (run.config, run.tags) == (again.config, again.tags)
    run.config["bad"] = list(range(20_000))
    with pytest.raises(UsageError, match="config 'bad'"):
        run.update()


def test_an_edit_that_was_not_stored_is_forgotten_by_load(store: RunStore, api: Api) -> None:
    some_run(store)
    run = api.run("r1")
    run.config["x"] = 1
    run.name = "y"
    assert (run.load().config, run.name) == ({}, "name of r1")
    store.delete_runs(["r1"])
    with pytest.raises(RunNotFound):
        run.load()


def test_deleting_a_run_takes_its_folder_and_a_running_one_is_refused(store: RunStore, api: Api, home: Path) -> None:
    some_run(store)
    (home / "runs" / "r1").mkdir(parents=True)
    store.apply([started("busy", start=RunStart("busy", "demo"))])
    api.run("r1").delete()
    assert not (home / "runs" / "r1").exists()
    with pytest.raises(UsageError, match="running"):
        api.run("busy").delete()
    assert [run.id for run in api.runs()] == ["busy"]


# -- histories and frames ---------------------------------------------------------------------------


def test_a_thinned_history_keeps_the_extremes_and_whole_rows(store: RunStore, api: Api) -> None:
    steps = list(range(50_000))
    wave = [math.sin(step / 3000) for step in steps]
    wave[31_234] = 99.0
    epoch = SeriesPart("int", steps[::1000], list(range(50)))
    history = {"wave": floats(steps, wave), "step2": SeriesPart("int", steps, [2 * step for step in steps])}
    store.apply([started("r1", start=RunStart("r1", "demo"), history={**history, "epoch": epoch})])
    run = api.run("r1")
    rows = run.history(samples=300, pandas=False)
    assert len(rows) <= 300
    assert max(row["wave"] for row in rows) == 99.0
    assert all(row["step2"] == 2 * row["_step"] and row["wave"] == wave[row["_step"]] for row in rows)
    assert len(run.history(samples=500, keys=["wave"], pandas=False)) <= 500
    both = run.history(keys=["wave", "epoch"], pandas=False)
    assert [row["epoch"] for row in both] == list(range(50))
    assert list(both[0]) == ["_step", "wave", "epoch"]
    by_epoch = run.history(keys=["wave"], x_axis="epoch", samples=20, pandas=False)
    assert len(by_epoch) <= 20
    assert [row["epoch"] for row in by_epoch] == sorted(row["epoch"] for row in by_epoch)
    assert run.history(keys=["wave", "missing"], pandas=False) == []
    assert isinstance(run.history(pandas="polars"), polars.DataFrame)
    with pytest.raises(UsageError, match="stream='gpu'"):
        run.history(stream="gpu")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="samples=0"):
        run.history(samples=0)
    assert sum(1 for _ in run.scan_history(page_size=100)) == 50_000


def test_what_the_machine_did_is_a_stream_of_its_own(store: RunStore, api: Api) -> None:
    from tracking.home import part_id

    part = part_id("r1", "system")
    store.apply([started("r1", start=RunStart("r1", "demo"), history={"loss": floats([0, 1])}, last_step=1)])
    machine = {"system/cpu": floats([0, 1, 2]), "_timestamp": floats([0, 1, 2])}
    store.apply([started(part, start=RunStart(part, "demo", part_of="r1"), history=machine)])
    run = api.run("r1")
    assert [row["_step"] for row in run.scan_history()] == [0, 1]
    assert [info.key for info in run.logged_keys()] == ["loss"]
    assert [row["system/cpu"] for row in run.history(stream="system", pandas=False)] == [0.0, 0.5, 1.0]
    assert list(run.history(stream="events").columns)[:2] == ["_step", "system/cpu"]
    assert run.system_metrics == {"system/cpu": 1.0}


def test_many_runs_become_one_frame(store: RunStore, api: Api) -> None:
    for number in range(3):
        start = RunStart(f"r{number}", "demo", config={"lr": number, "only": 1} if number else {"lr": number})
        store.apply([started(f"r{number}", start=start, history={"loss": floats([0, 1])}, summary={"loss": 0.5})])
    frame = api.runs().to_frame()
    assert list(frame["config.lr"]) == [0, 1, 2]
    assert frame["config.only"].isna().sum() == 1
    assert list(api.runs().to_frame("polars")["summary.loss"]) == [0.5] * 3
    histories = api.runs().histories(keys=["loss"], format="pandas")
    assert list(histories.columns) == ["run_id", "_step", "loss"]
    assert len(histories) == 6
    assert api.runs().histories(samples=1)[0]["run_id"] == "r0"
    with pytest.raises(UsageError, match="arrow"):
        api.runs().histories(format="arrow")  # type: ignore[arg-type]


# -- files ------------------------------------------------------------------------------------------


def test_files_are_uploaded_found_and_downloaded(store: RunStore, api: Api, tmp_path: Path) -> None:
    some_run(store)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "sub" / "model.bin").write_bytes(b"\x00\xff" * 1000)
    run = api.run("r1")
    run.upload_file(tmp_path / "in" / "sub" / "model.bin", root=tmp_path / "in")
    assert [file.name for file in run.files(pattern="%.bin")] == ["sub/model.bin"]
    assert len(run.files(names=["other"])) == 0
    file = run.file("sub/model.bin")
    assert file.size == 2000
    out = tmp_path / "out"
    with file.download(root=out) as opened:
        assert Path(opened.name).read_bytes() == b"\x00\xff" * 1000
    with pytest.raises(FileExistsError):
        file.download(root=out)
    file.download(root=out, exist_ok=True).close()
    file.download(root=out, replace=True).close()
    assert [path.name for path in (out / "sub").iterdir()] == ["model.bin"]
    with pytest.raises(FileMissing, match=r"did you mean 'sub/model\.bin'"):
        run.file("sub/modl.bin")


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "..", "C:\\evil", "a\\..\\..\\evil", "x" * 300, "link/evil"]
)
def test_a_hostile_name_never_leaves_the_folder(store: RunStore, api: Api, tmp_path: Path, name: str) -> None:
    some_run(store)
    (tmp_path / "safe").write_bytes(b"x")
    api.run("r1").upload_file(tmp_path / "safe", root=tmp_path)
    record = store.files("r1")[0]
    api.session.queries.add_file(type(record)("r1", name, record.digest, 1, "", None, 0.0))
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(tmp_path)
    with pytest.raises((UsageError, OSError)):
        api.run("r1").file(name).download(root=out)
    assert not list(tmp_path.rglob("evil*"))
    assert sorted(path.name for path in out.iterdir()) == ["link"]


# -- stopping ---------------------------------------------------------------------------------------


def test_a_plain_run_of_this_machine_is_asked_to_stop(training: Training) -> None:
    process = training.start(
        """
        import time, tracking
        run = tracking.init(project="demo", id="r")
        run.log({"loss": 1.0})
        time.sleep(600)
        """
    )
    wait_until("the run is in the store", lambda: training.record() is not None)
    with tracking.Api() as api:
        run = api.run("r")
        run.stop()
        assert process.wait(30) != 0
        run.wait_until_finished(timeout=30, poll=0.05)
        assert run.state in ("killed", "crashed", "failed")
        with pytest.raises(UsageError, match="ended already"):
            run.stop()


def test_a_run_is_never_stopped_by_killing_somebody_else(store: RunStore, api: Api) -> None:
    here = os.uname().nodename
    later = {"host": here, "pid": os.getpid(), "started_at": 1000.0}  # before this process began
    store.apply([started("old", start=RunStart("old", "demo", **later))])  # type: ignore[arg-type]
    store.apply([started("far", start=RunStart("far", "demo", host="elsewhere", pid=1, started_at=time.time()))])
    store.apply([started("dead", start=RunStart("dead", "demo", host=here, pid=2**22 + 1, started_at=time.time()))])
    caught: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
    try:
        for run_id, words in (("old", "another one"), ("far", "elsewhere"), ("dead", "has gone")):
            with pytest.raises(UsageError, match=words):
                api.run(run_id).stop()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught == []


def test_stopping_the_run_of_a_trial_cancels_the_trial(shop: Workshop) -> None:  # noqa: F811
    shop.create(SLOW)
    agent = shop.agent("--slots", "1")
    shop.wait_running(1)
    with tracking.Api() as api:
        api.run(f"{shop.sweep_id}-0").stop()
        wait_until("the trial is canceled", lambda: shop.states()[0] == "canceled")
        api.sweep(shop.sweep_id).cancel()
    agent.wait()


# -- sweeps -------------------------------------------------------------------------------------------


def test_sweeps_are_read_and_steered(run: CommandLine) -> None:
    made = told(run, [0.5, None, 0.25])
    with tracking.Api() as api:
        sweep = api.sweep(made.id)
        assert (sweep.id, sweep.name, sweep.state, sweep.expected_run_count) == (made.id, "digits [red]", "running", 4)
        assert sweep.config["method"] == "random"
        assert [found.id for found in sweep.runs] == [f"{made.id}-{number}" for number in range(3)]
        best = sweep.best_run()
        assert best is not None
        assert best.id == f"{made.id}-2"
        assert best.sweep.id == made.id
        assert sweep.order == "+summary_metrics.loss"
        worst = sweep.best_run(order="-summary_metrics.loss")
        assert worst is not None
        assert worst.id == f"{made.id}-0"
        assert len(api.runs(made.project, include_sweeps=False)) == 0
        assert len(api.runs(made.project, {"sweep": made.id, "state": "failed"})) == 1
        sweep.pause()
        assert sweep.state == "paused"
        sweep.resume()
        sweep.edit(run_cap=9)
        assert sweep.load().expected_run_count == 9
        with pytest.raises(BudgetTooSmall):
            sweep.edit({"run_cap": 2})
        with pytest.raises(UsageError, match="'method' cannot be edited"):
            sweep.edit(method="grid")
        sweep.stop()
        assert [found.id for found in api.sweeps()] == [made.id]
        sweep.delete()
        assert api.sweeps() == []
        assert len(api.runs()) == 0
        with pytest.raises(SweepNotFound):
            api.sweep(made.id)


# -- artifacts ----------------------------------------------------------------------------------------


def test_artifacts_are_found_by_name_collection_and_run(training: Training) -> None:
    training.run(
        """
        import tracking
        for number in range(2):
            with tracking.init(project="demo", id=f"r{number}") as run:
                if number:
                    run.use_artifact("data:latest")
                artifact = tracking.Artifact(*([("data", "dataset"), ("model", "model")][number]))
                with artifact.new_file("a.txt") as file:
                    file.write(f"content {number}")
                run.log_artifact(artifact).wait()
        """
    )
    training.ended("r1")
    with tracking.Api(overrides={"project": "demo"}) as api:
        assert api.artifact("demo/data:v0", type="dataset").version == "v0"
        assert api.artifact_exists("data:latest")
        assert not api.artifact_exists("data:v9")
        assert not api.artifact_exists("data:latest", type="model")
        assert [found.name for found in api.artifacts("dataset", "demo/data")] == ["data:v0"]
        assert [found.name for found in api.artifact_collections("demo")] == ["data", "model"]
        assert [found.name for found in api.artifact_collections("demo", "model")] == ["model"]
        assert api.artifact_collection("model", "model").aliases == ["latest"]
        run = api.run("r1")
        assert [found.name for found in run.used_artifacts()] == ["data:v0"]
        assert [found.name for found in run.lineage()["logged"]] == ["model:v0"]
        with tracking.Api() as nowhere:
            assert nowhere.artifact("model:v0").type == "model"
