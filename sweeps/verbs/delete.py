"""Delete a sweep with its trials, runs and run folders."""

from __future__ import annotations

import sys

import click

from sweeps.api import steering
from sweeps.cli.arguments import sweep_id
from sweeps.cli.stores import existing_stores
from sweeps.views.wording import plural
from tracking.home import Home


@click.command("delete")
@sweep_id
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def command(sweep_id: str, yes: bool) -> int:
    """Delete a sweep with its trials, runs and run folders. There is no way back."""
    with existing_stores(sweep_id) as stores:
        record = stores.sweeps.find_sweep(sweep_id)
        count = sum(stores.sweeps.counts(record.id).values())
        named = f"{record.id} ({record.name})" if record.name else record.id
        if not yes and not _confirm(f"Delete sweep {named} with {plural(count, 'trial')} and their runs?"):
            return 1
        runs = steering.delete(stores.sweeps, stores.runs, record.id, Home.find())
    click.echo(f"Deleted sweep {named} with {plural(count, 'trial')} and {plural(runs, 'run')}.")
    return 0


def _confirm(question: str) -> bool:
    """The answer of a person. Raises click.Abort for Ctrl-C."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            click.echo("\nNot deleted.", err=True)
            raise
        click.echo("\nNot deleted: nobody is there to answer; --yes deletes without asking.", err=True)
        return False
    if not agreed:
        click.echo("Not deleted.", err=True)
    return agreed
