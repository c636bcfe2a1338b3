"""Charts as figures of plotly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.plot import chart
from tracking.plot.chart import CustomChart


def figure_of(made: CustomChart) -> Any:
    """A plotly Figure. Raises ExtraMissing without plotly, UsageError for a preset that is not ours."""
    traces = _TRACES.get(made.preset)
    if traces is None:
        raise UsageError(
            f"to_figure(): no figure is known for the preset {made.preset!r}; known are {', '.join(_TRACES)}"
        )
    go = require("plotly.graph_objects", "", "a figure")
    strings, fields = made.strings, made.fields
    x, y = _AXES.get(made.preset, ("x", "y"))
    figure = go.Figure(list(traces(made, go)))
    figure.update_layout(
        title=strings.get("title", ""),
        xaxis_title=strings.get("x-axis-title") or strings.get("xname") or fields.get(x, x),
        yaxis_title=strings.get("y-axis-title") or fields.get(y, y),
    )
    return figure


def _column(made: CustomChart, field: str) -> list[Any]:
    column: list[Any] = made.table.get_column(made.fields[field])
    return column


def _bars(made: CustomChart, go: Any) -> Iterator[Any]:
    yield go.Bar(x=_column(made, "label"), y=_column(made, "value"))


def _histogram(made: CustomChart, go: Any) -> Iterator[Any]:
    yield go.Histogram(x=_column(made, "value"))


def _points(made: CustomChart, go: Any) -> Iterator[Any]:
    yield go.Scatter(x=_column(made, "x"), y=_column(made, "y"), mode="markers")


def _lines(x: str, y: str, name: str) -> Callable[[CustomChart, Any], Iterator[Any]]:
    def traces(made: CustomChart, go: Any) -> Iterator[Any]:
        across, up = _column(made, x), _column(made, y)
        names = _column(made, name) if name in made.fields else [""] * len(up)
        for one in dict.fromkeys(names):
            places = [place for place, other in enumerate(names) if other == one]
            yield go.Scatter(
                x=[across[place] for place in places], y=[up[place] for place in places], mode="lines", name=str(one)
            )

    return traces


def _matrix(made: CustomChart, go: Any) -> Iterator[Any]:
    actual, predicted = _column(made, "Actual"), _column(made, "Predicted")
    counts = dict(zip(zip(actual, predicted, strict=True), _column(made, "nPredictions"), strict=True))
    rows, columns = list(dict.fromkeys(actual)), list(dict.fromkeys(predicted))
    yield go.Heatmap(x=columns, y=rows, z=[[counts.get((row, column), 0) for column in columns] for row in rows])


_TRACES: dict[str, Callable[[CustomChart, Any], Iterator[Any]]] = {
    chart.BAR: _bars,
    chart.CONFUSION: _matrix,
    chart.CURVE: _lines("x", "y", "class"),
    chart.HISTOGRAM: _histogram,
    chart.LINE: _lines("x", "y", "stroke"),
    chart.LINE_SERIES: _lines("step", "lineVal", "lineKey"),
    chart.SCATTER: _points,
}
_AXES = {
    chart.BAR: ("label", "value"),
    chart.CONFUSION: ("Predicted", "Actual"),
    chart.HISTOGRAM: ("value", "count"),
    chart.LINE_SERIES: ("step", "lineVal"),
}
