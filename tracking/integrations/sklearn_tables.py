"""The rows behind the charts of scikit-learn estimators: formulas, nothing logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tracking.extras import require

_WHAT = "tracking.integrations.sklearn"


def scores_of(model: Any, X: Any, y: Any) -> dict[str, float]:
    """The usual scores of a fitted classifier (weighted over classes) or regressor."""
    metrics, base = require("sklearn.metrics", what=_WHAT), require("sklearn.base")
    predicted = model.predict(X)
    if base.is_classifier(model):
        options = {"average": "weighted", "zero_division": 0}
        return {
            "accuracy": float(metrics.accuracy_score(y, predicted)),
            "precision": float(metrics.precision_score(y, predicted, **options)),
            "recall": float(metrics.recall_score(y, predicted, **options)),
            "f1": float(metrics.f1_score(y, predicted, **options)),
        }
    return {
        "mae": float(metrics.mean_absolute_error(y, predicted)),
        "mse": float(metrics.mean_squared_error(y, predicted)),
        "r2": float(metrics.r2_score(y, predicted)),
    }


def importances(model: Any) -> list[float] | None:
    """One number per feature, None when the model has none; the mean size of coefficients over classes."""
    numpy = require("numpy", "media")
    values = getattr(model, "feature_importances_", None)
    if values is None:
        values = getattr(model, "coef_", None)
        if values is None:
            return None
        values = numpy.abs(numpy.atleast_2d(values)).mean(axis=0)
    found: list[float] = numpy.asarray(values, dtype=float).ravel().tolist()
    return found


def calibration_rows(y_true: Any, y_probas: Any, bins: int = 10) -> list[list[float]]:
    """Mean prediction, share of positives and count per bin; the second column of `y_probas` is the positive class."""
    numpy = require("numpy", "media")
    probabilities = numpy.asarray(y_probas, dtype=float)
    positive = probabilities[:, 1] if probabilities.ndim == 2 else probabilities
    truth = numpy.asarray(y_true)
    hit = (truth == numpy.unique(truth)[-1]).astype(float)
    number = numpy.minimum((positive * bins).astype(int), bins - 1)
    rows = []
    for index in range(bins):
        inside = number == index
        if inside.any():
            rows.append([float(positive[inside].mean()), float(hit[inside].mean()), int(inside.sum())])
    return rows


def learning_rows(model: Any, X: Any, y: Any, cv: Any = None, jobs: int | None = None) -> list[list[Any]]:
    """Mean scores in training and cross validation at five sizes of the training data."""
    numpy, selection = require("numpy", "media"), require("sklearn.model_selection", what=_WHAT)
    sizes, train, test = selection.learning_curve(
        model, X, y, cv=cv, n_jobs=jobs, train_sizes=numpy.linspace(0.2, 1.0, 5), shuffle=True, random_state=0
    )
    rows = []
    for index, size in enumerate(sizes.tolist()):
        rows.append([size, float(train[index].mean()), "train"])
        rows.append([size, float(test[index].mean()), "test"])
    return rows


def residual_rows(model: Any, X: Any, y: Any) -> list[list[Any]]:
    """Prediction and residual of each sample; a copy of the model is fitted on four fifths."""
    base, selection = require("sklearn.base", what=_WHAT), require("sklearn.model_selection")
    train_x, test_x, train_y, test_y = selection.train_test_split(X, y, test_size=0.2, random_state=0)
    fitted = base.clone(model).fit(train_x, train_y)
    rows: list[list[Any]] = []
    for name, inputs, truth in (("train", train_x, train_y), ("test", test_x, test_y)):
        predicted = fitted.predict(inputs)
        rows += [
            [float(guess), float(value) - float(guess), name] for guess, value in zip(predicted, truth, strict=True)
        ]
    return rows


def cook_distances(model: Any, X: Any, y: Any) -> list[float]:
    """Cook's distances of a least-squares fit (Cook, Technometrics 19, 1977), with the residuals of the model."""
    numpy = require("numpy", "media")
    inputs, truth = numpy.asarray(X, dtype=float), numpy.asarray(y, dtype=float)
    design = numpy.column_stack([numpy.ones(len(inputs)), inputs])
    leverage = numpy.einsum("ij,ji->i", design, numpy.linalg.pinv(design))
    residual = truth - numpy.asarray(model.predict(X), dtype=float)
    samples, columns = design.shape
    variance = float(residual @ residual) / max(1, samples - columns) or 1.0
    distances = residual**2 / (columns * variance) * leverage / numpy.maximum(1.0 - leverage, 1e-12) ** 2
    found: list[float] = distances.tolist()
    return found


def elbow_rows(model: Any, X: Any, clusters: Iterable[int]) -> list[list[float]]:
    """Number of clusters and the size of `score` of a copy that was fitted with it."""
    base = require("sklearn.base", what=_WHAT)
    rows = []
    for number in clusters:
        copy = base.clone(model).set_params(n_clusters=number).fit(X)
        rows.append([number, abs(float(copy.score(X)))])
    return rows


def silhouette_rows(X: Any, cluster_labels: Sequence[Any] | Any) -> list[tuple[int, Any, float]]:
    """Sample, cluster and silhouette, sorted by cluster and value."""
    metrics = require("sklearn.metrics", what=_WHAT)
    values = metrics.silhouette_samples(X, cluster_labels).tolist()
    labels = cluster_labels.tolist() if hasattr(cluster_labels, "tolist") else list(cluster_labels)
    ordered = sorted(zip(labels, values, strict=True), key=lambda pair: (pair[0], -pair[1]))
    return [(index, cluster, value) for index, (cluster, value) in enumerate(ordered)]
