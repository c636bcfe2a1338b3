"""One agent in a terminal: a live view there, plain lines elsewhere, what it says when it leaves, the exit status."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import suppress

from agent.announcing import Say, silent
from agent.assembly import Options, assemble
from agent.cli import printing
from agent.cli.messages import Messages
from agent.driving import Foreground, drive
from agent.interrupts import Interrupts
from sweeps.api.pasting import sweep_line
from sweeps.cli.stores import Stores
from sweeps.errors import SweepNotFound
from sweeps.records import SweepRecord
from sweeps.states import SweepState
from tracking.errors import StoreError


class Session:
    """An agent that is ready to run; making one raises what keeps it from launching, before a trial is taken."""

    def __init__(
        self, stores: Stores, sweep: SweepRecord, options: Options, *, forward: bool = False, quiet: bool = False
    ) -> None:
        self._stores, self._sweep_id, self._forward = stores, sweep.id, forward
        self._count = options.count
        self._animated = sys.stdout.isatty() and not quiet
        self._say: Say = silent if quiet else printing.out
        self._messages = Messages()
        say = silent if self._animated else self._say
        self._agent = assemble(
            sweep, stores.sweeps, stores.runs, options, function=None, say=say, warn=self._messages.warn
        )

    def run(self) -> int:
        """Run the agent to its end; returns the exit status. Raises what made it give up."""
        for warning in self._agent.warnings:
            self._messages.warn(f"warning: {warning}")
        with Interrupts(self._agent, forward=self._forward, tell=self._messages.tell) as signals:
            drive(self._agent, self._live_view() if self._animated else None)
        with suppress(StoreError):  # it went away: the agent has said so
            self._say_end(signals.signal)
        return signals.status

    def _say_end(self, number: int | None) -> None:
        record = self._stores.sweeps.sweep(self._sweep_id)
        over = record.state in (SweepState.FINISHED, SweepState.CANCELED)
        count = self._agent.loop.taken
        taken = f"{count} trial{'' if count == 1 else 's'}"
        go_on = "" if over else f"; to go on: {sweep_line('agent', record.id)}"
        if number is not None:
            name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
            self._say(f"left after {name}, {taken} taken{go_on}")
        elif self._count is not None and count >= self._count:
            self._say(f"took {taken}, as asked{go_on}")
        if over:
            self._say(f"sweep {record.id} is {record.state.value}" + (f": {record.reason}" if record.reason else ""))

    def _live_view(self) -> Foreground:
        # rich is only needed on a terminal, and costs a third of a second at the start of the first trial.
        from agent.cli.terminal import without_echo
        from sweeps.cli.output import console
        from sweeps.views.live import LiveView

        def show(done: threading.Event) -> None:
            stores = self._stores
            with without_echo(), self._messages.shown_by_view() as lines:
                try:
                    LiveView(stores.sweeps, stores.runs, self._sweep_id, console(), messages=lines).run_until(done)
                except SweepNotFound:
                    return  # deleted while it ran: the agent says so

        return show
