"""How runs are shown: the list, one run, several side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sweeps.views.sparkline import sparkline
from sweeps.views.wording import NONE, ago, clean, span, value_text
from tracking.public.filtering.fields import field
from tracking.public.run import Run

STATE_STYLES = {
    "running": "cyan",
    "finished": "green",
    "failed": "red",
    "crashed": "red",
    "killed": "yellow",
    "preempted": "yellow",
}
_ABSENT = object()
_LONGEST = 48


def runs_table(runs: Sequence[Run], columns: Sequence[str], now: float, *, with_project: bool) -> Table:
    """One line per run, with the config and summary values that `columns` name."""
    table = _table()
    table.add_column("id", no_wrap=True, style="cyan")
    table.add_column("name", overflow="ellipsis", no_wrap=True, max_width=32)
    if with_project:
        table.add_column("project", overflow="ellipsis", no_wrap=True, max_width=24)
    table.add_column("state", no_wrap=True)
    table.add_column("steps", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    for name in columns:
        table.add_column(Text(clean(name.partition(".")[2])), justify="right", overflow="ellipsis", no_wrap=True)
    table.add_column("tags", overflow="ellipsis", no_wrap=True, max_width=24)
    table.add_column("created", justify="right", no_wrap=True, style="bright_black")
    for run in runs:
        row = [Text(run.id), Text(clean(run.name))]
        row += [Text(clean(run.project))] if with_project else []
        row += [state_text(run.state), Text(str(run.lastHistoryStep + 1)), Text(span(run.duration))]
        row += [Text(_cell(_value_of(run, name))) for name in columns]
        table.add_row(*row, Text(clean(", ".join(run.tags))), Text(ago(now - run._row.created_at)))
    return table


def state_text(state: str) -> Text:
    return Text(state, STATE_STYLES.get(state, ""))


def facts_table(facts: Mapping[str, Any], *, blanks: bool = False) -> Table:
    """Names and values, one line each; what is empty is left out unless `blanks` shows it."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bright_black", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if blanks or (value is not None and value not in ("", [], (), {})):
            table.add_row(Text(clean(name)), value if isinstance(value, Text) else Text(_cell(value, value)))
    return table


def metrics_table(summary: Mapping[str, Any], curves: Mapping[str, Sequence[float]]) -> Table:
    """A metric in each line: its curve and what the summary says of it."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", overflow="ellipsis", no_wrap=True, max_width=_LONGEST)
    table.add_column(style="blue", no_wrap=True)
    table.add_column(overflow="ellipsis", no_wrap=True)
    for name in sorted(summary):
        table.add_row(Text(clean(name)), Text(sparkline(curves.get(name, ()), 30)), Text(_cell(summary[name])))
    return table


def comparison(runs: Sequence[Run]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The config keys in which the runs differ, and their metrics; for each the value of every run (or ABSENT)."""
    configs = [flat(run.config) for run in runs]
    summaries = [{key: value for key, value in flat(run.summary_metrics).items() if key[:1] != "_"} for run in runs]
    config = {key: values for key, values in _side_by_side(configs).items() if not _all_equal(values)}
    return config, _side_by_side(summaries)


def comparison_table(runs: Sequence[Run], rows: Mapping[str, Sequence[Any]], title: str) -> Table:
    """One line per key, one column per run."""
    table = _table()
    table.add_column(Text(title), overflow="ellipsis", no_wrap=True, max_width=_LONGEST)
    for run in runs:
        table.add_column(Text(run.id), overflow="ellipsis", no_wrap=True, justify="right")
    for key, values in rows.items():
        table.add_row(Text(clean(key)), *(Text(_cell(None if value is _ABSENT else value, value)) for value in values))
    return table


def plain_comparison(rows: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """For JSON: null where a run has no value."""
    return {key: [None if value is _ABSENT else value for value in values] for key, values in rows.items()}


def print_heading(out: Console, text: str) -> None:
    out.print()
    out.print(Text(text, "bold"))


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of nested mappings, their names joined with dots; records of media are leaves."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value and "_type" not in value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _side_by_side(mappings: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names: Iterable[str] = sorted({name for mapping in mappings for name in mapping})
    return {name: [mapping.get(name, _ABSENT) for mapping in mappings] for name in names}


def _all_equal(values: Sequence[Any]) -> bool:
    return all(type(value) is type(values[0]) and value == values[0] for value in values)


def _value_of(run: Run, name: str) -> Any:
    """What a filter on this name would compare with."""
    found = field(name)
    values: Any = run.config if found.kind == "config" else run.summary_metrics
    for path in found.paths:
        value: Any = values
        for key in path:
            value = value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        if value is not _ABSENT:
            return value
    return None


def _cell(value: Any, given: Any = None) -> str:
    if given is _ABSENT or (value is None and given is None):
        return NONE
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:.5g}" if math.isfinite(value) else str(value)
    if isinstance(value, Mapping) and "_type" in value:
        return f"<{value['_type']}>"
    return value_text(value)


def _table() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
