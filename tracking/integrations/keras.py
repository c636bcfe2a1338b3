"""Callbacks for Keras 3 on any of its backends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import tracking
from tracking.errors import UsageError
from tracking.extras import require

if TYPE_CHECKING:
    from keras.callbacks import Callback
else:
    Callback = require("keras.callbacks", what="tracking.integrations.keras").Callback


class MetricsLogger(Callback):
    """Records the metrics of `fit` and `evaluate`: epoch/… after each epoch, batch/… every `log_freq` batches.

    `log_freq` is "epoch" (default: epochs only), "batch", or a number of batches. `initial_global_step` is where the
    batches count from when training goes on. Raises UsageError before `tracking.init()` and for another `log_freq`.
    """

    def __init__(self, log_freq: str | int = "epoch", initial_global_step: int = 0) -> None:
        super().__init__()
        if log_freq not in ("epoch", "batch") and not (isinstance(log_freq, int) and log_freq > 0):
            raise UsageError(f"log_freq={log_freq!r} is none of 'epoch', 'batch' or a number of batches above 0")
        self._run = _current("MetricsLogger")
        self._every = {"epoch": 0, "batch": 1}.get(str(log_freq), log_freq)
        self._batches = initial_global_step
        self._run.define_metric("epoch/epoch")
        self._run.define_metric("epoch/*", step_metric="epoch/epoch")
        if self._every:
            self._run.define_metric("batch/batch_step")
            self._run.define_metric("batch/*", step_metric="batch/batch_step")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the metrics of the epoch, and its learning rate."""
        row = {f"epoch/{key}": value for key, value in (logs or {}).items()}
        self._run.log({**row, "epoch/epoch": epoch, **self._learning_rate("epoch")})

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the metrics of every n-th batch."""
        if self._every and self._batches % int(self._every) == 0:
            row = {f"batch/{key}": value for key, value in (logs or {}).items()}
            self._run.log({**row, "batch/batch_step": self._batches, **self._learning_rate("batch")})
        self._batches += 1

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Put the metrics of `evaluate` into the summary; within `fit` the epoch has them."""
        if not getattr(self, "_fitting", False):
            self._run.summary.update({f"evaluate/{key}": float(value) for key, value in (logs or {}).items()})

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._fitting = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._fitting = False

    def _learning_rate(self, group: str) -> dict[str, float]:
        optimizer = getattr(self.model, "optimizer", None)
        rate = getattr(optimizer, "learning_rate", None)
        try:
            return {f"{group}/learning_rate": float(rate)} if rate is not None else {}
        except (TypeError, ValueError):  # a schedule that tells no number
            return {}


class ModelCheckpoint(Callback):
    """Saves the model and records it as an artifact of the run.

    After each epoch, or with `save_best_only` when `monitor` (default "val_loss") got better; `mode` is "min" or "max".
    `filepath` ends in .keras (default model.keras in the folder of the run).
    """

    def __init__(
        self,
        filepath: str | None = None,
        monitor: str = "val_loss",
        save_best_only: bool = False,
        mode: str = "min",
        name: str | None = None,
    ) -> None:
        super().__init__()
        if mode not in ("min", "max"):
            raise UsageError(f"mode={mode!r} is neither 'min' nor 'max'")
        self._run = _current("ModelCheckpoint")
        self._path = Path(filepath) if filepath else Path(self._run.dir, "model.keras")
        self._monitor, self._best_only, self._sign = monitor, save_best_only, 1.0 if mode == "min" else -1.0
        self._name = name or f"model-{self._run.id}"
        self._best = float("inf")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save and record."""
        value = (logs or {}).get(self._monitor)
        score = self._sign * float(value) if value is not None else float("inf")
        better, self._best = score < self._best, min(score, self._best)
        if self._best_only and not better:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.model.save(self._path)
        artifact = tracking.Artifact(self._name, type="model", metadata={"epoch": epoch, self._monitor: value})
        artifact.add_file(str(self._path))
        self._run.log_artifact(artifact, aliases=["latest", *(["best"] if better and value is not None else [])])


# The names that W&B gives them.
WandbMetricsLogger = MetricsLogger
WandbModelCheckpoint = ModelCheckpoint


def _current(who: str) -> Any:
    current = tracking.run
    if current is None:
        raise UsageError(f"{who} records in the current run, and there is none: call tracking.init() first")
    return current
