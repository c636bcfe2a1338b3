"""How the command reports what went wrong: plain words on stderr, and exit status 1, 2 (usage) or 130 (Ctrl-C)."""

from __future__ import annotations

import os
import sys
import traceback

import click

from sweeps.errors import SpecInvalid
from tracking.errors import SweepError

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def report(error: BaseException, *, debug: bool) -> int:
    """Print `error` for people and return the exit status. `debug` adds the traceback."""
    if isinstance(error, BrokenPipeError):
        hush()
        return 0
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        click.echo(err=True)
        return INTERRUPTED
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    _print_failure(error, debug=debug)
    return FAILED


def hush() -> None:
    """Nobody reads our output any more (`sweep ls | head`): let the flush at exit go nowhere instead of complaining."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(devnull, stream.fileno())
    os.close(devnull)


def _print_failure(error: BaseException, *, debug: bool) -> None:
    mark = click.style("Error:", fg="red", bold=True)
    if isinstance(error, SpecInvalid):
        count = len(error.faults)
        click.echo(f"{mark} {count} fault{'s' if count != 1 else ''} in {error.source}", err=True)
        for fault in error.faults:
            click.echo(f"  {fault.render(error.source)}", err=True)
    elif isinstance(error, SweepError):
        click.echo(f"{mark} {error}", err=True)
    elif isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        click.echo(f"{mark} {error.strerror or error}{place}", err=True)
    else:
        hint = "" if debug else "; `sweep --debug …` shows where"
        click.echo(f"{mark} this is a bug in sweepwright: {type(error).__name__}: {error}{hint}", err=True)
