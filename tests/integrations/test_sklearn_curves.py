"""Our curves and matrices are those of scikit-learn, ties and all."""

from __future__ import annotations

import warnings
from typing import Any

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tracking.plot.confusion import confusion_matrix
from tracking.plot.curves import pr_points, roc_curve, roc_points
from tracking.plot.scores import Scored

metrics = pytest.importorskip("sklearn.metrics")

samples = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


def one_class(found: list[tuple[bool, int]]) -> Scored:
    truth, scores = zip(*found, strict=True)
    return Scored("c", numpy.array(truth), numpy.array(scores, "f8"))


@given(samples)
def test_roc_points_are_those_of_sklearn(found: list[tuple[bool, int]]) -> None:
    one = one_class(found)
    assume(0 < one.positive.sum() < len(found))
    false, true, _ = metrics.roc_curve(one.positive, one.scores)
    points = roc_points(one)
    assert points is not None
    numpy.testing.assert_allclose(points, (false, true))


@given(samples, st.integers(2, 30))
def test_interpolated_precision_is_the_best_of_sklearn_from_a_recall_on(
    found: list[tuple[bool, int]], size: int
) -> None:
    one = one_class(found)
    assume(one.positive.any())
    precision, recall, _ = metrics.precision_recall_curve(one.positive, one.scores)
    points = pr_points(one, size)
    assert points is not None
    for at, ours in zip(*points, strict=True):
        assert ours == pytest.approx(precision[recall >= at - 1e-12].max())


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=50))
def test_the_matrix_is_that_of_sklearn(pairs: list[tuple[int, int]]) -> None:
    truth, guesses = zip(*pairs, strict=True)
    made = confusion_matrix(y_true=truth, preds=guesses, class_names=list("abcde"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a single label, which is fine here
        theirs = metrics.confusion_matrix(truth, guesses, labels=range(5))
    assert numpy.array(made.table.get_column("nPredictions")).reshape(5, 5).tolist() == theirs.tolist()


def test_the_area_under_a_real_models_curves_is_the_score_of_sklearn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    linear = pytest.importorskip("sklearn.linear_model")
    x, y = datasets.load_iris(return_X_y=True)
    model = linear.LogisticRegression(max_iter=1000).fit(x[:, :2], y)
    scores = model.predict_proba(x[:, :2])
    made = roc_curve(y, scores, labels=["setosa", "versicolor", "virginica"])
    areas = [_area(made, name) for name in ("setosa", "versicolor", "virginica")]
    theirs = metrics.roc_auc_score(y, scores, multi_class="ovr", average=None)
    assert areas == pytest.approx(list(theirs))


def _area(made: Any, name: str) -> float:
    rows = [row for row in made.table.data if row[0] == name]
    return float(numpy.trapezoid([row[2] for row in rows], [row[1] for row in rows]))
