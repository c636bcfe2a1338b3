"""Charts of scikit-learn estimators, logged to the current run: one function per chart, one per kind of estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tracking
from tracking.extras import require
from tracking.integrations.boosting import current_run, importance_table
from tracking.integrations.sklearn_tables import (
    calibration_rows,
    cook_distances,
    elbow_rows,
    importances,
    learning_rows,
    residual_rows,
    scores_of,
    silhouette_rows,
)

require("sklearn", what="tracking.integrations.sklearn")

MAX_POINTS = 2000
"""Points of a scatter chart; more are thinned out evenly."""


def plot_classifier(
    model: Any,
    X_train: Any,
    X_test: Any,
    y_train: Any,
    y_test: Any,
    y_pred: Any,
    y_probas: Any,
    labels: Sequence[str] | None = None,
    is_binary: bool = False,
    model_name: str = "Classifier",
    feature_names: Sequence[str] | None = None,
    log_learning_curve: bool = False,
) -> None:
    """All charts of a fitted classifier. `y_probas`: (samples, classes). Raises UsageError before init()."""
    current_run("plot_classifier()").config.update({f"{model_name}/params": model.get_params()}, allow_val_change=True)
    plot_summary_metrics(model, X_train, y_train, X_test, y_test)
    plot_class_proportions(y_train, y_test, labels)
    plot_confusion_matrix(y_test, y_pred, labels)
    plot_roc(y_test, y_probas, labels)
    plot_precision_recall(y_test, y_probas, labels)
    plot_feature_importances(model, feature_names)
    if is_binary:
        plot_calibration_curve(y_test, y_probas, model_name)
    if log_learning_curve:
        plot_learning_curve(model, X_train, y_train)


def plot_regressor(
    model: Any, X_train: Any, X_test: Any, y_train: Any, y_test: Any, model_name: str = "Regressor"
) -> None:
    """All charts of a fitted regressor. Raises UsageError before init()."""
    current_run("plot_regressor()").config.update({f"{model_name}/params": model.get_params()}, allow_val_change=True)
    plot_summary_metrics(model, X_train, y_train, X_test, y_test)
    plot_learning_curve(model, X_train, y_train)
    plot_residuals(model, X_train, y_train)
    plot_outlier_candidates(model, X_train, y_train)
    plot_feature_importances(model)


def plot_clusterer(
    model: Any, X_train: Any, cluster_labels: Any, labels: Sequence[str] | None = None, model_name: str = "Clusterer"
) -> None:
    """All charts of a fitted clusterer with `n_clusters`. Raises UsageError before init()."""
    current_run("plot_clusterer()").config.update({f"{model_name}/params": model.get_params()}, allow_val_change=True)
    if hasattr(model, "n_clusters"):
        plot_elbow_curve(model, X_train)
    plot_silhouette(model, X_train, cluster_labels, labels)


def plot_summary_metrics(model: Any, X: Any, y: Any, X_test: Any, y_test: Any) -> None:
    """Scores on the test data: accuracy, precision, recall and F1, or MAE, MSE and R²."""
    scores = scores_of(model, X_test, y_test)
    current_run("plot_summary_metrics()").summary.update({f"metrics/{name}": value for name, value in scores.items()})
    table = tracking.Table(columns=["metric", "value"], data=[[name, value] for name, value in scores.items()])
    _log("summary_metrics", tracking.plot.bar(table, "metric", "value", title="Summary metrics"))


def plot_class_proportions(y_train: Any, y_test: Any, labels: Sequence[str] | None = None) -> None:
    """How many samples each class has."""
    rows = [
        [_label(value, labels), name, values.count(value)]
        for name, values in (("train", _list(y_train)), ("test", _list(y_test)))
        for value in sorted(set(values))
    ]
    table = tracking.Table(columns=["class", "dataset", "count"], data=rows)
    _log("class_proportions", tracking.plot.bar(table, "class", "count", title="Class proportions"))


def plot_confusion_matrix(y_true: Any, y_pred: Any, labels: Sequence[str] | None = None) -> None:
    """Which class was taken for which."""
    classes = sorted({*_list(y_true), *_list(y_pred)})
    number = {value: index for index, value in enumerate(classes)}
    chart = tracking.plot.confusion_matrix(
        y_true=[number[value] for value in _list(y_true)],
        preds=[number[value] for value in _list(y_pred)],
        class_names=[_label(value, labels) for value in classes],
    )
    _log("confusion_matrix", chart)


def plot_roc(y_true: Any, y_probas: Any, labels: Sequence[str] | None = None) -> None:
    """True against false positives, one curve per class."""
    _log("roc", tracking.plot.roc_curve(_numbered(y_true), y_probas, labels=_names(y_true, labels)))


def plot_precision_recall(y_true: Any, y_probas: Any, labels: Sequence[str] | None = None) -> None:
    """Precision against recall, one curve per class."""
    _log("precision_recall", tracking.plot.pr_curve(_numbered(y_true), y_probas, labels=_names(y_true, labels)))


def plot_feature_importances(model: Any, feature_names: Sequence[str] | None = None, title: str = "") -> None:
    """What each feature counts, from `feature_importances_` or `coef_`; nothing for models that have neither."""
    found = importances(model)
    if found is not None:
        names = feature_names if feature_names is not None else [f"feature {index}" for index in range(len(found))]
        _log("feature_importances", importance_table(list(names), found))


def plot_calibration_curve(y_true: Any, y_probas: Any, name: str = "Classifier") -> None:
    """How often a binary classifier that says p is right."""
    table = tracking.Table(columns=["predicted", "observed", "count"], data=calibration_rows(y_true, y_probas))
    _log("calibration_curve", tracking.plot.line(table, "predicted", "observed", title=f"Calibration of {name}"))


def plot_learning_curve(model: Any, X: Any, y: Any, cv: Any = None, n_jobs: int | None = None) -> None:
    """The score against the number of samples. Fits the model again, several times."""
    table = tracking.Table(columns=["samples", "score", "dataset"], data=learning_rows(model, X, y, cv, n_jobs))
    _log("learning_curve", tracking.plot.line(table, "samples", "score", stroke="dataset", title="Learning curve"))


def plot_residuals(model: Any, X: Any, y: Any) -> None:
    """What a regressor misses by, on a fifth of the data that it is fitted without."""
    rows = _thinned(residual_rows(model, X, y))
    table = tracking.Table(columns=["predicted", "residual", "dataset"], data=rows)
    _log("residuals", tracking.plot.scatter(table, "predicted", "residual", title="Residuals"))


def plot_outlier_candidates(model: Any, X: Any, y: Any) -> None:
    """Cook's distance of each sample: how far the fit hangs on it."""
    distances = cook_distances(model, X, y)
    rows = _thinned([[index, value] for index, value in enumerate(distances)])
    table = tracking.Table(columns=["sample", "distance"], data=rows)
    _log("outlier_candidates", tracking.plot.bar(table, "sample", "distance", title="Cook's distance"))


def plot_elbow_curve(model: Any, X: Any, cluster_ranges: Sequence[int] | None = None) -> None:
    """The score of a clusterer against its number of clusters. Fits copies of it."""
    rows = elbow_rows(model, X, cluster_ranges or range(1, 10, 2))
    table = tracking.Table(columns=["clusters", "score"], data=rows)
    _log("elbow_curve", tracking.plot.line(table, "clusters", "score", title="Elbow curve"))


def plot_silhouette(model: Any, X: Any, cluster_labels: Any, labels: Sequence[str] | None = None) -> None:
    """How well each sample lies in its cluster, from -1 to 1."""
    rows = _thinned(
        [[index, _label(cluster, labels), value] for index, cluster, value in silhouette_rows(X, cluster_labels)]
    )
    table = tracking.Table(columns=["sample", "cluster", "silhouette"], data=rows)
    _log("silhouette", tracking.plot.scatter(table, "sample", "silhouette", title="Silhouette"))


def _log(key: str, chart: Any) -> None:
    current_run(f"plot of {key}").log({key: chart})


def _list(values: Any) -> list[Any]:
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _numbered(y_true: Any) -> list[int]:
    values = _list(y_true)
    number = {value: index for index, value in enumerate(sorted(set(values)))}
    return [number[value] for value in values]


def _names(y_true: Any, labels: Sequence[str] | None) -> list[str]:
    return [_label(value, labels) for value in sorted(set(_list(y_true)))]


def _label(value: Any, labels: Sequence[str] | None) -> str:
    if labels is not None and isinstance(value, int) and 0 <= value < len(labels):
        return str(labels[value])
    return str(value)


def _thinned(rows: list[list[Any]]) -> list[list[Any]]:
    stride = -(-len(rows) // MAX_POINTS)
    return rows[:: max(1, stride)]
