"""Delete a sweep with its trials, runs and run folders."""

from __future__ import annotations

import click

from sweeps.api import steering
from sweeps.cli.arguments import sweep_id
from sweeps.cli.stores import existing_stores
from sweeps.views.wording import plural
from tracking.home import Home


@click.command("delete")
@sweep_id
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(sweep_id: str, yes: bool) -> None:
    """Delete a sweep with its trials, runs and run folders. There is no way back."""
    with existing_stores(sweep_id) as stores:
        record = stores.sweeps.find_sweep(sweep_id)
        count = sum(stores.sweeps.counts(record.id).values())
        named = f"{record.id} ({record.name})" if record.name else record.id
        if not yes:
            click.confirm(f"Delete sweep {named} with {plural(count, 'trial')} and their runs?", abort=True, err=True)
        runs = steering.delete(stores.sweeps, stores.runs, record.id, Home.find())
    click.echo(f"Deleted sweep {named} with {plural(count, 'trial')} and {plural(runs, 'run')}.")
