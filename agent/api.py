"""The runner behind `sweeps.agent` and `Sweep.run`: drives trials of one sweep from Python."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress

import sweeps.store
import tracking.store
from agent.announcing import silent
from agent.assembly import Options, assemble
from agent.driving import drive
from agent.interrupts import Interrupts


def run_sweep(
    sweep_id: str,
    *,
    function: Callable[[], object] | None = None,
    count: int | None = None,
    slots: int = 1,
    store_url: str | None = None,
    quiet: bool = False,
    max_consecutive_failures: int | None = None,
) -> None:
    """Run trials until the sweep is over or `count` of them (default: no limit) have ended.

    `function` is called once per trial; with one slot in the calling thread, with more in threads. Without it the
    sweep's program is run. An exception of the function fails that trial only, unless the first five trials fail
    (SWEEP_AGENT_MAX_INITIAL_FAILURES sets the five, 0: never) or `max_consecutive_failures` in a row (default None:
    any number). `quiet` prints no line per trial.

    Raises SweepNotFound, CannotLaunch, TooManyFailures (with the last traceback), KeyboardInterrupt after Ctrl-C.
    """
    with closing(sweeps.store.open_store(store_url)) as store, closing(tracking.store.open_store(store_url)) as runs:
        agent = assemble(
            store.find_sweep(sweep_id),
            store,
            runs,
            Options(slots=slots, count=count, max_consecutive_failures=max_consecutive_failures or 0),
            function=function,
            say=silent if quiet else _print,
            warn=_warn,
        )
        for warning in agent.warnings:
            _warn(f"warning: {warning}")
        # A function in the main thread gets Ctrl-C as KeyboardInterrupt, as it would without us.
        signals = Interrupts(agent)
        with nullcontext() if function is not None and slots == 1 else signals:
            drive(agent)
    if signals.status == 130:
        raise KeyboardInterrupt
    if signals.status:
        raise SystemExit(signals.status)


# One write per line: print makes two, and what a function in another thread prints would come between them.
# One that fails (a reader who left, a full disk) must end no trial.
def _print(line: str) -> None:
    with suppress(OSError):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _warn(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
