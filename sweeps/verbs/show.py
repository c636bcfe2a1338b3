"""Show one sweep: configuration, progress, best trial, all trials."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from sweeps.about import About
from sweeps.api.repeating import repeat_line
from sweeps.cli.arguments import as_json, sweep_id
from sweeps.cli.output import console, print_json
from sweeps.cli.stores import Stores, existing_stores
from sweeps.control.ranking import rank, varying
from sweeps.records import SweepRecord, TrialRecord
from sweeps.states import OPEN_TRIALS
from sweeps.views.json_forms import notice_json, sweep_json, trial_json
from sweeps.views.live_frame import render_frame
from sweeps.views.presence import is_lost
from sweeps.views.snapshot import SnapshotReader
from sweeps.views.summary import repeat_text
from sweeps.views.tables import trials_table
from sweeps.views.wording import clean

_SHOWN = 20


@click.command("show")
@sweep_id
@click.option("--all", "everything", is_flag=True, help=f"All trials, by number (default: {_SHOWN}, best first).")
@as_json
def command(sweep_id: str, everything: bool, as_json: bool) -> None:
    """Show one sweep: configuration, progress, best trial, all trials."""
    with existing_stores(sweep_id) as stores:
        record = stores.sweeps.find_sweep(sweep_id)
        trials = stores.sweeps.trials(record.id)
        if as_json:
            print_json(_json(stores, record, trials))
            return
        about, out = About.of(record), console()
        frame = render_frame(SnapshotReader(stores.sweeps, stores.runs, record.id).read(), min(out.width, 120))
        now = stores.sweeps.now()
    _print_source(out, record)
    out.print(frame)
    if trials:
        _print_trials(out, about, trials, now, everything=everything)
        _print_repeat(out, record, about, trials)


def _json(stores: Stores, record: SweepRecord, trials: Sequence[TrialRecord]) -> dict[str, object]:
    about = About.of(record)
    ranked = rank(trials, about.goal)
    short = sweep_json(record, about, stores.sweeps.counts(record.id), ranked[0] if ranked else None)
    return {
        **short,
        "description": record.description,
        "workdir": record.workdir,
        "seed": about.seed,
        "config": dict(record.document),
        "notices": [notice_json(notice) for notice in stores.sweeps.notices(record.id) if not notice.is_event],
        "trial_list": [trial_json(trial) for trial in trials],
    }


def _print_source(out: Console, record: SweepRecord) -> None:
    """The user's own YAML, comments and all."""
    for title, body in (("Description", record.description), ("Configuration", record.source.rstrip())):
        if body:
            out.print(Text(title, "bold"))
            lines: RenderableType = Text("\n".join(map(_printable, body.splitlines())), "bright_black")
            out.print(Padding(lines, (0, 0, 1, 2), expand=False))


def _printable(line: str) -> str:
    """As `clean`, but the indentation stays."""
    return " " * (len(line) - len(line.lstrip(" "))) + clean(line)


def _print_trials(out: Console, about: About, trials: Sequence[TrialRecord], now: float, *, everything: bool) -> None:
    ranked = rank(trials, about.goal)
    rest = [trial for trial in trials if trial not in ranked]
    # The rest by what people look for first: what runs, then what went wrong, then what waits.
    rest.sort(key=lambda trial: (trial.state not in OPEN_TRIALS or trial.started_at is None, trial.number))
    ordered = list(trials) if everything else (ranked + rest)[:_SHOWN]
    out.print()
    lost = {trial.number for trial in ordered if is_lost(trial, now)}
    out.print(trials_table(ordered, about.metric, varying(trials), out.width, lost=lost))
    if len(ordered) < len(trials):
        out.print(Text(f"  … and {len(trials) - len(ordered)} more: --all", "bright_black"))


def _print_repeat(out: Console, record: SweepRecord, about: About, trials: Sequence[TrialRecord]) -> None:
    ranked = rank(trials, about.goal)
    line = repeat_line(record, about, ranked[0]) if ranked else ""
    if line:
        out.print(Text("\nRepeat the best", "bold"))
        out.print(repeat_text(line, out.width), crop=False)
