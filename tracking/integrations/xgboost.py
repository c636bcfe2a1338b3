"""The callback for XGBoost's `train` and its scikit-learn estimators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.extras import require
from tracking.integrations import boosting

if TYPE_CHECKING:
    from xgboost.callback import TrainingCallback
else:
    TrainingCallback = require("xgboost.callback", what="tracking.integrations.xgboost").TrainingCallback


class SweepwrightCallback(TrainingCallback):
    """Records the evaluation metrics of each round as `<data>/<metric>`, and at the end what the booster became.

    `importance_type` ("gain", "weight", "cover", …; None for none) chooses the importance of features that is charted;
    with `log_model` the booster is recorded as an artifact. Goes into `callbacks=[…]`. Raises UsageError before
    `tracking.init()`.
    """

    def __init__(
        self,
        log_model: bool = False,
        log_feature_importance: bool = True,
        importance_type: str = "gain",
        define_metric: bool = True,
    ) -> None:
        self._run = boosting.current_run("the XGBoost callback")
        self._log_model = log_model
        self._importance = importance_type if log_feature_importance else None
        self._define = define_metric
        self._defined: set[str] = set()

    def before_training(self, model: Any) -> Any:
        """Add the parameters of the booster to the config."""
        config = json.loads(model.save_config())
        self._run.config.update({"booster": config.get("learner", config)}, allow_val_change=True)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Record the newest value of each metric. Never stops training."""
        row: dict[str, Any] = {"epoch": epoch}
        for data, metrics in evals_log.items():
            for metric, values in metrics.items():
                row[f"{data}/{metric}"] = self._newest(f"{data}/{metric}", values[-1])
        self._run.log(row)
        return False

    def after_training(self, model: Any) -> Any:
        """Record importance, best round and, where asked for, the model."""
        scores = model.get_score(importance_type=self._importance) if self._importance else {}
        if scores:
            values = [value if isinstance(value, float) else sum(value) for value in scores.values()]
            self._run.log({"feature_importance": boosting.importance_table(list(scores), values)})
        best = model.attributes()  # get_best of early stopping, as text
        self._run.summary.update({key: float(best[key]) for key in ("best_score", "best_iteration") if key in best})
        if self._log_model:
            path = str(Path(self._run.dir, "model.json"))
            model.save_model(path)
            boosting.log_model_file(self._run, path, {"best_score": best.get("best_score")})
        return model

    def _newest(self, name: str, value: Any) -> float:
        if self._define and name not in self._defined:
            self._defined.add(name)
            boosting.define(self._run, name, boosting.rises(name))
        # With cross validation it is a pair of mean and deviation.
        return float(value[0] if isinstance(value, tuple) else value)


WandbCallback = SweepwrightCallback
