"""The confusion matrix: how often each class was taken for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tracking.errors import UsageError
from tracking.plot import chart
from tracking.plot.chart import CustomChart
from tracking.plot.scores import matrix_of, sorted_labels, truth_of
from tracking.tables.frames import cells_of
from tracking.tables.table import Table

_WHAT = "plot.confusion_matrix"


def confusion_matrix(
    probs: Any = None,
    y_true: Any = None,
    preds: Any = None,
    class_names: Any = None,
    title: str = "Confusion Matrix Curve",
    split_table: bool = False,
) -> CustomChart:
    """Counts of each pair of actual and predicted class.

    `y_true`: a label for each sample. `preds`: a predicted label for each; or instead `probs`: scores, samples ×
    classes, of which the first greatest is the prediction. `class_names`: the name of each class; labels are whole
    numbers from 0, which are places in it, or names. Without names, number n is called "Class_<n+1>" and texts are
    their own names. Raises UsageError for shapes that do not match, NaN, and labels that have no name.
    """
    if (probs is None) == (preds is None):
        raise UsageError(f"{_WHAT}: pass probs or preds, {'not both' if probs is not None else 'one of them'}")
    actual = truth_of(_WHAT, y_true)
    names = None if class_names is None else [str(name) for name in cells_of(class_names)]
    if probs is not None:
        scores = matrix_of(_WHAT, probs, "probs")
        predicted: list[Any] = scores.argmax(axis=1).tolist()
        names = names or [f"Class_{place + 1}" for place in range(scores.shape[1])]
        if len(names) != scores.shape[1]:
            raise UsageError(f"{_WHAT}: {len(names)} class_names, but probs has {scores.shape[1]} columns")
    else:
        predicted = truth_of(_WHAT, preds, "preds")
    if len(actual) != len(predicted):
        raise UsageError(f"{_WHAT}: y_true has {len(actual)} samples, the predictions are {len(predicted)}")
    return _chart(*_named(actual, predicted, names), title, split_table)


def _named(
    actual: Sequence[Any], predicted: Sequence[Any], names: list[str] | None
) -> tuple[Counter[tuple[int, int]], list[str]]:
    """How often each pair of places occurs, and the names of the places."""
    present = sorted_labels([*actual, *predicted])
    places = _places(present, names)
    counts = Counter(zip((places[label] for label in actual), (places[label] for label in predicted), strict=True))
    return counts, names or [_name(label) for label in present]


def _places(present: Sequence[Any], names: list[str] | None) -> dict[Any, int]:
    if names is None:
        return {label: place for place, label in enumerate(present)}
    places: dict[Any, int] = {}
    for label in present:
        if isinstance(label, int) and 0 <= label < len(names):
            places[label] = int(label)
        elif str(label) in names:
            places[label] = names.index(str(label))
    if len(places) == len(present):
        return places
    if len(present) == len(names) and not any(isinstance(label, str) for label in present):
        return {label: place for place, label in enumerate(present)}
    lost = [label for label in present if label not in places]
    raise UsageError(
        f"{_WHAT}: label {lost[0]!r} is none of the {len(names)} class_names: labels are names, or numbers from 0 to "
        f"{len(names) - 1}"
    )


def _name(label: Any) -> str:
    return f"Class_{label + 1}" if isinstance(label, int) and label >= 0 else str(label)


def _chart(counts: Counter[tuple[int, int]], names: list[str], title: str, split: bool) -> CustomChart:
    size = len(names)
    pairs: Any = sorted(counts)
    if size * size <= Table.MAX_ROWS:  # beyond, pairs that never occur are left out
        pairs = ((row, column) for row in range(size) for column in range(size))
    table = Table(
        ["Actual", "Predicted", "nPredictions"],
        [[names[row], names[column], counts[row, column]] for row, column in pairs],
    )
    fields = {column: column for column in ("Actual", "Predicted", "nPredictions")}
    return CustomChart(chart.CONFUSION, table, fields, {"title": title}, split)
