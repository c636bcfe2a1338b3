"""Options that the verbs `agent` and `run` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--slots",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help="Trials to run at once.",
    ),
    click.option(
        "--grace",
        type=click.FloatRange(min=0),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help="Time between SIGTERM and SIGKILL.",
    ),
    click.option("--lease", type=click.FloatRange(min=0, min_open=True), hidden=True, help="Time of a lease, seconds."),
    click.option(
        "--max-consecutive-failed-runs",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Give up after N failures in a row (0: only the limits at the start, see the docs).",
    ),
    click.option("--forward-signals", is_flag=True, help="Pass signals that the agent gets on to the trials."),
    click.option("-q", "--quiet", is_flag=True, help="Print no line per trial and no live view."),
)


def agent_options(function: F) -> F:
    """Everything about how trials are run."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
