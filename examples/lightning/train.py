"""The same digits with Lightning: the logger records metrics, hyperparameters and every checkpoint.

python examples/lightning/train.py --max-epochs 3
"""

from __future__ import annotations

import argparse
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

from tracking.integrations.lightning import SweepwrightLogger


class Digits(pl.LightningModule):
    """One hidden layer."""

    def __init__(self, lr: float = 0.1, width: int = 64) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Sequential(torch.nn.Linear(64, width), torch.nn.ReLU(), torch.nn.Linear(width, 10))

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        loss = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        scores = self.net(batch[0])
        self.log("val/loss", torch.nn.functional.cross_entropy(scores, batch[1]))
        self.log("val/accuracy", (scores.argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.hparams["lr"], momentum=0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=0.1)
    options = parser.parse_args()
    pl.seed_everything(0)
    digits = load_digits()
    everything = TensorDataset(torch.tensor(digits.data / 16.0, dtype=torch.float32), torch.tensor(digits.target))
    train, held = random_split(everything, [0.8, 0.2])
    logger = SweepwrightLogger(project="examples", log_model="all", tags=["lightning"])
    trainer = pl.Trainer(
        logger=logger,
        callbacks=[ModelCheckpoint(monitor="val/loss", mode="min", save_top_k=1)],
        max_epochs=options.max_epochs,
        accelerator="cpu",
        log_every_n_steps=5,
        enable_progress_bar=False,
    )
    trainer.fit(Digits(options.lr), DataLoader(train, batch_size=64, shuffle=True), DataLoader(held, batch_size=256))
    logger.experiment.finish()


if __name__ == "__main__":
    main()
