"""Resume a paused sweep, or a finished one with a larger budget."""

from __future__ import annotations

import click

from sweeps.api import steering
from sweeps.cli.arguments import sweep_id
from sweeps.cli.stores import existing_stores
from sweeps.cli.telling import tell_state


@click.command("resume")
@sweep_id
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="New budget: N trials in all.")
def command(sweep_id: str, trials: int | None) -> None:
    """Resume a paused sweep, or a finished one with a larger budget (--trials)."""
    with existing_stores(sweep_id) as stores:
        before = stores.sweeps.find_sweep(sweep_id)
        tell_state(stores.sweeps, before, steering.resume(stores.sweeps, before.id, trials))
