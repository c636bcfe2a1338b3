"""Labels and scores as users give them, turned into one curve's worth for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tracking.errors import UsageError
from tracking.extras import require
from tracking.tables.frames import cells_of


class Scored(NamedTuple):
    """One class: its name, which samples belong to it (bools), and the score that each sample has for it."""

    name: Any
    positive: Any
    scores: Any


def scored(what: str, y_true: Any, y_probas: Any, labels: Any, classes_to_plot: Any) -> list[Scored]:
    """Each class that is to be plotted, in the order of the columns of `y_probas`.

    `y_true`: n labels. `y_probas`: n × classes scores, or n scores of the greater of two classes. Raises UsageError for
    shapes that do not match, NaN, and columns that no class can be told for.
    """
    numpy = require("numpy", "media", what)
    truth = truth_of(what, y_true)
    scores = matrix_of(what, y_probas)
    if len(truth) != len(scores):
        raise UsageError(f"{what}: y_true has {len(truth)} samples, y_probas {len(scores)}")
    names = None if labels is None else list(cells_of(labels))
    classes = classes_of(what, truth, scores.shape[1], names)
    found = []
    for place, one in enumerate(classes):
        name = one if names is None or one in names else names[place]
        if classes_to_plot is None or one in (wanted := list(cells_of(classes_to_plot))) or name in wanted:
            positive = numpy.fromiter((label == one for label in truth), bool, len(truth))
            found.append(Scored(name, positive, scores[:, place]))
    if scores.shape[1] == 1 and classes_to_plot is None:
        return found[-1:]
    if not found:
        raise UsageError(f"{what}: classes_to_plot={list(classes_to_plot)!r} has none of the classes {classes}")
    return found


def truth_of(what: str, y_true: Any, argument: str = "y_true") -> list[Any]:
    """The labels as plain values. Raises UsageError when there are none, or one is missing."""
    if y_true is None:
        raise UsageError(f"{what}: {argument} is None: pass the label of each sample")
    found = [_label(what, label, place, argument) for place, label in enumerate(cells_of(_flat(y_true)))]
    if not found:
        raise UsageError(f"{what}: {argument} is empty")
    return found


def _flat(values: Any) -> Any:
    """Without the second dimension of a column of labels."""
    if getattr(values, "ndim", 1) == 2 and values.shape[1] == 1:
        return values.reshape(-1) if hasattr(values, "reshape") else values.iloc[:, 0]
    return values


def _label(what: str, label: Any, place: int, argument: str) -> Any:
    label = label.item() if getattr(label, "ndim", None) == 0 else label
    if isinstance(label, float):
        if label != label:
            raise UsageError(f"{what}: {argument}[{place}] is NaN: leave samples without a label out")
        label = int(label) if label == int(label) else label
    if not isinstance(label, (str, int, float)):
        raise UsageError(f"{what}: {argument}[{place}] is {label!r}: a label is a number or text")
    return label


def matrix_of(what: str, y_probas: Any, argument: str = "y_probas") -> Any:
    """Scores as an array of float64, samples × classes. Raises UsageError for another shape, and NaN."""
    numpy = require("numpy", "media", what)
    if y_probas is None:
        raise UsageError(f"{what}: {argument} is None: pass a score for each sample and class")
    if hasattr(y_probas, "detach"):
        y_probas = y_probas.detach().cpu()
    try:
        scores = numpy.asarray(y_probas, dtype="float64")
    except (TypeError, ValueError) as error:
        raise UsageError(f"{what}: {argument} is no table of numbers: {error}") from None
    if scores.ndim not in (1, 2):
        raise UsageError(f"{what}: {argument} has the shape {scores.shape}; it is samples × classes")
    scores = scores.reshape(len(scores), -1) if scores.size else scores.reshape(0, 1)
    bad = numpy.argwhere(numpy.isnan(scores))
    if len(bad):
        row, column = bad[0].tolist()
        raise UsageError(
            f"{what}: {argument}[{row}][{column}] is NaN ({len(bad)} of {scores.size} scores are): "
            "look for a division by zero in the model, or leave these samples out"
        )
    return scores


def classes_of(what: str, truth: Sequence[Any], width: int, names: Sequence[Any] | None) -> list[Any]:
    """The label that each column stands for: a class that no sample has keeps its column.

    Whole numbers from 0 are the places of columns; other labels are found in `names`, or are as many as the columns and
    stand in their order. Raises UsageError when neither holds.
    """
    present = sorted_labels(truth)
    if width == 1:  # scores of the greater class
        if len(present) > 2:
            raise UsageError(f"{what}: {len(present)} classes, but one score for each sample: pass one for each class")
        lone = len(present) == 1 and present[0] in (0, 1)
        return [1] if lone else present[-1:]
    if all(isinstance(label, int) and 0 <= label < width for label in present):
        return list(range(width))
    if names is not None and len(names) == width and set(present) <= set(names):
        return list(names)
    if len(present) == width:
        return present
    raise UsageError(
        f"{what}: y_probas has {width} columns, and y_true {len(present)} classes ({_some(present)}): which column is "
        "whose? Pass labels= with the name of each column, or whole numbers from 0 in y_true"
    )


def sorted_labels(labels: Sequence[Any]) -> list[Any]:
    """Each label once, numbers before texts."""
    return sorted(set(labels), key=lambda label: (isinstance(label, str), label))


def _some(labels: Sequence[Any]) -> str:
    return ", ".join(map(repr, labels[:5])) + (", …" if len(labels) > 5 else "")
