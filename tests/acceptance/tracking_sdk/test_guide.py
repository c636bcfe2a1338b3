"""The guide that people know: every Python block of it runs for real, and does what it says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tracked import Training, wait_until
from tests.acceptance.tracking_sdk.guide_driver import blocks
from tracking.store.contract import RunRecord

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "tests" / "data" / "guide.md"
ORIGINAL = ROOT.parent / "shared" / "reference" / "tracking-guide.md"
BLOCKS = blocks(GUIDE)
ENVIRON = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONPATH": str(ROOT), "SWEEP_SYSTEM": "off"}


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    folder = tmp_path / "work"
    folder.mkdir()
    with Training(folder, home, dict(ENVIRON)) as prepared:
        yield prepared


def block_with(text: str) -> int:
    """The number of the one block that holds this text."""
    (number,) = (number for number, block in enumerate(BLOCKS) if text in block)
    return number


def run_block(training: Training, number: int) -> str:
    """Run a block with `import tracking as wandb`; its output."""
    driver = Path(__file__).with_name("guide_driver.py")
    done = subprocess.run(
        [sys.executable, str(driver), str(GUIDE), str(number)],
        cwd=training.folder,
        env={**os.environ, **ENVIRON},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, f"block {number}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def runs_after(training: Training, number: int) -> list[RunRecord]:
    """What the store has of the runs of a block once they ended, oldest first."""
    run_block(training, number)

    def look() -> list[RunRecord] | None:
        with training.store() as store:
            found = store.runs()
        return found if found and all(run.state != "running" for run in found) else None

    runs: list[RunRecord] = wait_until("the runs of the guide are in the store", look)
    return runs


@pytest.mark.skipif(not ORIGINAL.exists(), reason="the guide itself is only in the workshop")
def test_our_copy_of_the_blocks_is_the_guide() -> None:
    assert blocks(ORIGINAL) == BLOCKS


def test_every_block_has_its_test() -> None:
    calls = [node for node in ast.walk(ast.parse(Path(__file__).read_text())) if isinstance(node, ast.Call)]
    named = [call.args[0] for call in calls if getattr(call.func, "id", "") == "block_with"]
    texts = [name.value for name in named if isinstance(name, ast.Constant)]
    assert sorted({block_with(str(text)) for text in texts}) == list(range(len(BLOCKS)))


def test_the_core_pattern_records_config_history_and_summary(training: Training) -> None:
    (run,) = runs_after(training, block_with("run.config.batch_size = 32"))
    assert (run.project, run.name, run.state) == ("my-project", "experiment-1", "finished")
    assert run.config == {"learning_rate": 0.001, "epochs": 10, "batch_size": 32}
    assert training.values("train/loss", run.id) == [0.25] * 10
    assert training.values("epoch", run.id) == list(range(10))
    assert run.summary["best_accuracy"] == 0.9


def test_every_parameter_of_init_is_kept(training: Training) -> None:
    (run,) = runs_after(training, block_with('entity="my-team"'))
    assert (run.entity, run.project, run.name, run.id) == ("my-team", "my-project", "run-name", "unique-id")
    assert (run.tags, run.notes, run.group) == (("baseline", "v1"), "Testing new arch", "experiment-1")
    assert (run.job_type, run.config) == ("train", {"lr": 0.001, "epochs": 10})
    with training.store() as store:  # the machine's part of a run is shipped beside it
        saved = lambda: [file for file in store.files("unique-id") if file.name.startswith("code/")]  # noqa: E731
        wait_until("the script is saved", saved)


def test_metrics_go_to_their_steps_with_an_axis_of_their_own(training: Training) -> None:
    (run,) = runs_after(training, block_with('define_metric("val/*", step_metric="epoch")'))
    assert training.values("loss", run.id) == [0.5]
    assert training.values("learning_rate", run.id) == [0.001]
    assert (training.values("epoch", run.id), training.values("val/loss", run.id)) == ([5], [0.3])
    assert run.metrics["val/*"]["step_metric"] == "epoch"


def test_names_may_be_grouped(training: Training) -> None:
    (run,) = runs_after(training, block_with('"optim/lr": current_lr'))
    assert {key: run.summary[key] for key in ("train/loss", "val/loss", "test/accuracy", "optim/lr")} == {
        "train/loss": 0.5,
        "val/loss": 0.6,
        "test/accuracy": 0.7,
        "optim/lr": 1e-3,
    }


def test_the_summary_is_set_by_hand(training: Training) -> None:
    (run,) = runs_after(training, block_with('wandb.run.summary["final_loss"]'))
    assert (run.summary["best_val_accuracy"], run.summary["final_loss"]) == (0.95, 0.01)


def test_the_four_ways_of_configuration_add_up(training: Training) -> None:
    (run,) = runs_after(training, block_with("# Method 3: From argparse"))
    assert run.config == {
        "lr": 0.125,
        "epochs": 10,
        "model": "resnet50",
        "optimizer": "adamw",
        "learning_rate": 0.25,
    }


def test_tables_hold_pictures_and_data_frames(training: Training) -> None:
    (run,) = runs_after(training, block_with("wandb.Table(dataframe=df)"))
    assert (run.summary["predictions"]["_type"], run.summary["predictions"]["nrows"]) == ("table-file", 2)
    assert run.summary["my_table"]["ncols"] == 2
    with training.store() as store:
        names = [file.name for file in store.files(run.id)]
    assert sum(name.endswith(".parquet") for name in names) == 2
    assert sum(name.endswith(".png") for name in names) >= 1


def test_every_medium_is_kept_as_its_own_kind(training: Training) -> None:
    (run,) = runs_after(training, block_with("wandb.Object3D(points_array)"))
    kinds = {key: value["_type"] for key, value in run.summary.items() if isinstance(value, dict) and "_type" in value}
    assert kinds == {
        "image": "image-file",
        "images": "images/separated",
        "predictions": "image-file",
        "audio": "audio-file",
        "video": "video-file",
        "chart": "image-file",
        "gradients": "histogram",
        "point_cloud": "object3D-file",
    }
    assert run.summary["images"]["count"] == 3
    assert run.summary["predictions"]["masks"]["predictions"]
    with training.store() as store:
        files = store.files(run.id)
    assert all(file.size > 0 for file in files)


@pytest.mark.filterwarnings("ignore")
def test_lightning_trains_with_the_logger(training: Training) -> None:
    (run,) = runs_after(training, block_with("wandb_logger.watch(model"))
    assert (run.project, run.name, run.tags) == ("my-project", "experiment-1", ("baseline",))
    assert run.summary["trainer/global_step"] == 399
    assert run.summary["gradients/layer.weight"]["_type"] == "histogram"
    assert "val/loss" in run.summary
    with training.store() as store:
        assert len(store.series(run.id, "val/loss").steps) == 100


def test_alerts_are_kept_with_their_level(training: Training) -> None:
    (run,) = runs_after(training, block_with("wandb.AlertLevel.WARN"))
    with training.store() as store:
        alerts = [(alert.title, alert.text, alert.level) for alert in store.alerts(run.id)]
    assert alerts == [
        ("Training Complete", "Final accuracy: 93.00%", "INFO"),
        ("High Loss Detected", "Loss 2.0 exceeded threshold 1.0", "WARN"),
    ]


def test_a_model_goes_out_and_comes_back_as_an_artifact(training: Training) -> None:
    (run,) = runs_after(training, block_with('wandb.use_artifact("my-project/model:best")'))
    assert run.state == "finished"
    assert (training.folder / "artifacts" / "model:v0" / "model.pt").is_file()


def test_an_offline_run_is_shipped_by_sync(training: Training) -> None:
    run_block(training, block_with('wandb.init(mode="offline")'))
    sync = [str(Path(sys.executable).with_name("sweep")), "sync", "--all"]
    done = subprocess.run(sync, cwd=training.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with training.store() as store:
        assert [run.state for run in store.runs()] == ["finished"]


def test_a_run_takes_name_tags_and_group_from_the_script(training: Training) -> None:
    (run,) = runs_after(training, block_with('name=f"{model_name}-lr{lr}-bs{batch_size}"'))
    values: Any = (run.name, run.tags, run.group, run.job_type)
    assert values == ("resnet-lr0.1-bs32", ("baseline", "resnet", "imagenet"), "architecture-search", "train")
