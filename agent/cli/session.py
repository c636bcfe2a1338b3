"""One agent in a terminal: a live view there, plain lines elsewhere, and the exit status."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import click

from agent.announcing import Say, silent
from agent.assembly import Options, assemble
from agent.driving import Foreground, drive
from agent.interrupts import Interrupts
from sweeps.cli.stores import Stores
from sweeps.errors import SweepNotFound
from sweeps.records import SweepRecord
from sweeps.states import SweepState


def run_agent(
    stores: Stores, sweep: SweepRecord, options: Options, *, forward: bool = False, quiet: bool = False
) -> int:
    """Run an agent to its end; returns the exit status. Raises what made it give up."""
    animated = sys.stdout.isatty() and not quiet
    say: Say = silent if quiet or animated else _say
    agent = assemble(sweep, stores.sweeps, stores.runs, options, function=None, say=say, warn=_warn)
    for warning in agent.warnings:
        _warn(f"warning: {warning}")
    with Interrupts(agent, forward=forward) as signals:
        drive(agent, _live_view(stores, sweep.id) if animated else None)
    if signals.status:
        return signals.status
    _say_end(stores, sweep.id, say)
    return 0


def _say_end(stores: Stores, sweep_id: str, say: Callable[[str], None]) -> None:
    record = stores.sweeps.sweep(sweep_id)
    if record.state in (SweepState.FINISHED, SweepState.CANCELED):
        say(f"sweep {record.id} is {record.state.value}" + (f": {record.reason}" if record.reason else ""))


def _live_view(stores: Stores, sweep_id: str) -> Foreground:
    # rich is only needed on a terminal, and costs a third of a second at the start of the first trial.
    from sweeps.cli.output import console
    from sweeps.views.live import LiveView

    def show(done: threading.Event) -> None:
        try:
            LiveView(stores.sweeps, stores.runs, sweep_id, console()).run_until(done)
        except SweepNotFound:
            done.wait()  # deleted while it ran: the agent says so

    return show


def _say(line: str) -> None:
    click.echo(line)


def _warn(line: str) -> None:
    click.echo(line, err=True)
