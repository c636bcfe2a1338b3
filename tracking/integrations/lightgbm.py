"""The callback for LightGBM's `train` and its scikit-learn estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracking.extras import require
from tracking.integrations import boosting

require("lightgbm", what="tracking.integrations.lightgbm")


class SweepwrightCallback:
    """Records the evaluation metrics of each round as `<data>/<metric>` and the parameters in the config.

    Goes into `callbacks=[…]`; with `define_metric` the summary keeps the best value of each metric. `log_summary` does
    the rest after training. Raises UsageError before `tracking.init()`.
    """

    order = 20
    before_iteration = False

    def __init__(self, log_params: bool = True, define_metric: bool = True) -> None:
        self._run = boosting.current_run("the LightGBM callback")
        self._log_params, self._define = log_params, define_metric
        self._defined: set[str] = set()

    def __call__(self, env: Any) -> None:
        """What LightGBM calls after each round."""
        if env.iteration == env.begin_iteration and self._log_params:
            self._run.config.update(dict(env.params), allow_val_change=True)
        row: dict[str, Any] = {"iteration": env.iteration}
        for entry in env.evaluation_result_list or ():
            data, metric, value, rises = entry[:4]
            name = f"{data}/{metric}"
            if self._define and name not in self._defined:
                self._defined.add(name)
                boosting.define(self._run, name, bool(rises))
            row[name] = float(value)
        self._run.log(row)


def wandb_callback(log_params: bool = True, define_metric: bool = True) -> SweepwrightCallback:
    """The callback under the name that W&B gives it."""
    return SweepwrightCallback(log_params, define_metric)


def log_summary(model: Any, feature_importance: bool = True, save_model_checkpoint: bool = False) -> None:
    """Put the best round and scores of a Booster (or fitted estimator) into the summary, chart its importance.

    `save_model_checkpoint` records the model as an artifact. Raises UsageError before `tracking.init()`.
    """
    run = boosting.current_run("log_summary()")
    booster = getattr(model, "booster_", model)
    run.summary["best_iteration"] = booster.best_iteration
    for data, scores in booster.best_score.items():
        run.summary.update({f"{data}/{metric}.best_score": float(value) for metric, value in scores.items()})
    if feature_importance:
        chart = boosting.importance_table(booster.feature_name(), booster.feature_importance().tolist())
        run.log({"feature_importance": chart})
    if save_model_checkpoint:
        path = str(Path(run.dir, "model.txt"))
        booster.save_model(path)
        boosting.log_model_file(run, path, {"best_iteration": booster.best_iteration})
