"""Arguments and options that several verbs share: ids with completion, `--json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from sweeps.cli.stores import Stores, store_is_missing
from tracking.errors import SweepError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_MOST = 100


def complete_sweeps(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids in the store that begin so."""
    fitting = [record for record in _quietly(lambda stores: stores.sweeps.sweeps()) if record.id.startswith(incomplete)]
    return [
        CompletionItem(record.id, help=" ".join(part for part in (record.state.value, record.name) if part))
        for record in fitting[:_MOST]
    ]


def complete_trials(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """First the sweep, then its last trials."""
    sweep, dash, _ = incomplete.rpartition("-")
    if not dash:
        sweeps = complete_sweeps(ctx, param, incomplete)
        return [CompletionItem(f"{item.value}-", help=item.help) for item in sweeps]
    trials = _quietly(lambda stores: stores.sweeps.trials(stores.sweeps.find_sweep(sweep).id))
    names = [(f"{sweep}-{trial.number}", trial.state.value) for trial in trials[-_MOST:]]
    return [CompletionItem(name, help=state) for name, state in names if name.startswith(incomplete)]


def sweep_id(function: F) -> F:
    """The argument ID of a verb about one sweep."""
    return click.argument("sweep_id", metavar="ID", shell_complete=complete_sweeps)(function)


def trial_id(function: F) -> F:
    """The argument TRIAL of a verb about one trial."""
    return click.argument("trial", metavar="TRIAL", shell_complete=complete_trials)(function)


def as_json(function: F) -> F:
    """The flag `--json` of a reading verb."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(function)


def _quietly(read: Callable[[Stores], list[T]]) -> list[T]:
    """What `read` finds; a shell that completes must see no errors and make no store."""
    if store_is_missing():
        return []
    try:
        with Stores() as stores:
            return read(stores)
    except (SweepError, OSError):
        return []
