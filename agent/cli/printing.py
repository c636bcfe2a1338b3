"""Writes lines for people. Output that fails (a reader who left, a full disk) is dropped: trials matter more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

import click


def out(line: str) -> None:
    """A line on standard output."""
    _write(line, sys.stdout)


def err(line: str) -> None:
    """A line on standard error."""
    _write(line, sys.stderr)


def _write(line: str, stream: TextIO) -> None:
    try:
        click.echo(line, file=stream)
    except OSError:
        _mute(stream)


def _mute(stream: TextIO) -> None:
    """Send what follows to nowhere: what could not be written stays in the buffer and would fail at every flush."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
