"""A chart as it is logged: a table, the name of a preset, and which column plays which part in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tracking.errors import UsageError
from tracking.media.contract import Media, Sink
from tracking.tables.table import Table

BAR, CONFUSION, CURVE, HISTOGRAM = "bar", "confusion_matrix", "area_under_curve", "histogram"
LINE, LINE_SERIES, SCATTER = "line", "line_series", "scatter"
_OF_WANDB = {
    "wandb/bar/v0": BAR,
    "wandb/confusion_matrix/v1": CONFUSION,
    "wandb/area-under-curve/v0": CURVE,
    "wandb/histogram/v0": HISTOGRAM,
    "wandb/line/v0": LINE,
    "wandb/lineseries/v0": LINE_SERIES,
    "wandb/scatter/v0": SCATTER,
}
"""W&B's names of the presets that we have too."""


class CustomChart(Media):
    """A chart of a table. Log it: `tracking.log({"roc": chart})`.

    `preset` names the kind of chart, `fields` maps its parts to columns of `table`, `strings` holds its texts.
    """

    type_name: ClassVar[str] = "custom-chart"

    def __init__(
        self,
        preset: str,
        table: Table,
        fields: Mapping[str, Any],
        strings: Mapping[str, Any] | None = None,
        split_table: bool = False,
    ) -> None:
        """Raises UsageError when `table` is no Table."""
        if not isinstance(table, Table):
            raise UsageError(f"a chart is made from a tracking.Table, not from a {type(table).__name__}")
        self.preset = _OF_WANDB.get(str(preset), str(preset))
        self.table = table
        self.fields, self.strings = dict(fields), dict(strings or {})
        self.split_table = bool(split_table)

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        """Store the table; the rest stands in the record. Raises ExtraMissing without pyarrow, OSError."""
        return {
            "_type": self.type_name,
            "preset": self.preset,
            "fields": self.fields,
            "strings": self.strings,
            "split_table": self.split_table,
            "table": self.table.to_record(sink, f"{key}_table", step),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: Any) -> CustomChart:
        """The chart that a record speaks of, with its table read."""
        table = Table.from_record(record["table"], opener)
        return cls(record["preset"], table, record["fields"], record["strings"], record.get("split_table", False))

    def to_figure(self) -> Any:
        """The chart as a figure of plotly. Raises ExtraMissing, UsageError for a preset that only you know."""
        from tracking.plot.figure import figure_of  # most charts are only logged

        return figure_of(self)

    def __repr__(self) -> str:
        return f"CustomChart({self.preset!r}, {self.table!r})"


def plot_table(
    vega_spec_name: str,
    data_table: Table,
    fields: Mapping[str, Any],
    string_fields: Mapping[str, Any] | None = None,
    split_table: bool = False,
) -> CustomChart:
    """A chart of your own: the name of a Vega specification, a table, and what its fields and texts are.

    `split_table` asks viewers to show the table in a section of its own. Raises UsageError when `data_table` is no
    Table.
    """
    return CustomChart(vega_spec_name, data_table, fields, string_fields, split_table)


def checked_columns(what: str, table: Any, *columns: str) -> None:
    """Raises UsageError when it is no Table, or lacks a column."""
    if not isinstance(table, Table):
        raise UsageError(f"{what}: table is a tracking.Table, not a {type(table).__name__}")
    for column in columns:
        if column not in table.columns:
            raise UsageError(f"{what}: the table has no column {column!r}; its columns are {table.columns}")
