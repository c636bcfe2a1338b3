"""`sweep import` on what the real libraries wrote."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from zlib import crc32

import pytest

from tests.acceptance.tracked import Training
from tests.acceptance.workshop import SWEEP
from tracking.errors import UsageError
from tracking.importing import wandb as wandb_importer
from tracking.importing.wandb_file import records
from tracking.store.contract import RunRecord

WANDB = """
import numpy, wandb
with wandb.init(project="p", name="n", id="abc123", mode="offline", config={"lr": 0.1, "nest": {"a": 1}}, tags=["t"],
                notes="hello", group="g", job_type="train") as run:
    run.define_metric("val/*", step_metric="epoch", summary="min")
    for i in range(100):
        run.log({"loss": 1 / (i + 1), "epoch": i, "val/x": float("nan") if i == 2 else i, "words": "x" * 500})
    run.log({"image": wandb.Image(numpy.zeros((4, 4, 3), numpy.uint8)), "h": wandb.Histogram([1, 2, 3])})
    run.summary["best"] = 3
    print("hello console")
"""
MLFLOW = """
import mlflow, pathlib
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("exp")
pathlib.Path("note.txt").write_text("hi")
with mlflow.start_run(run_name="first") as run:
    mlflow.log_params({"lr": 0.5, "layers": 3, "fast": True, "opt": "sgd"})
    for step in range(5):
        mlflow.log_metrics({"loss": 1.0 / (step + 1), "acc": step}, step=step)
    mlflow.set_tag("team", "blue")
    mlflow.log_artifact("note.txt", "docs")
    print(run.info.run_id)
"""
TENSORBOARD = """
import numpy
from torch.utils.tensorboard import SummaryWriter
for part in ("train", "val"):
    writer = SummaryWriter(f"logs/{part}")
    for step in range(10):
        writer.add_scalar("loss", 1.0 / (step + 1), step)
    writer.add_histogram("weights", numpy.arange(100.0), 9)
    writer.add_text("note", "hi", 9)
    writer.add_image("picture", numpy.zeros((3, 4, 4), numpy.uint8), 9)
    writer.add_hparams({"lr": 0.1, "opt": "sgd"}, {"hparam/loss": 0.1}, run_name=".")
    writer.close()
"""
OPTUNA = """
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(study_name="st", storage="sqlite:///study.db", direction="maximize",
                            sampler=optuna.samplers.RandomSampler(seed=0))
def objective(trial):
    x = trial.suggest_float("x", 0, 1)
    trial.report(x / 2, 0)
    trial.report(x, 1)
    if trial.number == 1:
        raise optuna.TrialPruned()
    if trial.number == 2:
        raise ValueError("bad")
    return x
study.optimize(objective, n_trials=4, catch=(ValueError,))
"""


def sweep_import(training: Training, *words: str, status: int = 0) -> str:
    """What the command prints."""
    done = subprocess.run(
        [SWEEP, "import", *words], cwd=training.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def runs_of(training: Training, project: str) -> list[RunRecord]:
    with training.store() as store:
        return store.runs(project=project)


@pytest.fixture
def offline_wandb(training: Training) -> Path:
    training.run(WANDB, WANDB_SILENT="true")
    (file,) = training.folder.rglob("*.wandb")
    return file


def test_a_wandb_folder_becomes_a_run_with_history_config_summary_and_media(
    training: Training, offline_wandb: Path
) -> None:
    assert "Imported 1 run." in sweep_import(training, "wandb", "wandb")
    (run,) = runs_of(training, "p")
    assert (run.id, run.name, run.notes, run.group, run.job_type) == ("abc123", "n", "hello", "g", "train")
    assert (run.tags, run.state, run.exit_code) == (("t",), "finished", 0)
    assert run.config == {"lr": 0.1, "nest": {"a": 1}}
    assert len(training.values("loss", "abc123")) == 100
    assert str(training.values("val/x", "abc123")[2]) == "nan"
    assert run.summary["val/x"] == {"min": 0}
    assert run.summary["best"] == 3
    assert run.summary["image"]["_type"] == "image-file"
    with training.store() as store:
        files = {file.name: file for file in store.files("abc123")}
        assert b"hello console" in store.console("abc123")
    assert run.summary["image"]["path"] in files
    assert files[run.summary["image"]["path"]].digest == run.summary["image"]["sha256"]
    assert "1 run had been imported before" in sweep_import(training, "wandb", str(offline_wandb))
    assert len(runs_of(training, "p")) == 1


def test_a_torn_wandb_file_gives_what_is_whole_as_a_crashed_run(training: Training, offline_wandb: Path) -> None:
    data = offline_wandb.read_bytes()
    offline_wandb.write_bytes(data[: len(data) * 2 // 3])
    sweep_import(training, "wandb", "wandb")
    (run,) = runs_of(training, "p")
    assert run.state == "crashed"
    assert 10 < len(training.values("loss", "abc123")) < 100


def test_a_flipped_byte_ends_the_reading_of_a_wandb_file_before_it(offline_wandb: Path) -> None:
    sound = len(list(records(offline_wandb)))
    data = bytearray(offline_wandb.read_bytes())
    data[len(data) // 2] ^= 0xFF
    offline_wandb.write_bytes(data)
    assert 1 < len(list(records(offline_wandb))) < sound


def test_a_record_that_spans_blocks_is_put_together(tmp_path: Path) -> None:
    text = bytes(70_000)
    body = bytes([(2 << 3) | 2]) + varint(len(text)) + text
    pieces = [body[:32754], body[32754 : 32754 + 32761], body[32754 + 32761 :]]
    out = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
    for kind, piece in zip((2, 3, 4), pieces, strict=True):
        out += struct.pack("<IHB", crc32(piece, crc32(bytes((kind,)))), len(piece), kind) + piece
    (tmp_path / "x.wandb").write_bytes(out)
    (record,) = records(tmp_path / "x.wandb")
    assert len(record.text(2)) == 70_000


def test_a_file_that_is_no_wandb_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.wandb").write_bytes(b"something else")
    with pytest.raises(UsageError, match=r"is no \.wandb file"):
        list(wandb_importer.runs(tmp_path))


def test_mlflow_runs_bring_parameters_metrics_tags_and_artifacts(training: Training) -> None:
    done = training.run(MLFLOW, MLFLOW_DISABLE_TELEMETRY="true")
    run_id = done.stdout.split()[-1]
    sweep_import(training, "mlflow", "sqlite:///mlflow.db")
    (run,) = runs_of(training, "exp")
    assert (run.id, run.name, run.tags, run.state) == (run_id, "first", ("team:blue",), "finished")
    assert run.config == {"lr": 0.5, "layers": 3, "fast": True, "opt": "sgd"}
    assert training.values("loss", run_id) == [1.0, 0.5, 1 / 3, 0.25, 0.2]
    with training.store() as store:
        assert [file.name for file in store.files(run_id)] == ["docs/note.txt"]


def test_tensorboard_folders_become_runs(training: Training) -> None:
    training.run(TENSORBOARD)
    assert "Imported 2 runs." in sweep_import(training, "tensorboard", "logs")
    found = {run.name: run for run in runs_of(training, "logs")}
    assert sorted(found) == ["train", "val"]
    run = found["train"]
    assert run.config == {"lr": 0.1, "opt": "sgd"}
    assert training.values("loss", run.id) == pytest.approx([1.0 / (step + 1) for step in range(10)])
    assert sum(run.summary["weights"]["values"]) == 100
    assert run.summary["note/text_summary"] == "hi"
    with training.store() as store:
        assert [file.name for file in store.files(run.id)] == [run.summary["picture"]["path"]]


def test_what_a_summary_writer_writes_is_recorded_while_it_is_written(training: Training) -> None:
    training.run(
        """
import tracking
from torch.utils.tensorboard import SummaryWriter
run = tracking.init(project="tb", id="r", sync_tensorboard=True)
writers = [SummaryWriter("logs/train"), SummaryWriter("logs/val")]
for step in range(0, 50, 10):
    for writer in writers:
        writer.add_scalar("loss", 1.0 / (step + 1), step)
run.finish()
"""
    )
    training.ended()
    assert training.values("global_step")[-1] == 40
    assert training.values("loss") == pytest.approx([1.0 / (step + 1) for step in range(0, 50, 10)])
    assert training.values("val/loss") == training.values("loss")


def test_the_trials_of_an_optuna_study_become_runs(training: Training) -> None:
    training.run(OPTUNA)
    assert "Imported 4 runs." in sweep_import(training, "optuna", "study.db")
    found = runs_of(training, "st")
    assert [run.state for run in found] == ["finished", "finished", "failed", "finished"]
    assert found[0].summary["value"] == found[0].config["x"]
    assert training.values("value", found[1].id)[-1] == found[1].config["x"]
    assert "no study 'other'" in sweep_import(training, "optuna", "study.db", "--study", "other", status=1)


@pytest.mark.parametrize("library", ["mlflow", "tensorboard"])
def test_a_missing_library_is_said_with_its_pip_line(training: Training, library: str) -> None:
    done = training.run(
        f"""
import sys, pathlib
sys.modules["{library}"] = None
pathlib.Path("events.tfevents").touch()
import tracking.importing.{library} as importer
try:
    list(importer.runs(pathlib.Path(".") if "{library}" == "tensorboard" else "mlruns"))
except ImportError as error:
    print(error)
"""
    )
    assert f"pip install {library}" in done.stdout


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])
