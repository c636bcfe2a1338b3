"""Where verbs print: one console that honours pipes and NO_COLOR, and JSON for scripts."""

from __future__ import annotations

import os
import sys

import click
from rich.console import Console

from sweeps.views.json_forms import dumps

_PIPE_WIDTH = 200  # a pipe has no width: tables are not cut for it


class PipeConsole(Console):
    """A console whose reader may leave at any time; rich alone would exit with a failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console() -> Console:
    """Standard output; user strings are never read as markup."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return PipeConsole(width=width, markup=False, highlight=False, emoji=False)


def print_json(value: object) -> None:
    """JSON on standard output."""
    click.echo(dumps(value))
