"""The logger for Lightning's Trainer, with the arguments that people know from WandbLogger."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tracking
from tracking.errors import UsageError
from tracking.extras import require
from tracking.integrations.choosing import lightning_name

if TYPE_CHECKING:
    from lightning.pytorch.loggers.logger import Logger, rank_zero_experiment
    from lightning.pytorch.utilities.rank_zero import rank_zero_only

    from tracking.artifacts.artifact import Artifact
    from tracking.live.run import Run
else:
    # People have `lightning` or the older `pytorch_lightning`, and a Trainer takes only loggers of its own family.
    _FAMILY = lightning_name()
    Logger = require(f"{_FAMILY}.loggers.logger", what="tracking.integrations.lightning").Logger
    rank_zero_experiment = require(f"{_FAMILY}.loggers.logger").rank_zero_experiment
    rank_zero_only = require(f"{_FAMILY}.utilities.rank_zero").rank_zero_only

GLOBAL_STEP = "trainer/global_step"
"""The x axis of what a Trainer logs; the run's own steps count calls of log()."""
_CHECKPOINT_FACTS = ("monitor", "mode", "save_last", "save_top_k", "save_weights_only", "_every_n_train_steps")


class SweepwrightLogger(Logger):
    """Records a Trainer's metrics, hyperparameters, media and checkpoints in a run.

    The run is the current one where there is one, else it starts with the first use of `experiment`: `name`, `project`
    (default: SWEEP_PROJECT, else "lightning_logs"), `version` or `id`, `save_dir` or `dir` (the folder in which the run
    keeps its files) and all other keywords go to `tracking.init()`. `log_model` True records the checkpoints as
    artifacts when training ends, "all" each as soon as it is saved. `prefix` goes before each metric.

    The contract is Lightning's: https://lightning.ai/docs/pytorch/stable/extensions/logging.html
    """

    LOGGER_JOIN_CHAR = "-"

    def __init__(
        self,
        name: str | None = None,
        save_dir: str | os.PathLike[str] | None = None,
        version: str | None = None,
        offline: bool = False,
        dir: str | os.PathLike[str] | None = None,
        id: str | None = None,
        anonymous: bool | None = None,
        project: str | None = None,
        log_model: Literal["all"] | bool = False,
        experiment: Run | None = None,
        prefix: str = "",
        checkpoint_name: str | None = None,
        add_file_policy: Literal["mutable", "immutable"] = "mutable",
        **options: Any,
    ) -> None:
        if log_model not in (True, False, "all"):
            raise UsageError(f"log_model={log_model!r} is none of True, False, 'all'")
        super().__init__()
        self._experiment = experiment
        self._log_model, self._prefix = log_model, prefix
        self._checkpoint_name, self._policy = checkpoint_name, add_file_policy
        folder = save_dir if save_dir is not None else dir
        self._options: dict[str, Any] = {
            "name": name,
            "project": project or os.environ.get("SWEEP_PROJECT") or os.environ.get("WANDB_PROJECT", "lightning_logs"),
            "dir": None if folder is None else os.fspath(folder),
            "id": version or id,
            "resume": "allow",
            "mode": "offline" if offline else None,
        } | options
        self._logged: dict[str, float] = {}
        self._waiting: dict[int, Any] = {}

    # What the Trainer asks for

    @property
    @rank_zero_experiment
    def experiment(self) -> Run:
        """The run; started on first use. On ranks other than 0 a stand-in that does nothing."""
        if self._experiment is None:
            self._experiment = tracking.run or self._started()
        return self._experiment

    @property
    def name(self) -> str | None:
        """The project."""
        return str(self._options["project"])

    @property
    def version(self) -> str | None:
        """The id of the run, once it has one."""
        return self._experiment.id if self._experiment is not None else self._options["id"]

    @property
    def save_dir(self) -> str | None:
        """The folder below which a ModelCheckpoint without a folder of its own saves."""
        folder = self._options["dir"]
        return "." if folder is None else str(folder)

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **options: Any) -> None:
        """Add the hyperparameters to the config; what a sweep set stays as it is."""
        values = vars(params) if isinstance(params, Namespace) else dict(params or {})
        self.experiment.config.update(values, allow_val_change=True)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record a row, the Trainer's step beside it."""
        row = {self._named(key): value for key, value in metrics.items()}
        if step is not None and not self._options.get("sync_tensorboard"):
            row[GLOBAL_STEP] = step
        self.experiment.log(row)

    @rank_zero_only
    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Nothing: there is no picture of graphs. Here because a Trainer may ask."""

    @rank_zero_only
    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Record new checkpoints now, or remember to do so at the end."""
        if self._log_model == "all" or (self._log_model is True and checkpoint_callback.save_top_k == -1):
            self._log_checkpoints(checkpoint_callback)
        elif self._log_model is True:
            self._waiting[id(checkpoint_callback)] = checkpoint_callback

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Record the checkpoints of a training that succeeded. The run stays open for what comes after `fit`."""
        if status == "success" and self._experiment is not None:
            for callback in self._waiting.values():
                self._log_checkpoints(callback)

    # What people call

    def watch(self, model: Any, log: str | None = "gradients", log_freq: int = 100, log_graph: bool = True) -> None:
        """Record histograms of gradients and parameters: see `Run.watch`."""
        self.experiment.watch(model, log=log, log_freq=log_freq, log_graph=log_graph)

    @rank_zero_only
    def log_table(
        self,
        key: str,
        columns: list[str] | None = None,
        data: list[list[Any]] | None = None,
        dataframe: Any = None,
        step: int | None = None,
    ) -> None:
        """Record a Table of columns and data, or of a DataFrame."""
        self.log_metrics({key: tracking.Table(columns=columns, data=data, dataframe=dataframe)}, step)

    log_text = log_table

    @rank_zero_only
    def log_image(self, key: str, images: list[Any], step: int | None = None, **options: Sequence[Any]) -> None:
        """Record images; each option (caption, masks, …) is a list with one value per image."""
        self.log_metrics({key: _each(tracking.Image, "images", images, options)}, step)

    @rank_zero_only
    def log_audio(self, key: str, audios: list[Any], step: int | None = None, **options: Sequence[Any]) -> None:
        """Record sounds; each option (sample_rate, caption) is a list with one value per sound."""
        self.log_metrics({key: _each(tracking.Audio, "audios", audios, options)}, step)

    @rank_zero_only
    def log_video(self, key: str, videos: list[Any], step: int | None = None, **options: Sequence[Any]) -> None:
        """Record videos; each option (fps, format, caption) is a list with one value per video."""
        self.log_metrics({key: _each(tracking.Video, "videos", videos, options)}, step)

    def use_artifact(self, artifact: str, artifact_type: str | None = None) -> Artifact:
        """An artifact as an input of the run."""
        run: Run = self.experiment
        return run.use_artifact(artifact, type=artifact_type)

    @staticmethod
    @rank_zero_only
    def download_artifact(
        artifact: str,
        save_dir: str | os.PathLike[str] | None = None,
        artifact_type: str | None = None,
        use_artifact: bool | None = True,
    ) -> str:
        """Fetch an artifact, as an input of the current run if there is one and `use_artifact`; its folder."""
        current = tracking.run
        found: Any
        if current is not None and use_artifact:
            found = current.use_artifact(artifact, type=artifact_type)
        else:
            found = tracking.Api().artifact(artifact, type=artifact_type)
        return str(found.download(root=None if save_dir is None else os.fspath(save_dir)))

    def __getstate__(self) -> dict[str, Any]:
        """For processes that are spawned: they open the run again, beside the one that is open here."""
        state = self.__dict__.copy()
        if self._experiment is not None:
            state["_options"] = self._options | {"id": self._experiment.id, "mode": "shared"}
        state["_experiment"] = None
        return state

    def _started(self) -> Run:
        run = tracking.init(**self._options)
        if self._options.get("sync_tensorboard"):
            run.define_metric("*", step_metric="global_step")
        else:
            run.define_metric(GLOBAL_STEP)
            run.define_metric("*", step_metric=GLOBAL_STEP, step_sync=True)
        return run

    def _named(self, key: str) -> str:
        return f"{self._prefix}{self.LOGGER_JOIN_CHAR}{key}" if self._prefix else key

    def _log_checkpoints(self, callback: Any) -> None:
        for changed, path in _checkpoints(callback):
            if self._logged.get(path, 0.0) >= changed:
                continue
            artifact = tracking.Artifact(
                self._checkpoint_name or f"model-{self.experiment.id}", type="model", metadata=_facts(callback, path)
            )
            if Path(path).is_dir():
                artifact.add_dir(path, name="model.ckpt")
            else:
                artifact.add_file(path, name="model.ckpt", policy=self._policy)
            best = ["best"] if path == callback.best_model_path else []
            self.experiment.log_artifact(artifact, aliases=["latest", *best])
            self._logged[path] = changed


WandbLogger = SweepwrightLogger
"""The name that scripts already have: only their import line changes."""


def install() -> None:
    """Put this logger in the place of Lightning's own WandbLogger, so that not even the import line changes.

    Call it before `from lightning.pytorch.loggers import WandbLogger` runs.
    """
    require(f"{lightning_name()}.loggers").WandbLogger = SweepwrightLogger


def _each(kind: Any, what: str, values: list[Any], options: Mapping[str, Sequence[Any]]) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(f"{what} must be a list, not {type(values).__name__}")
    for name, given in options.items():
        if len(given) != len(values):
            raise ValueError(f"{name} has {len(given)} values for {len(values)} {what}")
    return [kind(value, **{name: options[name][index] for name in options}) for index, value in enumerate(values)]


def _checkpoints(callback: Any) -> list[tuple[float, str]]:
    """The checkpoint files that a callback has, oldest first, each with the time of its last change."""
    paths = {getattr(callback, "last_model_path", ""), callback.best_model_path, *callback.best_k_models}
    # A strategy that shards saves a folder.
    return sorted((Path(path).stat().st_mtime, str(path)) for path in paths if path and Path(path).exists())


def _facts(callback: Any, path: str) -> dict[str, Any]:
    score = callback.best_k_models.get(path, getattr(callback, "current_score", None))
    return {
        "score": float(score) if score is not None else None,
        "original_filename": Path(path).name,
        callback.__class__.__name__: {name: getattr(callback, name, None) for name in _CHECKPOINT_FACTS},
    }
