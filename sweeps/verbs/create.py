"""Create a sweep from a YAML file.

Prints the id and the line that runs it; nothing runs yet.
"""

from __future__ import annotations

import click

from sweeps.api.creating import Labels, create_sweep, folder_note, program_warning
from sweeps.api.pasting import sweep_line
from sweeps.cli.arguments import as_json
from sweeps.cli.stores import Stores
from sweeps.spec import load
from sweeps.views.json_forms import dumps


@click.command("create")
@click.argument("file", metavar="SWEEP.YAML", type=click.Path())
@click.option("-p", "--project", help="Project of the runs (wins over the file).")
@click.option("-e", "--entity", help="Team or person that the sweep belongs to.")
@click.option("-n", "--name", help="Name of the sweep, for people.")
@as_json
def command(file: str, project: str | None, entity: str | None, name: str | None, as_json: bool) -> None:
    """Create a sweep from a YAML file; nothing runs yet."""
    loaded = load(file)
    with Stores() as stores:
        record = create_sweep(stores.sweeps, loaded, Labels(project, entity, name))
    agent = sweep_line("agent", record.id)
    doubts = [*loaded.warnings, *filter(None, [program_warning(loaded)])]
    for doubt in doubts:
        click.echo(f"{click.style('warning:', fg='yellow')} {doubt}", err=True)
    if note := folder_note(loaded):
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(dumps({"id": record.id, "project": record.project, "name": record.name, "agent": agent}))
        return
    click.echo(
        f"Created sweep {click.style(record.id, fg='cyan', bold=True)}" + (f" ({record.name})" if record.name else "")
    )
    click.echo(f"Run it with: {click.style(agent, bold=True)}")
