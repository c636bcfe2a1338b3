"""What remains to be said when a sweep is over: the best parameters, the top trials, the line to repeat the best."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sweeps.about import About
from sweeps.api.repeating import repeat_line
from sweeps.control.ranking import rank, varying
from sweeps.records import SweepRecord, TrialRecord
from sweeps.states import OPEN_TRIALS, TrialState
from sweeps.store.contract import SweepStore
from sweeps.views.tables import trials_table
from sweeps.views.wording import STATE_WORDS, clean, number, span, value_text

TOP = 5
# A word of a shell line, quoted parts and all.
_WORDS = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"[^"]*")+""")


def render_summary(
    record: SweepRecord,
    about: About,
    trials: Sequence[TrialRecord],
    width: int,
    *,
    command: str = "",
    notices: Sequence[str] = (),
    top: int = TOP,
) -> RenderableType:
    """The end of `sweep run`. `command` is the shell line that repeats the best trial, "" when there is none."""
    ranked = rank(trials, about.goal)
    parts: list[RenderableType] = [_headline(record, trials)]
    parts += [Text(f"notice: {clean(notice)}", "yellow") for notice in notices]
    if not ranked:
        return Group(*parts, Text(_why_no_best(about, trials), "yellow"))
    parts += [Text(), _best(ranked[0], about)]
    parts += [Text(), Text(f"Top {min(top, len(ranked))} trials", "bold")]
    # Only complete trials are rivals; the ones stopped early fill up when there are few.
    parts.append(trials_table(ranked[:top], about.metric, varying(trials), width, notes=False))
    if command:
        parts += [
            Text(),
            Text("Repeat the best", "bold"),
            repeat_text(command, width),
        ]
    return Group(*parts)


def print_summary(console: Console, store: SweepStore, sweep_id: str) -> None:
    """Print `render_summary` of a stored sweep. May raise SweepNotFound, StoreUnavailable."""
    record, trials = store.sweep(sweep_id), store.trials(sweep_id)
    about = About.of(record)
    ranked = rank(trials, about.goal)
    command = repeat_line(record, about, ranked[0]) if ranked else ""
    notices = [notice.text for notice in store.notices(sweep_id) if not notice.is_event]
    summary = render_summary(record, about, trials, console.width, command=command, notices=notices)
    console.print(summary, crop=False)  # a terminal may wrap the line to repeat; cut, it could not be pasted


def repeat_text(command: str, width: int) -> Text:
    """`pasteable` for printing with crop=False: a word that is wider than the terminal is left to its own wrapping."""
    return Text(pasteable(command, width), no_wrap=True, overflow="ignore")


def pasteable(command: str, width: int) -> str:
    """A shell line in lines of at most `width` columns where its words allow, so that pasting all of them runs it."""
    lines = [" "]
    for word in _WORDS.findall(command):
        if len(lines[-1]) + 1 + len(word) + 2 > width and lines[-1].strip():
            lines.append("   ")
        lines[-1] += f" {word}"
    return " \\\n".join(lines)


def parameter_grid(params: Mapping[str, object], indent: int = 2) -> RenderableType:
    """Parameters one below the other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in params.items():
        grid.add_row(Text(clean(name), "bright_black"), Text(value_text(value)))
    return Padding(grid, (0, 0, 0, indent), expand=False)


def _headline(record: SweepRecord, trials: Sequence[TrialRecord]) -> Text:
    line = Text.assemble(("Sweep ", ""), (record.id, "bold cyan"))
    if record.name:
        line.append(f" ({clean(record.name)})")
    line.append(f" is {record.state.value}")
    if record.reason:
        line.append(f": {clean(record.reason)}")
    ends = [state for state in TrialState if state not in OPEN_TRIALS]
    tally = [(sum(trial.state is state for trial in trials), STATE_WORDS[state]) for state in ends]
    counted = ", ".join(f"{count} {word}" for count, word in tally if count) or "no trial has ended"
    return line.append(f"\n{counted}{_took(trials)}", "bright_black")


def _took(trials: Sequence[TrialRecord]) -> str:
    starts = [trial.started_at for trial in trials if trial.started_at is not None]
    ends = [trial.finished_at for trial in trials if trial.finished_at is not None]
    return f" in {span(max(ends) - min(starts))}" if starts and ends else ""


def _best(best: TrialRecord, about: About) -> RenderableType:
    head = Text.assemble(
        ("Best  ", "bold"),
        (f"{clean(about.metric)} = ", ""),
        (number(best.value), "bold green"),
        (f"  trial {best.number}", "bright_black"),
    )
    if best.state is TrialState.PRUNED:
        head.append("  (stopped early; no trial is complete)", "yellow")
    return Group(head, parameter_grid(best.params))


def _why_no_best(about: About, trials: Sequence[TrialRecord]) -> str:
    if not about.metric:
        return "The sweep has no metric, so no trial is the best."
    failed = next((trial for trial in trials if trial.state is TrialState.FAILED and trial.reason), None)
    if failed:
        return f"No trial has a value of {clean(about.metric)}. Trial {failed.number} failed: {clean(failed.reason)}"
    return f"No trial has a value of {clean(about.metric)}."
