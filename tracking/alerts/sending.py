"""Sends the alerts that wait in the store, in a thread of the companion or the agent: nothing waits for a network."""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from tracking.alerts.delivering import PAUSES_S, channels_for, deliver
from tracking.alerts.levels import level_of
from tracking.alerts.message import Message
from tracking.alerts.rules import why_held
from tracking.errors import RunNotFound, StoreUnavailable, UsageError
from tracking.store.contract import AlertRecord, AlertState, RunStore

CLAIM_S = 900.0
"""Longer than any attempt to send may take: who does not mark an alert by then has vanished."""
_STORE_TRIES, _STORE_PAUSE_S = 30, 2.0


Job = Callable[[], None]


class Sender:
    """`look`, `send` and `do` return at once. Nothing that a channel or the store does raises out of the thread."""

    def __init__(
        self,
        store: RunStore,
        say: Callable[[str], None],
        *,
        pauses: Sequence[float] = PAUSES_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._say = store, say
        self._pauses, self._clock = pauses, clock
        self._name = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(3).hex()}"
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._queued: set[str] = set()
        self._thread: threading.Thread | None = None

    def look(self, run_id: str) -> None:
        """Alerts of this run are in the store: have them sent."""
        if run_id not in self._queued:
            self._queued.add(run_id)
            self.do(partial(self._look, run_id))

    def send(self, message: Message) -> None:
        """Have this message sent over every channel that takes its level."""
        self.do(partial(self.broadcast, message))

    def do(self, job: Job) -> None:
        """Have the thread do this, again when the store is away. It is for who must ask the store before sending."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="sweep-alerts", daemon=True)
            self._thread.start()
        self._jobs.put(job)

    def broadcast(self, message: Message) -> None:
        """Send this message now: for what `do` does."""
        from tracking.alerts.setup import load  # brings ssl and smtplib, for the few runs that have alerts

        try:
            channels = channels_for(message, load().channels)
        except UsageError as error:
            self._say(f"the alert {message.title!r} is not sent: {error}")
            return
        delivery = deliver(message, channels, time.sleep, self._pauses)
        if delivery.failed:
            self._say(f"the alert {message.title!r}: {delivery.told}")

    def close(self, patience: float) -> bool:
        """End the thread once everything is sent; False when that took longer than `patience` seconds."""
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            for _ in range(_STORE_TRIES):
                try:
                    job()
                except StoreUnavailable:
                    time.sleep(_STORE_PAUSE_S)
                except Exception as error:  # noqa: BLE001  boundary: an alert that cannot be sent disturbs nothing else
                    self._say(f"an alert could not be sent: {type(error).__name__}")
                    break
                else:
                    break
            else:
                self._say("alerts wait in the store, which stays away")

    def _look(self, run_id: str) -> None:
        self._queued.discard(run_id)
        done: set[tuple[int, str, int]] = set()
        while waiting := [one for one in self._store.waiting_alerts(run_ids=[run_id]) if _key(one) not in done]:
            for alert in waiting:
                done.add(_key(alert))
                self._handle(alert)

    def _handle(self, alert: AlertRecord) -> None:
        if not self._store.claim_alert(alert, self._name, CLAIM_S):
            return
        state, reason = self._outcome(alert)
        if state is AlertState.FAILED:
            self._say(f"the alert {alert.title!r} of run {alert.run_id} is not sent: {reason}")
        self._mark(alert, state, reason)

    def _outcome(self, alert: AlertRecord) -> tuple[AlertState, str]:
        from tracking.alerts.setup import load  # brings ssl and smtplib, for the few runs that have alerts

        held = why_held(alert, self._store.alerts(alert.run_id), self._clock())
        if held:
            return (AlertState.FAILED if alert.tries else AlertState.HELD), held
        try:
            setup = load()
        except UsageError as error:
            return AlertState.FAILED, str(error)
        message = message_of(alert, self._store)
        channels = channels_for(message, setup.channels)
        if not channels:
            why = f"no channel takes the level {message.level}" if setup.channels else "no channel is set up"
            return AlertState.HELD, why
        delivery = deliver(message, channels, time.sleep, self._pauses)
        return (AlertState.SENT if delivery.sent else AlertState.FAILED), delivery.told

    def _mark(self, alert: AlertRecord, state: AlertState, reason: str) -> None:
        """Tell the store, also one that is away for a moment: the message is out and may not be sent again."""
        for _ in range(_STORE_TRIES):
            try:
                self._store.mark_alert(alert, self._name, state, reason)
            except StoreUnavailable:
                time.sleep(_STORE_PAUSE_S)
            else:
                return


def message_of(alert: AlertRecord, store: RunStore) -> Message:
    """The alert in the words of the run that raised it. Raises StoreUnavailable."""
    try:
        run = store.run(alert.run_id)
    except RunNotFound:
        return Message(alert.title, alert.text, level_of(alert.level), run=alert.run_id)
    named = f"{run.name} ({run.id})" if run.name and run.name != run.id else run.id
    return Message(alert.title, alert.text, level_of(alert.level), named, run.project, run.sweep_id, run.host)


def _key(alert: AlertRecord) -> tuple[int, str, int]:
    return alert.attempt, alert.part, alert.position
