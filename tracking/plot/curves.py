"""Precision over recall, and true over false positives, for each class against all others."""

from __future__ import annotations

from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.notices import warn
from tracking.plot import chart
from tracking.plot.chart import CustomChart
from tracking.plot.scores import Scored, scored
from tracking.tables.table import Table

MOST_POINTS = 10_000
"""A curve with more is thinned out evenly; its ends stay."""


def roc_curve(
    y_true: Any,
    y_probas: Any = None,
    labels: Any = None,
    classes_to_plot: Any = None,
    title: str = "ROC Curve",
    split_table: bool = False,
) -> CustomChart:
    """The receiver operating characteristic of each class against the rest.

    `y_true`: a label for each sample. `y_probas`: scores, samples × classes (of two classes, the scores of the greater
    one will do). `labels`: the name of each column of `y_probas`. `classes_to_plot`: only these classes. A class
    that all samples have, or none has, has no curve: it is left out with a warning. Raises UsageError for shapes
    that do not match and for NaN among the scores, ExtraMissing without numpy.
    """
    rows: list[list[Any]] = []
    for one in scored("plot.roc_curve", y_true, y_probas, labels, classes_to_plot):
        points = roc_points(one)
        if points is None:
            _undefined("plot.roc_curve", one)
            continue
        rows += [[one.name, x, y] for x, y in _thinned(*points)]
    table = Table(["class", "fpr", "tpr"], rows)
    return _curve(table, "fpr", "tpr", title, "False positive rate", "True positive rate", split_table)


def pr_curve(
    y_true: Any = None,
    y_probas: Any = None,
    labels: Any = None,
    classes_to_plot: Any = None,
    interp_size: int = 21,
    title: str = "Precision-Recall Curve",
    split_table: bool = False,
) -> CustomChart:
    """Interpolated precision of each class against the rest, at `interp_size` recalls from 0 to 1.

    At a recall it is the best precision at that or any higher recall. The other arguments, and what is raised, are as
    for `roc_curve`; a class that no sample has is left out with a warning.
    """
    if not isinstance(interp_size, int) or interp_size < 2:
        raise UsageError(f"plot.pr_curve(interp_size={interp_size!r}): a whole number, 2 or more")
    rows: list[list[Any]] = []
    for one in scored("plot.pr_curve", y_true, y_probas, labels, classes_to_plot):
        points = pr_points(one, interp_size)
        if points is None:
            _undefined("plot.pr_curve", one)
            continue
        rows += [[one.name, y, x] for x, y in zip(*points, strict=True)]
    table = Table(["class", "precision", "recall"], rows)
    return _curve(table, "recall", "precision", title, "Recall", "Precision", split_table)


def _curve(table: Table, x: str, y: str, title: str, x_title: str, y_title: str, split: bool) -> CustomChart:
    strings = {"title": title, "x-axis-title": x_title, "y-axis-title": y_title}
    return CustomChart(chart.CURVE, table, {"x": x, "y": y, "class": "class"}, strings, split)


def _undefined(what: str, one: Scored) -> None:
    lacking = "no sample is of it" if not one.positive.any() else "every sample is of it"
    warn(f"{what}: class {one.name!r} has no curve, because {lacking}; it is left out")


def _counts(one: Scored) -> tuple[Any, Any]:
    """True and false positives if everything from a score up is called positive, for each distinct score downwards.

    Samples of equal score go together: no threshold lies between them.
    """
    numpy = require("numpy", "media", "a curve")
    order = numpy.argsort(-one.scores, kind="stable")
    scores = one.scores[order]
    last = numpy.append(numpy.nonzero(scores[1:] != scores[:-1])[0], len(scores) - 1)
    true = numpy.cumsum(one.positive[order])[last]
    return true, 1 + last - true


def roc_points(one: Scored) -> tuple[list[float], list[float]] | None:
    """False and true positive rates from (0, 0) to (1, 1), without points inside a straight piece.

    None where a rate would be 0/0: all samples are of the class, or none is.
    """
    numpy = require("numpy", "media", "a curve")
    true, false = _counts(one)
    if not true[-1] or not false[-1]:
        return None
    if len(true) > 2:
        bends = (numpy.diff(false, 2) != 0) | (numpy.diff(true, 2) != 0)
        kept = numpy.concatenate([[True], bends, [True]])
        true, false = true[kept], false[kept]
    true, false = numpy.append(0, true), numpy.append(0, false)
    return (false / false[-1]).tolist(), (true / true[-1]).tolist()


def pr_points(one: Scored, size: int) -> tuple[list[float], list[float]] | None:
    """`size` recalls from 1 down to 0, and the interpolated precision at each; None when no sample is of the class."""
    numpy = require("numpy", "media", "a curve")
    true, false = _counts(one)
    if not true[-1]:
        return None
    best = numpy.maximum.accumulate((true / (true + false))[::-1])[::-1]
    recall = numpy.linspace(1.0, 0.0, size)
    # Which count of true positives reaches the recall: 0.3 * 10 is a little more than 3.
    precision = best[numpy.searchsorted(true, recall * true[-1] - 1e-9)]
    precision[-1] = 1.0  # nothing is called positive, so nothing wrongly
    return recall.tolist(), precision.tolist()


def _thinned(x: list[float], y: list[float]) -> list[tuple[float, float]]:
    points = list(zip(x, y, strict=True))
    if len(points) <= MOST_POINTS:
        return points
    pace = (len(points) - 1) / (MOST_POINTS - 1)
    return [points[round(place * pace)] for place in range(MOST_POINTS)]
