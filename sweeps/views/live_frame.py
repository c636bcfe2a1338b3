"""Draws one frame of the live view: a pure function from a Snapshot to something that rich prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sweeps.states import SweepState, TrialState
from sweeps.views.snapshot import RunningTrial, Snapshot
from sweeps.views.sparkline import sparkline
from sweeps.views.wording import (
    NONE,
    STATE_STYLES,
    STATE_WORDS,
    clean,
    duration,
    number,
    params_text,
    plural,
    span,
    value_text,
)

_LABEL = 9  # the column of row titles
_MOST_PARAMS = 16
_SEGMENTS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.CANCELED)


def render_frame(snapshot: Snapshot, width: int) -> Group:
    """The whole view, `width` columns wide; readable from 60 columns on."""
    parts: list[RenderableType] = [_title(snapshot, width), _progress(snapshot, width), Text()]
    parts += [*_best(snapshot, width), Text()]
    if snapshot.running:
        parts += [_running(snapshot, width), Text()]
    parts.append(_tally(snapshot, width))
    parts += _warnings(snapshot)
    return Group(*parts)


def render_line(snapshot: Snapshot) -> str:
    """The same in one plain line, for logs and pipes."""
    total = f"/{snapshot.budget}" if snapshot.budget is not None else ""
    parts = [f"{snapshot.done}{total} done"]
    if snapshot.best is not None:
        parts.append(f"best {number(snapshot.best.value)} (trial {snapshot.best.number})")
    parts += [f"{count} {STATE_WORDS[state]}" for state, count in _tallies(snapshot) if state in _SPOKEN and count]
    if snapshot.left is not None and not snapshot.is_over:
        parts.append(f"about {duration(snapshot.left)} left")
    if snapshot.state is not SweepState.RUNNING:
        parts.append(snapshot.state.value)
    if snapshot.lost:
        parts.append(f"{snapshot.lost} lost")
    if snapshot.needs_agent:
        parts.append(f"no agent is running: {_agent_line(snapshot)}")
    if snapshot.problem:
        parts.append(clean(snapshot.problem))
    return f"{snapshot.sweep_id}  " + " · ".join(parts)


_SPOKEN = (TrialState.RUNNING, TrialState.PRUNED, TrialState.FAILED)


def _title(snapshot: Snapshot, width: int) -> Text:
    left = Text(no_wrap=True, overflow="ellipsis")
    if snapshot.name:
        left.append(clean(snapshot.name), "bold")
        left.append("  ")
    left.append(snapshot.sweep_id, "bold cyan")
    facts = [snapshot.method, f"{snapshot.goal} {clean(snapshot.metric)}" if snapshot.metric else ""]
    left.append("  " + " · ".join(fact for fact in facts if fact), "bright_black")
    state = Text(snapshot.state.value, STATE_STYLES.get(snapshot.state.value, ""))
    left.truncate(max(10, width - len(state) - 2), overflow="ellipsis")
    return Text.assemble(left, " " * max(2, width - left.cell_len - state.cell_len), state)


def _progress(snapshot: Snapshot, width: int) -> Text:
    total = f"/{snapshot.budget}" if snapshot.budget is not None else " done"
    clock = duration(snapshot.elapsed)
    if snapshot.left is not None and not snapshot.is_over:
        clock += f", about {duration(snapshot.left)} left"
    label = Text.assemble("  ", (f"{snapshot.done}{total}", "bold"), ("  " + clock, "bright_black"))
    if snapshot.budget is None:
        return label[2:]
    return Text.assemble(_bar(snapshot, max(10, width - label.cell_len)), label)


def _bar(snapshot: Snapshot, width: int) -> Text:
    """One segment per way of ending, then what runs, then what is to come."""
    bar = Text(no_wrap=True)
    total = max(snapshot.budget or 0, sum(snapshot.counts.values()), 1)
    passed = 0
    for state in (*_SEGMENTS, TrialState.RUNNING):
        start = round(passed / total * width)
        passed += snapshot.counts.get(state, 0)
        glyph = "╌" if state is TrialState.RUNNING else "━"
        bar.append(glyph * (round(passed / total * width) - start), STATE_STYLES[state.value])
    bar.append("─" * (width - len(bar)), "bright_black")
    return bar


def _row(label: str, body: Text, style: str = "bold") -> Table:
    """A title beside text that wraps within its own column."""
    grid = Table.grid(padding=0)
    grid.add_column(width=_LABEL, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style), body)
    return grid


def _best(snapshot: Snapshot, width: int) -> list[RenderableType]:
    if snapshot.best is None:
        waiting = "no finished trial with a value yet" if snapshot.metric else "the sweep has no metric"
        return [_row("Best", Text(waiting, "bright_black"))]
    head = Text.assemble((number(snapshot.best.value), "bold green"), (f"  trial {snapshot.best.number}", ""))
    if len(snapshot.curve) > 1:
        room = width - _LABEL - head.cell_len - 3
        head.append("   " + sparkline(snapshot.curve, min(40, room)), "green")
    pieces = [Text(piece) for piece in params_text(snapshot.best.params, snapshot.best.params)]
    if len(pieces) > _MOST_PARAMS:
        pieces[_MOST_PARAMS:] = [Text(f"… {len(pieces) - _MOST_PARAMS} more", "bright_black")]
    params = _flow(pieces, "  ", width - _LABEL)
    return [_row("Best", head), _row("", params)]


def _flow(pieces: Sequence[Text], separator: str, width: int) -> Text:
    """The pieces in lines of `width` columns, broken only between pieces: a value stays beside its name."""
    flowing, column = Text(), 0
    for piece in pieces:
        if column and column + len(separator) + piece.cell_len > width:
            flowing.append("\n")
            column = 0
        elif column:
            flowing.append(separator, "bright_black")
            column += len(separator)
        flowing.append_text(piece)
        column += piece.cell_len
    return flowing


def _running(snapshot: Snapshot, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    metric_wide = max(cell_len(snapshot.metric), *(cell_len(_logged(t, snapshot.metric)) for t in snapshot.running))
    for justify, column_width in (("left", _LABEL - 2), ("right", 6), ("right", 8), ("left", None), ("left", None)):
        table.add_column(justify=justify, min_width=column_width, no_wrap=True)  # type: ignore[arg-type]
    room = width - _LABEL - 6 - 8 - max(metric_wide, 4) - 8
    table.add_row(
        *(Text(title, "bright_black") for title in ("Trial", "time", "step", clean(snapshot.metric) or "last", ""))
    )
    for trial in snapshot.running:
        table.add_row(
            Text(str(trial.number), "cyan"),
            span(trial.seconds),
            NONE if trial.step is None else str(trial.step),
            Text(_logged(trial, snapshot.metric)),
            _note(trial, snapshot, room),
        )
    if snapshot.more_running:
        table.add_row(
            Text(f"+{snapshot.more_running}", "bright_black"), "", "", Text("more running", "bright_black"), ""
        )
    return table


def _logged(trial: RunningTrial, metric: str) -> str:
    if not trial.key:
        return "nothing logged yet"
    value = number(trial.value) if isinstance(trial.value, (int, float)) else value_text(trial.value)
    return value if trial.key == metric else f"{clean(trial.key)} {value}"


def _note(trial: RunningTrial, snapshot: Snapshot, room: int) -> Text:
    if trial.lost:
        text, style = "lost, waits for an agent", "red"
    elif trial.stopping:
        why = clean(trial.stopping)  # "pruned: …" or "canceled: …"
        text, style = f"stopping: {why.partition(': ')[2] or why}", "yellow"
    else:
        names = snapshot.best.params if snapshot.best else trial.params
        text, style = " ".join(params_text(trial.params, names)), "bright_black"
    note = Text(text, style, no_wrap=True)
    note.truncate(max(0, room), overflow="ellipsis")
    return note


def _tallies(snapshot: Snapshot) -> list[tuple[TrialState, int]]:
    """Trials that have lost their agent are not counted as running."""
    counts = {**snapshot.counts, TrialState.RUNNING: snapshot.counts.get(TrialState.RUNNING, 0) - snapshot.lost}
    return [(state, counts.get(state, 0)) for state in (*_SEGMENTS, TrialState.RUNNING, TrialState.WAITING)]


def _agent_line(snapshot: Snapshot) -> str:
    return snapshot.agent_line or f"sweep agent {snapshot.sweep_id}"


def _tally(snapshot: Snapshot, width: int) -> Table:
    always = {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED}
    pieces = [
        Text(f"{count} {STATE_WORDS[state]}", STATE_STYLES[state.value] if count else "bright_black")
        for state, count in _tallies(snapshot)
        if count or state in always
    ]
    if snapshot.lost:
        pieces.append(Text(f"{snapshot.lost} lost", "red"))
    extras = [plural(snapshot.retried, "retry", "retries")] if snapshot.retried else []
    extras += [plural(snapshot.agents, "agent")] if snapshot.agents and not snapshot.is_over else []
    pieces += [Text(extra, "bright_black") for extra in extras]
    return _row("Trials", _flow(pieces, " · ", width - _LABEL))


def _warnings(snapshot: Snapshot) -> list[RenderableType]:
    rows: list[RenderableType] = []
    if snapshot.reason and snapshot.state is not SweepState.RUNNING:
        rows.append(_row(snapshot.state.value.capitalize(), Text(clean(snapshot.reason)), "bright_black"))
    rows += [_row("Notice", Text(clean(notice), "yellow"), "yellow") for notice in snapshot.notices]
    if snapshot.needs_agent:
        rows.append(_row("Agents", Text.assemble("no agent is running: ", (_agent_line(snapshot), "bold")), "yellow"))
    if snapshot.problem:
        rows.append(_row("Store", Text(clean(snapshot.problem), "red"), "red"))
    return rows
