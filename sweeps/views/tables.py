"""The tables of `sweep ls` and `sweep show`: columns that fit are shown, those that do not are named below."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sweeps.records import TrialRecord
from sweeps.states import TrialState
from sweeps.views.wording import NONE, STATE_STYLES, STATE_WORDS, ago, clean, number, span, value_text

_GAP = 2  # of which the box draws one
_WHY_MIN = 40  # a narrower column would cut off what matters: reasons then stand below the table
_MOST_REMARKS = 8


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One line of `sweep ls`."""

    id: str
    name: str
    project: str
    state: str
    method: str
    done: int
    budget: int | None
    best: float | None
    metric: str
    age: float
    """Seconds since it was created."""


def sweeps_table(lines: Sequence[SweepLine], width: int) -> Table:
    """The sweeps of a store, one line each."""
    table = _table()
    table.add_column("id", no_wrap=True, style="cyan")
    table.add_column("state", no_wrap=True)
    table.add_column("trials", justify="right", no_wrap=True)
    table.add_column("best", justify="right", no_wrap=True)
    table.add_column("metric", overflow="ellipsis", no_wrap=True)
    table.add_column("name", overflow="ellipsis", no_wrap=True)
    if width >= 90:
        table.add_column("project", overflow="ellipsis", no_wrap=True)
        table.add_column("method", no_wrap=True)
    table.add_column("created", no_wrap=True, justify="right", style="bright_black")
    for line in lines:
        total = f"/{line.budget}" if line.budget is not None else ""
        cells = [
            Text(line.id),
            Text(line.state, STATE_STYLES.get(line.state, "")),
            Text(f"{line.done}{total}"),
            Text(number(line.best)),
            Text(clean(line.metric)),
            Text(clean(line.name)),
        ]
        cells += [Text(clean(line.project)), Text(line.method)] if width >= 90 else []
        table.add_row(*cells, Text(ago(line.age)))
    return table


def trials_table(
    trials: Sequence[TrialRecord],
    metric: str,
    parameters: Sequence[str],
    width: int,
    *,
    notes: bool = True,
    lost: Container[int] = (),
) -> RenderableType:
    """Trials in the order given, with as many parameter columns as `width` has room for.

    `lost` has the numbers of the running trials whose agent has died.
    """
    columns = [
        ("trial", [str(trial.number) for trial in trials], "right"),
        ("state", ["lost" if trial.number in lost else STATE_WORDS[trial.state] for trial in trials], "left"),
        (clean(metric) or "value", [number(trial.value) for trial in trials], "right"),
        ("time", [span(_seconds(trial)) for trial in trials], "right"),
    ]
    remarks = [clean(trial.reason) if notes and trial.state in _EXPLAINED else "" for trial in trials]
    room = width - sum(_width(title, cells) for title, cells, _ in columns)
    short = short_names(parameters)
    left_out: list[str] = []
    for name in parameters:
        cells = [value_text(trial.params[name]) if name in trial.params else NONE for trial in trials]
        need = _width(short[name], cells)
        if left_out or need > room:
            left_out.append(name)
        else:
            room -= need
            columns.append((short[name], cells, "left"))
    beside = any(remarks) and not left_out and room >= min(_WHY_MIN, max(map(cell_len, remarks)))
    table = _table()
    for title, _, justify in columns:
        table.add_column(Text(title), justify=justify, no_wrap=True)  # type: ignore[arg-type]
    if beside:
        table.add_column("why", overflow="ellipsis", no_wrap=True, style="bright_black", max_width=room)
    for index, trial in enumerate(trials):
        row = [Text(cells[index]) for _, cells, _ in columns]
        row[1].stylize("red" if trial.number in lost else STATE_STYLES[trial.state.value])
        table.add_row(*row, *([Text(remarks[index])] if beside else []))
    below = [f"not shown for lack of room: {', '.join(map(clean, left_out))}"] if left_out else []
    below += [] if beside else _remarks_by_reason(trials, remarks)
    return Group(table, *(Padding(Text(line, "bright_black"), (0, 0, 0, 2), expand=False) for line in below))


def _remarks_by_reason(trials: Sequence[TrialRecord], remarks: Sequence[str]) -> list[str]:
    """`trials 2, 7: exit status 1`: a broken script fails every trial in the same way."""
    numbers: dict[str, list[int]] = {}
    for trial, remark in zip(trials, remarks, strict=True):
        if remark:
            numbers.setdefault(remark, []).append(trial.number)
    lines = [
        f"{'trial' if len(found) == 1 else 'trials'} {_some(sorted(found))}: {remark}"
        for remark, found in numbers.items()
    ]
    return lines if len(lines) <= _MOST_REMARKS else [*lines[:_MOST_REMARKS], f"… {len(lines) - _MOST_REMARKS} more"]


def _some(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MOST_REMARKS]))
    return shown if len(numbers) <= _MOST_REMARKS else f"{shown} and {len(numbers) - _MOST_REMARKS} more"


def short_names(names: Iterable[str]) -> Mapping[str, str]:
    """`opt.lr` -> `lr` where that is still unique."""
    listed = list(names)
    tails = [name.rpartition(".")[2] for name in listed]
    return {name: clean(tail if tails.count(tail) == 1 else name) for name, tail in zip(listed, tails, strict=True)}


_EXPLAINED = (TrialState.FAILED, TrialState.PRUNED, TrialState.CANCELED, TrialState.COMPLETE)


def _seconds(trial: TrialRecord) -> float | None:
    if trial.started_at is None or trial.finished_at is None:
        return None
    return trial.finished_at - trial.started_at


def _width(title: str, cells: Sequence[str]) -> int:
    return max(cell_len(title), *map(cell_len, cells), 0) + _GAP


def _table() -> Table:
    return Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0), header_style="bold")
