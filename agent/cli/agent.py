"""Run trials of a sweep until it is over."""

from __future__ import annotations

import click

from agent.assembly import Options
from agent.cli.options import agent_options
from agent.cli.session import Session
from sweeps.cli.arguments import sweep_id
from sweeps.cli.stores import existing_stores


@click.command("agent")
@sweep_id
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="Stop after N trials (default: until the sweep is over)."
)
@click.option("-p", "--project", help="Project of the sweep.")
@click.option("-e", "--entity", help="Team or person that the sweep belongs to.")
@agent_options
def command(
    sweep_id: str,
    count: int | None,
    project: str | None,
    entity: str | None,
    slots: int,
    grace: float,
    lease: float | None,
    max_consecutive_failed_runs: int,
    forward_signals: bool,
    quiet: bool,
) -> int:
    """Run trials of a sweep until it is over. Start it in as many terminals and on as many machines as you like.

    Ctrl-C once: no new trials; twice: SIGTERM to the running ones; three times: SIGKILL.
    """
    options = Options(slots, count, grace, lease, max_consecutive_failed_runs)
    with existing_stores(sweep_id) as stores:
        wanted = "/".join(part for part in (entity if project else None, project, sweep_id) if part)
        sweep = stores.sweeps.find_sweep(wanted)
        return Session(stores, sweep, options, forward=forward_signals, quiet=quiet).run()
