"""The logger with a real Trainer on the CPU."""

from __future__ import annotations

from tests.acceptance.tracked import Training

MODEL = """
import warnings; warnings.simplefilter("ignore")
import logging; logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
import torch
import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader, TensorDataset
import tracking
from tracking.integrations.lightning import SweepwrightLogger

class Model(pl.LightningModule):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, index):
        loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        self.log("train/loss", loss)
        return loss
    def validation_step(self, batch, index):
        self.log("val/loss", torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1]))
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

torch.manual_seed(0)
x = torch.randn(32, 4)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8)

def fit(logger, epochs=3, **options):
    trainer = pl.Trainer(logger=logger, max_epochs=epochs, log_every_n_steps=1, enable_progress_bar=False,
                         enable_model_summary=False, accelerator="cpu", **options)
    model = Model()
    trainer.fit(model, data, data)
    return trainer, model
"""


def test_a_trainer_records_metrics_hyperparameters_and_every_checkpoint(training: Training) -> None:
    training.run(
        MODEL
        + """
logger = SweepwrightLogger(project="lit", name="first", id="r", log_model="all", tags=["baseline"], prefix="")
trainer, model = fit(logger, callbacks=[ModelCheckpoint(monitor="val/loss", mode="min", save_top_k=2)])
assert logger.name == "lit" and logger.version == "r"
assert [entry is logger for entry in trainer.loggers] == [True]
tracking.finish()
"""
    )
    run = training.ended()
    assert (run.project, run.name, run.tags, run.state) == ("lit", "first", ("baseline",), "finished")
    assert run.config["lr"] == 0.1
    assert len(training.values("train/loss")) == 12
    assert len(training.values("val/loss")) == 3
    assert training.values("trainer/global_step")[-1] == 11
    training.run(
        """
import tracking, torch
api = tracking.Api()
artifact = api.artifact("lit/model-r:best")
folder = artifact.download()
state = torch.load(f"{folder}/model.ckpt", weights_only=False)
assert state["epoch"] == 2, state["epoch"]
assert artifact.metadata["ModelCheckpoint"]["monitor"] == "val/loss", artifact.metadata
assert next(iter(api.artifacts("model", "lit/model-r"))).version == artifact.version  # newest first
"""
    )


def test_the_best_checkpoint_is_recorded_at_the_end_with_log_model_true(training: Training) -> None:
    training.run(
        MODEL
        + """
logger = SweepwrightLogger(project="lit", id="r", log_model=True, save_dir="logs/")
fit(logger, callbacks=[ModelCheckpoint(monitor="val/loss")])
tracking.finish()
"""
    )
    assert training.ended().state == "finished"
    training.run("import tracking\nassert len(tracking.Api().artifacts('model', 'lit/model-r')) == 1\n")


def test_media_tables_and_watch_go_through_the_logger(training: Training) -> None:
    training.run(
        MODEL
        + """
import numpy
logger = SweepwrightLogger(project="lit", id="r", prefix="net")
model = Model()
logger.watch(model, log="all", log_freq=1)
trainer = pl.Trainer(logger=logger, max_epochs=1, log_every_n_steps=1, enable_progress_bar=False,
                     enable_model_summary=False, enable_checkpointing=False, accelerator="cpu")
trainer.fit(model, data)
logger.log_image("pictures", [numpy.zeros((4, 4, 3), numpy.uint8)] * 2, caption=["a", "b"])
logger.log_text("words", columns=["said"], data=[["yes"], ["no"]])
logger.log_audio("sounds", [numpy.zeros(100)], sample_rate=[8000])
logger.experiment.unwatch(model)
tracking.finish()
"""
    )
    run = training.ended()
    assert run.summary["net-pictures"]["captions"] == ["a", "b"]
    assert run.summary["net-words"]["nrows"] == 2
    assert run.summary["net-sounds"]["_type"] in ("audio", "audio-file")
    assert run.summary["gradients/layer.weight"]["_type"] == "histogram"
    assert run.summary["parameters/layer.weight"]["_type"] == "histogram"


def test_an_offline_logger_needs_no_store(training: Training, home: object) -> None:
    training.run(
        MODEL
        + """
import os
logger = SweepwrightLogger(offline=True, id="r")
fit(logger, epochs=1)
tracking.finish()
assert not os.path.exists(os.environ["SWEEP_HOME"] + "/store.db")
"""
    )
    assert training.record() is None


def test_a_missing_lightning_is_said_with_its_pip_line(training: Training) -> None:
    done = training.run(
        """
import sys
sys.modules["lightning"] = sys.modules["pytorch_lightning"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ("lightning", "pytorch_lightning") else find(name, *more)
try:
    import tracking.integrations.lightning
except ImportError as error:
    print(error)
"""
    )
    assert "pip install lightning" in done.stdout
