"""What the steering verbs say afterwards: the new state and what it means."""

from __future__ import annotations

import click

from sweeps.records import SweepRecord
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from sweeps.views.wording import plural


def tell_state(store: SweepStore, record: SweepRecord) -> None:
    """One line on standard output."""
    running = store.counts(record.id).get(TrialState.RUNNING, 0)
    trials, one = plural(running, "running trial"), running == 1
    meaning = {
        SweepState.RUNNING: f"agents may take trials; start one with: sweep agent {record.id}",
        SweepState.PAUSED: f"no new trials; continue with: sweep resume {record.id}",
        SweepState.STOPPING: f"no new trials; {trials} will finish first",
        SweepState.CANCELING: f"{trials} {'is' if one else 'are'} being ended",
        SweepState.FINISHED: "no trial was running",
        SweepState.CANCELED: "no trial was running",
    }
    if record.state is SweepState.PAUSED and running:
        click.echo(f"{trials} {'goes' if one else 'go'} on.", err=True)
    click.echo(f"Sweep {click.style(record.id, fg='cyan', bold=True)} is {record.state.value}: {meaning[record.state]}")
