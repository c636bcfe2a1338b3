"""Charts which show columns of a table as they are."""

from __future__ import annotations

from tracking.plot import chart
from tracking.plot.chart import CustomChart, checked_columns
from tracking.tables.table import Table


def bar(table: Table, label: str, value: str, title: str = "", split_table: bool = False) -> CustomChart:
    """A bar for each row: `label` and `value` are columns. Raises UsageError for a column that is not there."""
    checked_columns("plot.bar", table, label, value)
    return CustomChart(chart.BAR, table, {"label": label, "value": value}, {"title": title}, split_table)


def scatter(table: Table, x: str, y: str, title: str = "", split_table: bool = False) -> CustomChart:
    """A point for each row: `x` and `y` are columns. Raises UsageError for a column that is not there."""
    checked_columns("plot.scatter", table, x, y)
    return CustomChart(chart.SCATTER, table, {"x": x, "y": y}, {"title": title}, split_table)


def line(
    table: Table, x: str, y: str, stroke: str | None = None, title: str = "", split_table: bool = False
) -> CustomChart:
    """A line through the rows; with `stroke` one for each value of that column.

    Raises UsageError for a column that is not there.
    """
    checked_columns("plot.line", table, x, y, *([] if stroke is None else [stroke]))
    fields = {"x": x, "y": y} | ({} if stroke is None else {"stroke": stroke})
    return CustomChart(chart.LINE, table, fields, {"title": title}, split_table)


def histogram(table: Table, value: str, title: str = "", split_table: bool = False) -> CustomChart:
    """How often the values of a column occur, in bins that the viewer chooses. Raises UsageError."""
    checked_columns("plot.histogram", table, value)
    return CustomChart(chart.HISTOGRAM, table, {"value": value}, {"title": title}, split_table)
