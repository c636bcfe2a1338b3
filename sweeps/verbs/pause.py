"""Pause a sweep: no new trials, running ones go on."""

from __future__ import annotations

import click

from sweeps.api import steering
from sweeps.cli.arguments import sweep_id
from sweeps.cli.stores import existing_stores
from sweeps.cli.telling import tell_state


@click.command("pause")
@sweep_id
def command(sweep_id: str) -> None:
    """Pause a sweep: no new trials, running ones go on."""
    with existing_stores(sweep_id) as stores:
        before = stores.sweeps.find_sweep(sweep_id)
        tell_state(stores.sweeps, before, steering.pause(stores.sweeps, before.id))
