"""What a run says to the person at the terminal or in the notebook: one line when it starts, a table when it ends."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from tracking.home import Home, journal_path
from tracking.live.outline import outline
from tracking.live.sparkline import sparkline
from tracking.notices import inform, is_quiet, warn

if TYPE_CHECKING:
    from pathlib import Path

    from tracking.live.run import Run
    from tracking.starting.endings import Ending

MOST_METRICS = 20
_WIDTH = 24  # characters of a sparkline
_LONGEST_NAME = 40
_STYLES = {"finished": "green", "failed": "red", "crashed": "red", "killed": "yellow", "preempted": "yellow"}
_said: set[tuple[str, str, int]] = set()


class Line(NamedTuple):
    """A metric at the end: its curve ("" when there is none) and what the summary says of it."""

    name: str
    curve: str
    value: str


def greet(run: Run) -> None:
    """One line: the name of the run, its id, where it is recorded. Nothing in a trial, and nothing twice."""
    if _is_silent(run, "greet"):
        return
    where = f"offline, in {_folder(run)}" if run.offline else f"store {store_shown()}"
    text = f"run {run.name} ({run.id}){_again(run)} · project {run.project} · {where}"
    if not _displayed(text, [], 0):
        inform(text)


def bid(run: Run, ending: Ending, problem: str = "", quiet: bool = False) -> None:
    """At the end: how it ended, and a table with a sparkline and the summary of each metric.

    `problem` says why the store does not have all of it; that is a warning, which `quiet` does not silence.
    """
    if run.sweep_id or run.part or run.disabled:
        return
    if problem:
        warn(f"run {run.id} is not in the store: {problem}. Its journal is kept in {_folder(run)}")
    if quiet or _is_silent(run, "bid"):
        return
    head = f"run {run.name} ({run.id}) {ending.state.value}{_why(ending)} at step {run.step}"
    if run.offline:
        head += f" · send it with: sweep sync {_folder(run)}"
    lines, more = summary_lines(run)
    if _displayed(head, lines, more):
        return
    if _is_terminal() and lines:
        _print_table(head, _STYLES.get(ending.state.value, ""), lines, more)
    else:
        inform("\n".join([head, *_plain_lines(lines, more)]))


def summary_lines(run: Run) -> tuple[list[Line], int]:
    """The first metrics by name, and how many more there are."""
    values = {key: value for key, value in _summary(run) if not key.startswith("_") and _is_shown(value)}
    names = sorted(values)[:MOST_METRICS]
    folder = _folder(run)
    curves = outline(journal_path(folder, run.attempt)) if folder is not None and names else {}
    found = [Line(_short(name), sparkline(curves.get(name, []), _WIDTH), _text(values[name])) for name in names]
    return found, len(values) - len(names)


def store_shown() -> str:
    """The URL of the store without a password."""
    url = Home.find().store_url
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.startswith("sqlite"):
        return url
    place, _, _ = rest.partition("?")  # options may hold a password, too
    login, at, host = place.rpartition("@")
    return f"{scheme}://{login.partition(':')[0]}{at}{host}"


# -- what is said -------------------------------------------------------------------------------


def _is_silent(run: Run, what: str) -> bool:
    """Whether to say nothing: a trial, a further writer of a run, quiet settings, or what was said already."""
    if run.sweep_id or run.part or run.disabled or is_quiet():
        return True
    said = (what, run.id, run.attempt)
    if said in _said:
        return True
    _said.add(said)
    return False


def _folder(run: Run) -> Path | None:
    return run._run_dir


def _again(run: Run) -> str:
    return f" resumed at step {run.step}" if run.resumed else f" attempt {run.attempt}" if run.attempt > 1 else ""


def _why(ending: Ending) -> str:
    return f" ({' '.join(ending.reason.split())[:100]})" if ending.reason else ""


def _summary(run: Run) -> Iterator[tuple[str, Any]]:
    """The summary, of a metric with several aggregates the best one, else the last, else any."""
    for key, value in run.summary.as_dict().items():
        if isinstance(value, Mapping) and "_type" not in value:
            for word in ("best", "last", "min", "max", "mean", "first"):
                if word in value:
                    yield key, value[word]
                    break
        else:
            yield key, value


def _is_shown(value: Any) -> bool:
    return isinstance(value, int | float | str)


def _text(value: Any) -> str:
    if isinstance(value, bool | str):
        return _short(str(value))
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    return f"{value:.5g}"


def _short(text: str) -> str:
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


def _plain_lines(lines: list[Line], more: int) -> list[str]:
    width = max((len(line.name) for line in lines), default=0)
    curve = max((len(line.curve) for line in lines), default=0) if _takes_blocks() else 0
    found = [f"  {line.name:{width}}  {line.curve[:curve]:{curve}}  {line.value}".rstrip() for line in lines]
    return [*found, f"  … and {more} more"] if more else found


def _html(head: str, lines: list[Line], more: int) -> str:
    from html import escape  # its table of entities is for notebooks only

    cells = "".join(
        f"<tr><th align='left'>{escape(line.name)}</th><td><code>{escape(line.curve)}</code></td>"
        f"<td>{escape(line.value)}</td></tr>"
        for line in lines
    )
    rest = f"<div>… and {more} more</div>" if more else ""
    return f"<div>{escape(head)}</div>{f'<table>{cells}</table>' if lines else ''}{rest}"


# -- where it is said -----------------------------------------------------------------------------


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (AttributeError, ValueError):  # a stream of somebody else, or a closed one
        return False


def _takes_blocks() -> bool:
    """Whether stderr can write block characters."""
    return str(getattr(sys.stderr, "encoding", "") or "").lower().replace("-", "") in ("utf8", "utf16", "utf8sig")


def _print_table(head: str, style: str, lines: list[Line], more: int) -> None:
    from rich.console import Console  # 50 ms, for a person who watches
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for line in lines:
        table.add_row(Text(f"  {line.name}", "cyan"), Text(line.curve, "blue"), Text(line.value, "bold"))
    with contextlib.suppress(OSError, ValueError):  # a broken terminal is nobody's reason to fail
        console = Console(file=sys.stderr, markup=False, highlight=False, emoji=False)
        console.print(Text.assemble("sweepwright: ", (head, style)), soft_wrap=True)
        console.print(table)
        if more:
            console.print(Text(f"  … and {more} more", "bright_black"))


def _displayed(head: str, lines: list[Line], more: int) -> bool:
    """Show it as the output of a notebook cell; False where there is no notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return False  # a terminal, be it IPython's
    try:
        from IPython.display import display  # type: ignore[import-not-found,unused-ignore]

        plain = "\n".join([f"sweepwright: {head}", *_plain_lines(lines, more)])
        display({"text/html": _html(head, lines, more), "text/plain": plain}, raw=True)
    except Exception as error:  # noqa: BLE001  boundary: a notebook whose front end has gone must not end the run
        warn(f"the notebook shows nothing: {error}")
    return True
