"""Watch a sweep live until it is over."""

from __future__ import annotations

from threading import Event

import click

from sweeps.about import About
from sweeps.cli.arguments import as_json, sweep_id
from sweeps.cli.output import console, print_json
from sweeps.cli.stores import Stores, existing_stores
from sweeps.control.ranking import rank
from sweeps.records import SweepRecord
from sweeps.views.json_forms import notice_json, sweep_json
from sweeps.views.live import LiveView
from sweeps.views.live_frame import render_frame
from sweeps.views.snapshot import SnapshotReader
from sweeps.views.summary import print_summary


@click.command("watch")
@sweep_id
@click.option("--once", is_flag=True, help="Print the view once and leave.")
@as_json
def command(sweep_id: str, once: bool, as_json: bool) -> None:
    """Watch a sweep live until it is over; --json prints one picture of it."""
    with existing_stores(sweep_id) as stores:
        record = stores.sweeps.find_sweep(sweep_id)
        out = console()
        if as_json:
            print_json(_json(stores, record))
        elif once:
            out.print(render_frame(SnapshotReader(stores.sweeps, stores.runs, record.id).read(), out.width))
        else:
            last = LiveView(stores.sweeps, stores.runs, record.id, out).run_until(Event())
            if last is not None and last.is_over:
                out.print()
                print_summary(out, stores.sweeps, record.id)


def _json(stores: Stores, record: SweepRecord) -> dict[str, object]:
    about = About.of(record)
    ranked = rank(stores.sweeps.trials(record.id), about.goal)
    short = sweep_json(record, about, stores.sweeps.counts(record.id), ranked[0] if ranked else None)
    snapshot = SnapshotReader(stores.sweeps, stores.runs, record.id).read()
    running = [
        {
            "number": trial.number,
            "seconds": trial.seconds,
            "step": trial.step,
            "key": trial.key,
            "value": trial.value,
            "lost": trial.lost,
        }
        for trial in snapshot.running
    ]
    notices = [notice_json(notice) for notice in stores.sweeps.notices(record.id) if not notice.is_event]
    return {
        **short,
        "elapsed": snapshot.elapsed,
        "left": snapshot.left,
        "agents": snapshot.agents,
        "running": running,
        "notices": notices,
    }
