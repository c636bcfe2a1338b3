"""Create a sweep and run it here: `create` and `agent` in one."""

from __future__ import annotations

from contextlib import suppress

import click

from agent.assembly import Options
from agent.cli import printing
from agent.cli.options import agent_options
from agent.cli.session import Session
from sweeps.api.creating import Labels, create_sweep, folder_note
from sweeps.api.pasting import sweep_line
from sweeps.api.steering import with_budget
from sweeps.cli.stores import Stores
from sweeps.spec import load
from tracking.errors import SweepError


@click.command("run")
@click.argument("file", metavar="SWEEP.YAML", type=click.Path())
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="Budget of the sweep (wins over the file).")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop after N trials and leave the rest of the sweep to others.",
)
@click.option("-p", "--project", help="Project of the runs (wins over the file).")
@click.option("-e", "--entity", help="Team or person that the sweep belongs to.")
@click.option("-n", "--name", help="Name of the sweep, for people.")
@agent_options
def command(
    file: str,
    trials: int | None,
    count: int | None,
    project: str | None,
    entity: str | None,
    name: str | None,
    slots: int,
    grace: float,
    lease: float | None,
    max_consecutive_failed_runs: int,
    forward_signals: bool,
    quiet: bool,
) -> int:
    """Create a sweep from a YAML file and run it here; ends with the best parameters."""
    options = Options(slots, count, grace, lease, max_consecutive_failed_runs)
    options.check()
    loaded = load(file)
    for warning in loaded.warnings:
        printing.err(f"{click.style('warning:', fg='yellow')} {warning}")
    with Stores() as stores:
        record = create_sweep(stores.sweeps, loaded, Labels(project, entity, name))
        try:
            if trials is not None:
                record = stores.sweeps.replace_document(record.id, with_budget(record.document, trials))
            session = Session(stores, record, options, forward=forward_signals, quiet=quiet)
        except BaseException:  # it cannot run here: leave no sweep that nobody has seen
            with suppress(SweepError):
                stores.sweeps.delete_sweep(record.id)
            raise
        if note := folder_note(loaded):
            printing.err(f"note: {note}")
        shown = click.style(record.id, fg="cyan", bold=True)
        printing.out(f"Created sweep {shown}; more agents: {sweep_line('agent', record.id)}")
        status = session.run()
        _print_summary(stores, record.id)
    return status


def _print_summary(stores: Stores, sweep_id: str) -> None:
    from sweeps.cli.output import console
    from sweeps.views.summary import print_summary

    click.echo()
    print_summary(console(), stores.sweeps, sweep_id)
