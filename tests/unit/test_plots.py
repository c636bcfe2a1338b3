"""Charts: what their tables hold, by the formulas, and what is refused."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy
import pytest

import tracking
from tests.unit.memory_sink import MemorySink
from tracking.errors import UsageError
from tracking.media.reading import from_record
from tracking.plot import chart, curves
from tracking.plot.chart import CustomChart
from tracking.tables.table import Table

plot = tracking.plot
TABLE = Table(["a", "b", "c"], [["x", 1, 2.5], ["y", 3, 4.5]])


def test_charts_of_columns_say_which_they_show() -> None:
    bar = plot.bar(TABLE, "a", "b", title="t")
    assert (bar.preset, bar.fields, bar.strings) == ("bar", {"label": "a", "value": "b"}, {"title": "t"})
    assert plot.scatter(TABLE, "b", "c").fields == {"x": "b", "y": "c"}
    assert plot.line(TABLE, "b", "c", stroke="a").fields == {"x": "b", "y": "c", "stroke": "a"}
    assert plot.line(TABLE, "b", "c").fields == {"x": "b", "y": "c"}
    assert plot.histogram(TABLE, "b", split_table=True).split_table


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: plot.bar(TABLE, "a", "z"),
        lambda: plot.line(TABLE, "b", "c", stroke="z"),
        lambda: plot.scatter(TABLE, "z", "c"),
        lambda: plot.histogram(TABLE, "z"),
    ],
)
def test_a_column_that_is_not_there_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"no column 'z'; its columns are \['a', 'b', 'c'\]"):
        wrong()


def test_a_chart_needs_a_table() -> None:
    rows: Any = [[1]]
    with pytest.raises(UsageError, match="Table, not a list"):
        plot.bar(rows, "a", "b")
    with pytest.raises(UsageError, match="Table, not from a list"):
        plot.plot_table("wandb/bar/v0", rows, {})


def test_a_chart_is_stored_with_its_table_and_read_again() -> None:
    sink = MemorySink()
    made = plot.plot_table("wandb/line/v0", TABLE, {"x": "b", "y": "c"}, {"title": "t"}, split_table=True)
    record = made.to_record(sink, "k", 1)
    assert (record["_type"], record["preset"], record["table"]["nrows"]) == ("custom-chart", "line", 2)
    assert record["table"]["path"] == "media/table/k_table_1.table.parquet"
    found = from_record(record, sink.open)
    assert vars(found) == vars(made)
    assert plot.plot_table("mine/special", TABLE, {}).preset == "mine/special"


def test_lines_share_their_x_values_or_have_their_own() -> None:
    shared = plot.line_series([0, 1], [[1, 2], [3, 4]], keys=["a", "b"], xname="epoch")
    assert shared.table.data == [[0, "a", 1], [1, "a", 2], [0, "b", 3], [1, "b", 4]]
    assert shared.strings == {"title": "", "xname": "epoch"}
    own = plot.line_series([[0], [5, 6]], (iter([1]), numpy.array([2, 3])))
    assert own.table.data == [[0, "line_0", 1], [5, "line_1", 2], [6, "line_1", 3]]
    assert plot.line_series(numpy.arange(2), numpy.eye(2)).table.data[3] == [1, "line_1", 1.0]


@pytest.mark.parametrize(
    ("xs", "ys", "keys", "says"),
    [
        ([0, 1], [[1]], None, "'line_0' has 2 x values, but 1 y values"),
        ([[0], [1]], [[1]], None, "2 lists of x values for 1 lines"),
        ([0], [[1], [2]], ["a"], "1 keys for 2 lines"),
        ([0], [1, 2], None, "ys[0] is 1"),
        ([0], "ab", None, "not a str"),
    ],
)
def test_lines_that_do_not_match_are_refused(xs: Any, ys: Any, keys: Any, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        plot.line_series(xs, ys, keys)


# The confusion matrix


def matrix(made: CustomChart) -> list[list[int]]:
    counts = made.table.get_column("nPredictions")
    size = math.isqrt(len(counts))
    return [counts[row * size : (row + 1) * size] for row in range(size)]


def test_pairs_of_actual_and_predicted_classes_are_counted() -> None:
    made = plot.confusion_matrix(y_true=[0, 1, 2, 2], preds=[0, 2, 2, 2], class_names=["a", "b", "c"])
    assert matrix(made) == [[1, 0, 0], [0, 0, 1], [0, 0, 2]]
    assert made.table.data[5] == ["b", "c", 1]


def test_a_class_that_nobody_has_keeps_its_place() -> None:
    made = plot.confusion_matrix(y_true=[0, 2], preds=[2, 2], class_names=["a", "b", "c"])
    assert matrix(made) == [[0, 0, 1], [0, 0, 0], [0, 0, 1]]


def test_predictions_come_from_the_greatest_score() -> None:
    made = plot.confusion_matrix(probs=[[0.1, 0.9], [0.5, 0.5]], y_true=numpy.array([1, 1]))
    assert matrix(made) == [[0, 0], [1, 1]]
    assert made.table.data[0][:2] == ["Class_1", "Class_1"]


def test_labels_may_be_names_or_any_numbers() -> None:
    named = plot.confusion_matrix(y_true=["cat", "dog"], preds=["dog", "dog"], class_names=["dog", "cat"])
    assert named.table.data == [["dog", "dog", 1], ["dog", "cat", 0], ["cat", "dog", 1], ["cat", "cat", 0]]
    assert plot.confusion_matrix(y_true=["b", "a"], preds=["a", "a"]).table.data[1] == ["a", "b", 0]
    assert matrix(plot.confusion_matrix(y_true=[-1, 1], preds=[1, 1], class_names=["no", "yes"])) == [[0, 1], [0, 1]]
    assert plot.confusion_matrix(y_true=[0, 2], preds=[0.0, 2.0]).table.data[1] == ["Class_1", "Class_3", 0]
    assert matrix(plot.confusion_matrix(y_true=[True, False], preds=[True, True])) == [[0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"y_true": [0]}, "pass probs or preds, one of them"),
        ({"y_true": [0], "preds": [0], "probs": [[1.0]]}, "not both"),
        ({"preds": [0]}, "y_true is None"),
        ({"y_true": [], "preds": []}, "y_true is empty"),
        ({"y_true": [0, 1], "preds": [0]}, "y_true has 2 samples, the predictions are 1"),
        ({"y_true": [5, 1], "preds": [0, 0], "class_names": ["a", "b"]}, "label 5 is none of the 2 class_names"),
        ({"y_true": ["x"], "preds": ["a"], "class_names": ["a", "b"]}, "label 'x' is none"),
        ({"y_true": [0], "probs": [[0.1, math.nan]]}, "probs[0][1] is NaN (1 of 2 scores are)"),
        ({"y_true": [math.nan], "preds": [0]}, "y_true[0] is NaN"),
        ({"y_true": [0], "probs": [[0.1, 0.2]], "class_names": ["a"]}, "1 class_names, but probs has 2 columns"),
        ({"y_true": [[0, 1]], "preds": [0]}, "a label is a number or text"),
    ],
)
def test_a_matrix_of_wrong_arguments_is_refused(arguments: Any, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        plot.confusion_matrix(**arguments)


def test_a_matrix_of_very_many_classes_has_only_the_pairs_that_occur(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Table, "MAX_ROWS", 8)
    made = plot.confusion_matrix(y_true=[0, 1, 2], preds=[0, 1, 1])
    assert made.table.data == [["Class_1", "Class_1", 1], ["Class_2", "Class_2", 1], ["Class_3", "Class_2", 1]]


# Curves


def points(made: CustomChart, name: Any) -> list[tuple[float, float]]:
    x, y = made.table.get_column(made.fields["x"]), made.table.get_column(made.fields["y"])
    return [(a, b) for a, b, c in zip(x, y, made.table.get_column("class"), strict=True) if c == name]


def test_a_roc_curve_goes_through_every_threshold() -> None:
    made = plot.roc_curve([0, 1, 0, 1], [[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]])
    assert points(made, 1) == [(0, 0), (0, 0.5), (0, 1), (1, 1)]
    assert made.strings["x-axis-title"] == "False positive rate"


def test_equal_scores_are_one_step() -> None:
    assert points(plot.roc_curve([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]), 1) == [(0, 0), (1, 1)]
    made = plot.roc_curve([0, 1, 1], [0.1, 0.5, 0.1])
    assert points(made, 1) == [(0, 0), (0, 0.5), (1, 1)]


def test_a_precision_recall_curve_is_the_best_precision_at_each_recall_or_more() -> None:
    made = plot.pr_curve([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], interp_size=3)
    assert points(made, 1) == [(1, 2 / 3), (0.5, 1), (0, 1)]
    assert made.strings == {"title": "Precision-Recall Curve", "x-axis-title": "Recall", "y-axis-title": "Precision"}


def test_a_recall_that_floats_only_nearly_reach_is_reached() -> None:
    truth = [1] * 10 + [0] * 10
    made = plot.pr_curve(truth, [1 - place / 20 for place in range(20)], interp_size=11)
    assert {precision for _, precision in points(made, 1)} == {1.0}


def test_classes_are_named_and_chosen() -> None:
    truth, scores = [0, 1, 2, 1], numpy.eye(3)[[0, 1, 2, 0]]
    made = plot.roc_curve(truth, scores, labels=["a", "b", "c"], classes_to_plot=[1, 2])
    assert list(dict.fromkeys(made.table.get_column("class"))) == ["b", "c"]
    by_name = plot.roc_curve(["b", "a", "b"], [[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]], classes_to_plot=["b"])
    assert points(by_name, "b") == [(0, 0), (0, 0.5), (0, 1), (1, 1)]
    named = plot.pr_curve(["b", "b"], [[0.9, 0.1], [0.8, 0.2]], labels=["b", "a"])
    assert set(named.table.get_column("class")) == {"b"}


def test_a_class_that_no_sample_has_keeps_its_column_and_has_no_curve(capsys: pytest.CaptureFixture[str]) -> None:
    scores = [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.2, 0.1, 0.7]]
    made = plot.roc_curve([0, 2, 2], scores)
    assert points(made, 2) == [(0, 0), (0, 1), (1, 1)]
    assert points(made, 1) == []
    assert "class 1 has no curve, because no sample is of it" in capsys.readouterr().err


def test_a_single_class_has_no_roc_curve_but_a_precision(capsys: pytest.CaptureFixture[str]) -> None:
    assert plot.roc_curve([1, 1], [0.5, 0.6]).table.data == []
    assert "every sample is of it" in capsys.readouterr().err
    assert {precision for _, precision in points(plot.pr_curve([1, 1], [0.5, 0.6]), 1)} == {1.0}
    assert plot.pr_curve([0, 0], [0.5, 0.6]).table.data == []


@pytest.mark.parametrize(
    ("truth", "scores", "options", "says"),
    [
        ([0, 1], [[0.5, math.nan], [0.5, 0.5]], {}, "y_probas[0][1] is NaN (1 of 4 scores are)"),
        ([0, 1], [[0.5, 0.5]], {}, "y_true has 2 samples, y_probas 1"),
        ([0, 1], None, {}, "y_probas is None"),
        (None, [[1]], {}, "y_true is None"),
        ([], [], {}, "y_true is empty"),
        ([0, 1], [["a", "b"]], {}, "is no table of numbers"),
        ([0], [[[1.0]]], {}, "has the shape (1, 1, 1)"),
        ([0, 1, 2], [0.1, 0.2, 0.3], {}, "3 classes, but one score for each sample"),
        (["a", "b"], numpy.zeros((2, 3)), {}, "3 columns, and y_true 2 classes ('a', 'b')"),
        ([0, 1], numpy.zeros((2, 2)), {"classes_to_plot": [7]}, "has none of the classes [0, 1]"),
    ],
)
def test_a_curve_of_wrong_arguments_is_refused(truth: Any, scores: Any, options: Any, says: str) -> None:
    for draw in (plot.roc_curve, plot.pr_curve):
        with pytest.raises(UsageError, match=re.escape(says)):
            draw(truth, scores, **options)


def test_a_curve_between_too_few_recalls_is_refused() -> None:
    with pytest.raises(UsageError, match="interp_size"):
        plot.pr_curve([0, 1], [0.1, 0.2], interp_size=1)


def test_a_long_curve_is_thinned_out_and_keeps_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "MOST_POINTS", 50)
    rng = numpy.random.default_rng(1)
    made = plot.roc_curve(rng.integers(0, 2, 2000), rng.random(2000))
    found = points(made, 1)
    assert len(found) == 50
    assert (found[0], found[-1]) == ((0, 0), (1, 1))
    assert len(set(found)) == 50


# Figures


@pytest.mark.parametrize(
    "made",
    [
        plot.bar(TABLE, "a", "b"),
        plot.scatter(TABLE, "b", "c"),
        plot.line(TABLE, "b", "c", stroke="a"),
        plot.line(TABLE, "b", "c"),
        plot.histogram(TABLE, "b"),
        plot.line_series([0, 1], [[1, 2], [3, 4]]),
        plot.confusion_matrix(y_true=[0, 1], preds=[1, 1]),
        plot.roc_curve([0, 1], [0.1, 0.9]),
        plot.pr_curve([0, 1], [0.1, 0.9]),
    ],
    ids=lambda made: made.preset,
)
def test_charts_become_figures_of_plotly(made: CustomChart) -> None:
    figure = made.to_figure()
    assert len(figure.data) >= 1
    assert figure.layout.xaxis.title.text


def test_a_preset_of_ones_own_has_no_figure() -> None:
    with pytest.raises(UsageError, match="no figure is known for the preset 'mine'"):
        chart.CustomChart("mine", TABLE, {}).to_figure()
