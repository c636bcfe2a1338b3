"""What the steering verbs say afterwards: the new state, what it means, and whether anything has changed."""

from __future__ import annotations

import click

from sweeps.about import About
from sweeps.api.pasting import sweep_line
from sweeps.records import SweepRecord
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from sweeps.views.presence import are_agents_alive, is_lost
from sweeps.views.wording import plural


def tell_state(store: SweepStore, before: SweepRecord, record: SweepRecord) -> None:
    """One line on standard output; a changed budget has one more."""
    now = store.now()
    running = sum(not is_lost(trial, now) for trial in store.trials(record.id, states=[TrialState.RUNNING]))
    old, new = About.of(before).budget, About.of(record).budget
    if old != new:
        click.echo(f"Budget: {_trials(old)} → {_trials(new)}")
    if record.state is SweepState.PAUSED and running:
        click.echo(f"{plural(running, 'running trial')} {'goes' if running == 1 else 'go'} on.", err=True)
    already = "already " if record.state is before.state and old == new else ""
    click.echo(
        f"Sweep {click.style(record.id, fg='cyan', bold=True)} is {already}{record.state.value}: "
        f"{_meaning(store, record, running)}"
    )


def _meaning(store: SweepStore, record: SweepRecord, running: int) -> str:
    trials = plural(running, "running trial")
    match record.state:
        case SweepState.RUNNING:
            if are_agents_alive(store, record.id):
                return "its agents take new trials"
            return f"agents may take trials; start one with: {sweep_line('agent', record.id)}"
        case SweepState.PAUSED:
            return f"no new trials; continue with: {sweep_line('resume', record.id)}"
        case SweepState.STOPPING:
            return f"no new trials; {trials} will finish first"
        case SweepState.CANCELING:
            return f"{trials} {'is' if running == 1 else 'are'} being ended"
        case _:
            return record.reason or "no trial is running"


def _trials(budget: int | None) -> str:
    return "no limit" if budget is None else plural(budget, "trial")
