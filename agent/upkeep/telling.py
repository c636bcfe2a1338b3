"""Tells people: sends the alerts of this agent's runs, and the events of its sweep, each by one of all agents."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from agent.announcing import Say
from agent.attempts.attempt import Attempt
from agent.attempts.verdict import Verdict
from agent.upkeep.events import Event, SweepEvents
from sweeps.records import SweepRecord
from sweeps.spec.model import SweepSpec
from sweeps.states import SweepState
from sweeps.store.contract import SweepStore
from tracking.alerts.presence import is_set_up
from tracking.errors import UsageError
from tracking.home import Home
from tracking.store.contract import RunStore

if TYPE_CHECKING:
    from tracking.alerts.sending import Sender

PATIENCE_S = 60.0
"""How long an agent that ends waits for what is still being sent."""
_LOOK_S = 5.0


class Telling(Protocol):
    """What the loop says of what happens. Nothing here waits or raises."""

    def raised(self, run_id: str) -> None:
        """Alerts of this run are in the store."""

    def ended(self, attempt: Attempt, verdict: Verdict) -> None:
        """The store knows how this attempt ended."""

    def turn(self, attempts: Iterable[Attempt], now: float) -> None:
        """Look for trials that have stalled; `now` is monotonic."""

    def left(self, state: SweepState) -> None:
        """The agent leaves the sweep in this state."""

    def close(self) -> None:
        """Wait for what is being sent."""


class People(Telling):
    """Sends from a thread of its own, which is made when there is something to send."""

    def __init__(
        self, sweep: SweepRecord, spec: SweepSpec, sweeps: SweepStore, runs: RunStore, home: Home, warn: Say
    ) -> None:
        self._runs, self._home, self._warn = runs, home, warn
        self._sender: Sender | None = None
        self._events: SweepEvents | None = None
        if is_set_up(home):
            self._set_up(sweep, spec, sweeps)
        self._look_at = 0.0

    def raised(self, run_id: str) -> None:
        self._made().look(run_id)

    def ended(self, attempt: Attempt, verdict: Verdict) -> None:
        if self._events is not None:
            self._tell(self._events.ended(attempt, verdict))

    def turn(self, attempts: Iterable[Attempt], now: float) -> None:
        if self._events is not None and now >= self._look_at:
            self._look_at = now + min(_LOOK_S, self._events.patience)
            self._tell(self._events.stalled(attempts, now))

    def left(self, state: SweepState) -> None:
        if self._events is not None:
            self._tell(self._events.left(state))

    def close(self) -> None:
        if self._sender is not None and not self._sender.close(PATIENCE_S):
            self._warn("some alerts could not be sent in time")

    def _set_up(self, sweep: SweepRecord, spec: SweepSpec, sweeps: SweepStore) -> None:
        from tracking.alerts.setup import load  # brings ssl and smtplib, for those who want alerts

        try:
            setup = load(self._home)
        except UsageError as error:
            self._warn(f"no alerts are sent: {error}")
            return
        if setup.channels:
            self._events = SweepEvents(sweep, spec, sweeps, setup.events)

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._made().do(partial(self._claim_and_send, event))

    def _claim_and_send(self, event: Event) -> None:
        """In the sender's thread, which waits where that is needed. Raises StoreUnavailable."""
        message = event.claimed()
        if message is not None:
            self._made().broadcast(message)

    def _made(self) -> Sender:
        if self._sender is None:
            from tracking.alerts.sending import Sender  # most agents never send anything

            self._sender = Sender(self._runs, self._warn)
        return self._sender
