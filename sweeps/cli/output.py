"""Where verbs print: one console that honours pipes and NO_COLOR, and JSON for scripts."""

from __future__ import annotations

import os
import re
import sys
from typing import IO, Any, TextIO, cast

import click
from rich.console import Console

from sweeps.views.json_forms import dumps

_PIPE_WIDTH = 120  # a pipe has no width of its own

_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)


class PipeConsole(Console):
    """A console whose reader may leave at any time; rich alone would exit with a failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class _Trimmed:
    """A stream for files and pipes: lines lose the blanks with which tables fill up their last column."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(_TRAILING.sub("", text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console() -> Console:
    """Standard output; user strings are never read as markup."""
    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    file = None if sys.stdout.isatty() else cast(IO[str], _Trimmed(sys.stdout))
    return PipeConsole(file=file, width=width, markup=False, highlight=False, emoji=False)


def print_json(value: object) -> None:
    """JSON on standard output."""
    click.echo(dumps(value))
