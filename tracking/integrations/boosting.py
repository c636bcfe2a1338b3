"""What the callbacks of XGBoost, LightGBM and CatBoost share: the run and the names of metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tracking
from tracking.errors import UsageError

if TYPE_CHECKING:
    from tracking.live.run import Run


def current_run(who: str) -> Run:
    """The run in which to record. Raises UsageError before `tracking.init()`."""
    current = tracking.run
    if current is None:
        raise UsageError(f"{who} records in the current run, and there is none: call tracking.init() first")
    return current


def define(run: Run, name: str, maximize: bool) -> None:
    """Let the summary keep the best value of a metric."""
    run.define_metric(name, summary="best", goal="maximize" if maximize else "minimize")


def rises(metric: str) -> bool:
    """Whether a higher value of this metric of the boosting libraries is better."""
    word = metric.lower().rsplit("/", 1)[-1].partition("@")[0]
    return word.startswith(("auc", "ndcg", "map", "accuracy", "f1", "precision", "recall", "r2", "pre", "average_p"))


def importance_table(names: Sequence[str], values: Sequence[float]) -> Any:
    """A bar chart of the importance of features, most important first."""
    rows = sorted(zip(map(str, names), map(float, values), strict=True), key=lambda row: -row[1])
    table = tracking.Table(columns=["feature", "importance"], data=[list(row) for row in rows])
    return tracking.plot.bar(table, "feature", "importance", title="Feature importance")


def log_model_file(run: Run, path: str, metadata: Mapping[str, Any]) -> None:
    """Record a saved model."""
    artifact = tracking.Artifact(f"model-{run.id}", type="model", metadata=dict(metadata))
    artifact.add_file(path)
    run.log_artifact(artifact)
