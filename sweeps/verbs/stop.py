"""Stop a sweep: no new trials, running ones finish."""

from __future__ import annotations

import click

from sweeps.api import steering
from sweeps.cli.arguments import sweep_id
from sweeps.cli.stores import existing_stores
from sweeps.cli.telling import tell_state


@click.command("stop")
@sweep_id
def command(sweep_id: str) -> None:
    """Stop a sweep: no new trials, running ones finish."""
    with existing_stores(sweep_id) as stores:
        before = stores.sweeps.find_sweep(sweep_id)
        tell_state(stores.sweeps, before, steering.stop(stores.sweeps, before.id))
