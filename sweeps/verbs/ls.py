"""List the sweeps of the store, newest first."""

from __future__ import annotations

import click

from sweeps.about import Brief
from sweeps.cli.arguments import as_json
from sweeps.cli.output import console, print_json
from sweeps.cli.stores import Stores, store_is_missing
from sweeps.control.ranking import best_of
from sweeps.records import SweepRecord
from sweeps.states import DONE_TRIALS
from sweeps.store.contract import SweepStore
from sweeps.views.json_forms import sweep_json
from sweeps.views.tables import SweepLine, sweeps_table


@click.command("ls")
@click.option("-p", "--project", help="Only the sweeps of this project.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=30, show_default=True, help="How many at most.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@as_json
def command(project: str | None, limit: int, everything: bool, as_json: bool) -> None:
    """List the sweeps of the store, newest first."""
    if store_is_missing():
        _print_none(project, as_json=as_json)
        return
    with Stores() as stores:
        records = stores.sweeps.sweeps(project=project)
        shown = records if everything or as_json else records[:limit]
        if as_json:
            print_json([_json(stores.sweeps, record) for record in shown])
        elif not records:
            _print_none(project, as_json=False)
        else:
            now = stores.sweeps.now()
            out = console()
            out.print(sweeps_table([_line(stores.sweeps, record, now) for record in shown], out.width))
            if len(shown) < len(records):
                out.print(f"… and {len(records) - len(shown)} older ones: sweep ls --all", style="bright_black")


def _print_none(project: str | None, *, as_json: bool) -> None:
    where = f" in project {project!r}" if project else ""
    if as_json:
        print_json([])
    else:
        click.echo(f"No sweeps yet{where}. Make one with: sweep create sweep.yaml")


def _line(store: SweepStore, record: SweepRecord, now: float) -> SweepLine:
    about = Brief.of(record)
    counts = store.counts(record.id)
    best = best_of(store, record.id, about.goal)
    return SweepLine(
        id=record.id,
        name=record.name,
        project=record.project,
        state=record.state.value,
        method=about.method,
        done=sum(counts.get(state, 0) for state in DONE_TRIALS),
        budget=about.budget,
        best=best.value if best else None,
        metric=about.metric,
        age=now - record.created_at,
    )


def _json(store: SweepStore, record: SweepRecord) -> dict[str, object]:
    about = Brief.of(record)
    return sweep_json(record, about, store.counts(record.id), best_of(store, record.id, about.goal))
