"""The callback for the Trainer of Hugging Face transformers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tracking
from tracking.errors import UsageError
from tracking.extras import require

if TYPE_CHECKING:
    from transformers import TrainerCallback

    from tracking.live.run import Run
else:
    TrainerCallback = require("transformers", what="tracking.integrations.huggingface").TrainerCallback

GLOBAL_STEP = "train/global_step"
_LOG_MODEL = ("", "end", "checkpoint")


class SweepwrightCallback(TrainerCallback):
    """Records what a Trainer logs, its arguments and model config, and on request its checkpoints.

    `Trainer(..., callbacks=[SweepwrightCallback()])`, with `report_to="none"` in the arguments. The current run is used
    where there is one; else one starts with training, with the keywords given here, and ends with it. `log_model`:
    "end" records the final model as an artifact, "checkpoint" each checkpoint as it is saved. `watch`: "gradients",
    "parameters", "all" or "" as in `Run.watch`. Raises UsageError for another `log_model`.

    Metrics are grouped as train/…, eval/… and test/… with train/global_step as their x axis.
    """

    def __init__(self, log_model: str = "", watch: str = "", watch_freq: int = 100, **options: Any) -> None:
        if log_model not in _LOG_MODEL:
            raise UsageError(f"log_model={log_model!r} is none of {', '.join(map(repr, _LOG_MODEL))}")
        self._log_model, self._watch, self._watch_freq = log_model, watch, watch_freq
        self._options = options
        self._run: Run | None = None
        self._ours = False

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Find or start the run, and add the arguments to its config."""
        if not state.is_world_process_zero:
            return
        run = self._opened(args)
        config = {**_model_config(model), **args.to_sanitized_dict()}
        if model is not None and hasattr(model, "num_parameters"):
            config["model/num_parameters"] = model.num_parameters()
        run.config.update(config, allow_val_change=True)
        if self._watch and model is not None:
            run.watch(model, log=self._watch, log_freq=max(self._watch_freq, args.logging_steps or 0))

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        """Record a row; what is said once, at the end of training, goes into the summary."""
        if self._run is None or not state.is_world_process_zero or not logs:
            return
        row = {_grouped(key): value for key, value in logs.items() if isinstance(value, (int, float))}
        self._run.log({**row, GLOBAL_STEP: state.global_step})

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Record the checkpoint that was just saved."""
        folder = Path(args.output_dir, f"checkpoint-{state.global_step}")
        if self._run is None or self._log_model != "checkpoint" or not folder.is_dir():
            return
        self._record(folder, "checkpoint", {"step": state.global_step, "epoch": state.epoch})

    def on_train_end(
        self, args: Any, state: Any, control: Any, model: Any = None, processing_class: Any = None, **_: Any
    ) -> None:
        """Record the final model where that was asked for, and end a run that this callback started."""
        if self._run is None:
            return
        if self._log_model == "end" and model is not None:
            folder = Path(args.output_dir, "final-model")
            model.save_pretrained(folder)
            if processing_class is not None:
                processing_class.save_pretrained(folder)
            self._record(folder, "model", {"step": state.global_step, "best_metric": state.best_metric})
        if self._watch:
            self._run.unwatch()
        if self._ours:
            self._run.finish()
            self._run, self._ours = None, False

    def on_predict(self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any], **_: Any) -> None:
        """Put the metrics of a prediction into the summary."""
        if self._run is not None and not self._run.finished:
            self._run.summary.update({_grouped(key): value for key, value in metrics.items()})

    def _opened(self, args: Any) -> Run:
        if self._run is None or self._run.finished:
            current = tracking.run
            self._ours = current is None
            # transformers made output_dir the default of run_name: a folder is no name for a run.
            named = getattr(args, "run_name", None)
            name = {"name": named} if named and named != args.output_dir else {}
            self._run = current if current is not None else tracking.init(**(name | self._options))
            self._run.define_metric(GLOBAL_STEP)
            self._run.define_metric("*", step_metric=GLOBAL_STEP, step_sync=True)
        return self._run

    def _record(self, folder: Path, kind: str, metadata: dict[str, Any]) -> None:
        assert self._run is not None
        artifact = tracking.Artifact(f"{kind}-{self._run.id}", type="model", metadata=metadata)
        artifact.add_dir(str(folder))
        self._run.log_artifact(artifact)


def _model_config(model: Any) -> dict[str, Any]:
    config = getattr(model, "config", None)
    if config is None:
        return {}
    return dict(config) if isinstance(config, Mapping) else dict(config.to_dict())


def _grouped(key: str) -> str:
    """`eval_loss` → `eval/loss`, `test_loss` → `test/loss`, others belong to train."""
    for group in ("eval", "test"):
        if key.startswith(f"{group}_"):
            return f"{group}/{key.removeprefix(f'{group}_')}"
    return key if key.startswith("train/") else f"train/{key}"
