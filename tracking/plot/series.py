"""Several lines in one chart, from lists of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tracking.errors import UsageError
from tracking.plot import chart
from tracking.plot.chart import CustomChart
from tracking.tables.frames import cells_of
from tracking.tables.table import Table


def line_series(
    xs: Iterable[Any],
    ys: Iterable[Iterable[Any]],
    keys: Iterable[str] | None = None,
    title: str = "",
    xname: str = "x",
    split_table: bool = False,
) -> CustomChart:
    """A line for each list in `ys`.

    `xs` is one list of x values for all of them, or a list of lists. `keys` are the names of the lines (by default
    line_0, line_1 …). Raises UsageError for lengths that do not match; it says which.
    """
    lines = _lines(ys)
    across = _xs(xs, len(lines))
    names = [f"line_{number}" for number in range(len(lines))] if keys is None else [str(key) for key in keys]
    if len(names) != len(lines):
        raise UsageError(f"plot.line_series: {len(names)} keys for {len(lines)} lines in ys")
    rows: list[list[Any]] = []
    for name, x, y in zip(names, across, lines, strict=True):
        if len(x) != len(y):
            raise UsageError(f"plot.line_series: {name!r} has {len(x)} x values, but {len(y)} y values")
        rows += [[one, name, other] for one, other in zip(x, y, strict=True)]
    table = Table(["step", "lineKey", "lineVal"], rows)
    fields = {column: column for column in ("step", "lineKey", "lineVal")}
    return CustomChart(chart.LINE_SERIES, table, fields, {"title": title, "xname": xname}, split_table)


def _lines(ys: Iterable[Iterable[Any]]) -> list[list[Any]]:
    if isinstance(ys, (str, bytes)) or not hasattr(ys, "__iter__"):
        raise UsageError(f"plot.line_series: ys is a list of lists of numbers, not a {type(ys).__name__}")
    found = list(ys)
    for number, values in enumerate(found):
        if not _is_list(values):
            raise UsageError(f"plot.line_series: ys[{number}] is {values!r}; ys is a list of lists, one for each line")
    return [cells_of(_sequence(values)) for values in found]


def _xs(xs: Iterable[Any], lines: int) -> list[list[Any]]:
    found = list(xs)
    if not found or not _is_list(found[0]):
        return [found] * lines
    if len(found) != lines:
        raise UsageError(f"plot.line_series: {len(found)} lists of x values for {lines} lines in ys")
    return [cells_of(_sequence(values)) for values in found]


def _is_list(value: Any) -> bool:
    """Whether it has elements: an array without dimensions only looks like it."""
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 1) > 0


def _sequence(values: Any) -> Sequence[Any]:
    sequence: Sequence[Any] = values if hasattr(values, "__len__") else list(values)
    return sequence
