"""The live view of a sweep: redraws in place on a terminal, prints a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Event

from rich.console import Console
from rich.live import Live

from sweeps.store.contract import SweepStore
from sweeps.views.live_frame import render_frame, render_line
from sweeps.views.snapshot import Snapshot, SnapshotReader
from tracking.errors import StoreUnavailable
from tracking.store.contract import RunStore

REFRESH = 0.4  # seconds between two looks on a terminal: at most 4 a second however fast the store is
PLAIN_REFRESH = 2.0
PLAIN_SILENCE = 30.0  # without a terminal something is printed at least this often
RETRY = 1.0  # while the store is away


class LiveView:
    """Shows one sweep until it is over. It only reads; several may watch the same sweep."""

    def __init__(
        self,
        sweep_store: SweepStore,
        run_store: RunStore,
        sweep_id: str,
        console: Console,
        clock: Callable[[], float] = time.monotonic,
        messages: SimpleQueue[str] | None = None,
    ) -> None:
        """`messages`: lines to print above the view; a signal handler may put them there."""
        self._reader = SnapshotReader(sweep_store, run_store, sweep_id)
        self._console, self._clock = console, clock
        self._messages = messages
        self._last: Snapshot | None = None
        self._said: tuple[object, ...] = ()
        self._said_at = -PLAIN_SILENCE

    def run_until(self, stop: Event) -> Snapshot | None:
        """Show the sweep until `stop` is set or it is over; returns what was shown last (None when nothing could be).

        A store that goes away is waited for. Raises SweepNotFound when there is no such sweep (any more).
        """
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._animate(stop)
        else:
            self._narrate(stop)
        return self._last

    def look(self) -> Snapshot | None:
        """The sweep now, or as it was when the store was last there; None before the first success."""
        try:
            self._last = self._reader.read()
        except StoreUnavailable as error:
            if self._last is not None:
                self._last = replace(self._last, problem=f"store away, retrying ({error})")
        return self._last

    def _animate(self, stop: Event) -> None:
        with Live(console=self._console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                ending = stop.is_set()
                snapshot = self.look()
                self._pass_on()
                if snapshot is None:
                    live.update("The store is away, retrying …", refresh=True)
                else:
                    live.update(render_frame(snapshot, self._console.width), refresh=True)
                if self._is_enough(snapshot, ending):
                    return
                stop.wait(self._pause(snapshot, REFRESH))

    def _narrate(self, stop: Event) -> None:
        while True:
            ending = stop.is_set()
            snapshot = self.look()
            self._pass_on()
            if snapshot is not None:
                self._say(snapshot)
            if self._is_enough(snapshot, ending):
                return
            stop.wait(self._pause(snapshot, PLAIN_REFRESH))

    def _pass_on(self) -> None:
        """Print the messages; on a terminal they scroll away above what is redrawn."""
        while self._messages is not None:
            try:
                line = self._messages.get_nowait()
            except Empty:
                return
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _say(self, snapshot: Snapshot) -> None:
        """Print a line when trials have ended, the state has changed, or for a sign of life."""
        news = (snapshot.done, snapshot.state, bool(snapshot.problem), snapshot.notices)
        if news == self._said and self._clock() - self._said_at < PLAIN_SILENCE:
            return
        for notice in snapshot.notices[len(self._said[3]) if self._said else 0 :]:  # type: ignore[arg-type]
            self._console.print(f"notice: {notice}", markup=False, highlight=False, soft_wrap=True)
        self._console.print(render_line(snapshot), markup=False, highlight=False, soft_wrap=True)
        self._said, self._said_at = news, self._clock()

    @staticmethod
    def _is_enough(snapshot: Snapshot | None, ending: bool) -> bool:
        return ending or (snapshot is not None and snapshot.is_over)

    @staticmethod
    def _pause(snapshot: Snapshot | None, usual: float) -> float:
        return usual if snapshot is not None and not snapshot.problem else max(RETRY, usual)
