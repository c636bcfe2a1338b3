"""Create a sweep and run it here: `create` and `agent` in one."""

from __future__ import annotations

import click

from agent.assembly import Options
from agent.cli.options import agent_options
from agent.cli.session import run_agent
from sweeps.api.creating import Labels, create_sweep
from sweeps.api.steering import with_budget
from sweeps.cli.stores import Stores
from sweeps.spec import load


@click.command("run")
@click.argument("file", metavar="SWEEP.YAML", type=click.Path())
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="Budget of the sweep (wins over the file).")
@click.option("--count", type=int, metavar="N", help="Stop after N trials and leave the rest of the sweep to others.")
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
        click.echo(f"{click.style('warning:', fg='yellow')} {warning}", err=True)
    with Stores() as stores:
        record = create_sweep(stores.sweeps, loaded, Labels(project, entity, name))
        if trials is not None:
            record = stores.sweeps.replace_document(record.id, with_budget(record.document, trials))
        click.echo(
            f"Created sweep {click.style(record.id, fg='cyan', bold=True)}; more agents: sweep agent {record.id}"
        )
        status = run_agent(stores, record, options, forward=forward_signals, quiet=quiet)
        _print_summary(stores, record.id)
    return status


def _print_summary(stores: Stores, sweep_id: str) -> None:
    from sweeps.cli.output import console
    from sweeps.views.summary import print_summary

    click.echo()
    print_summary(console(), stores.sweeps, sweep_id)
