"""The callback for CatBoost's `fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracking.extras import require
from tracking.integrations import boosting

require("catboost", what="tracking.integrations.catboost")


class SweepwrightCallback:
    """Records the metrics of each round as `<data>/<metric>`; goes into `fit(callbacks=[…])`.

    Every `metric_period` rounds (default 1). Raises UsageError before `tracking.init()`.
    """

    def __init__(self, metric_period: int = 1) -> None:
        self._run = boosting.current_run("the CatBoost callback")
        self._period = max(1, metric_period)
        self._defined: set[str] = set()

    def after_iteration(self, info: Any) -> bool:
        """What CatBoost calls after each round. True: training goes on."""
        if info.iteration % self._period == 0:
            row: dict[str, Any] = {"iteration": info.iteration}
            for data, metrics in (info.metrics or {}).items():
                for metric, values in metrics.items():
                    row[self._declared(f"{data}/{metric}")] = float(values[-1])
            self._run.log(row)
        return True

    def _declared(self, name: str) -> str:
        if name not in self._defined:
            self._defined.add(name)
            boosting.define(self._run, name, boosting.rises(name))
        return name


WandbCallback = SweepwrightCallback


def log_summary(
    model: Any, log_all_params: bool = True, save_model_checkpoint: bool = False, log_feature_importance: bool = True
) -> None:
    """Put parameters, best round and scores of a fitted CatBoost model into the run, chart its importance.

    `save_model_checkpoint` records the model as an artifact. Raises UsageError before `tracking.init()`.
    """
    run = boosting.current_run("log_summary()")
    params = model.get_all_params() if log_all_params else model.get_params()
    run.config.update(params, allow_val_change=True)
    if model.get_best_iteration() is not None:
        run.summary["best_iteration"] = model.get_best_iteration()
    for data, scores in (model.get_best_score() or {}).items():
        run.summary.update({f"{data}/{metric}.best_score": float(value) for metric, value in scores.items()})
    if log_feature_importance:
        chart = boosting.importance_table(model.feature_names_, list(model.get_feature_importance()))
        run.log({"feature_importance": chart})
    if save_model_checkpoint:
        path = str(Path(run.dir, "model.cbm"))
        model.save_model(path)
        boosting.log_model_file(run, path, {"best_iteration": model.get_best_iteration()})
