"""Senders and the store: each alert goes out at most once per channel, whoever else sends and whoever vanishes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tracking.alerts import setup
from tracking.alerts.channels.contract import Channel, Undelivered
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message
from tracking.alerts.sending import CLAIM_S, Sender
from tracking.alerts.setup import AlertSetup
from tracking.errors import StoreUnavailable, UsageError
from tracking.store.contract import AlertRecord, AlertState, RunBatch, RunStart, RunStore


class Recording(Channel):
    """Remembers what it was sent."""

    def __init__(self, name: str = "post", *failures: Exception, minimum: AlertLevel = AlertLevel.INFO) -> None:
        self.name, self.minimum = name, minimum
        self._failures = list(failures)
        self._lock = threading.Lock()
        self.sent: list[str] = []

    def send(self, message: Message) -> None:
        with self._lock:
            if self._failures:
                raise self._failures.pop(0)
            self.sent.append(message.title)

    def place(self) -> str:
        return self.name


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> list[Channel]:
    """The channels that are set up; a test adds its own."""
    found: list[Channel] = []
    monkeypatch.setattr(setup, "load", lambda *_: AlertSetup(tuple(found)))
    return found


def raise_alerts(
    store: RunStore, *titles: str, level: str = "INFO", at: float | None = None, wait: float = 60.0
) -> None:
    known = {"text": "", "level": level, "wait": wait, "at": time.time() if at is None else at}
    alerts: list[dict[str, Any]] = [{"title": title, "position": n + 1, **known} for n, title in enumerate(titles)]
    store.apply([RunBatch("r", 1, 0, 1000, start=RunStart("r", "p", name="owl"), alerts=alerts)])


def send(store: RunStore, *, senders: int = 1) -> list[str]:
    """Let so many senders look at once; what they said."""
    said: list[str] = []
    made = [Sender(store, said.append, pauses=(0.0, 0.0)) for _ in range(senders)]
    for sender in made:
        sender.look("r")
    assert all(sender.close(60.0) for sender in made)
    return said


def states(store: RunStore) -> dict[str, tuple[AlertState, str]]:
    return {alert.title: (alert.sent, alert.reason) for alert in store.alerts("r")}


def test_several_senders_send_each_alert_once(run_store: RunStore, channels: list[Channel]) -> None:
    titles = [f"alert {number}" for number in range(30)]
    channels.append(post := Recording())
    raise_alerts(run_store, *titles)
    send(run_store, senders=5)
    assert sorted(post.sent) == sorted(titles)
    assert {state for state, _ in states(run_store).values()} == {AlertState.SENT}


def test_what_came_of_each_channel_is_stored(run_store: RunStore, channels: list[Channel]) -> None:
    channels += [Recording("good"), Recording("bad", Undelivered("it answered 404", again=False))]
    raise_alerts(run_store, "x")
    said = send(run_store)
    assert states(run_store) == {"x": (AlertState.SENT, "sent by good; bad: it answered 404")}
    assert not said


def test_an_alert_that_no_channel_took_has_failed(run_store: RunStore, channels: list[Channel]) -> None:
    channels.append(Recording("bad", *[Undelivered("busy", again=True) for _ in range(3)]))
    raise_alerts(run_store, "x")
    (said,) = send(run_store)
    assert states(run_store) == {"x": (AlertState.FAILED, "bad: busy")}
    assert "is not sent: bad: busy" in said


def test_a_level_that_no_channel_takes_is_held(run_store: RunStore, channels: list[Channel]) -> None:
    channels.append(Recording("errors", minimum=AlertLevel.ERROR))
    raise_alerts(run_store, "x", level="WARN")
    send(run_store)
    assert states(run_store) == {"x": (AlertState.HELD, "no channel takes the level WARN")}


def test_one_title_is_sent_once_in_its_wait(run_store: RunStore, channels: list[Channel]) -> None:
    channels.append(post := Recording())
    raise_alerts(run_store, "same", "same", "other", "same")
    send(run_store)
    assert post.sent == ["same", "other"]
    assert [alert.sent.value for alert in run_store.alerts("r")] == ["sent", "held", "sent", "held"]


def test_an_alert_whose_sender_vanished_is_given_up(run_store: RunStore, channels: list[Channel]) -> None:
    channels.append(post := Recording())
    raise_alerts(run_store, "x")
    (alert,) = run_store.waiting_alerts(run_ids=["r"])
    assert run_store.claim_alert(alert, "somebody who is killed now", 0.2)
    send(run_store)
    assert states(run_store)["x"][0] is AlertState.WAITING  # it may still be on its way
    time.sleep(0.3)
    send(run_store)
    assert not post.sent
    assert states(run_store)["x"][0] is AlertState.FAILED


def test_a_setup_that_is_refused_fails_the_alert_with_the_reason(
    run_store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> AlertSetup:
        raise UsageError("alerts.yaml: chmod 600")

    monkeypatch.setattr(setup, "load", refused)
    raise_alerts(run_store, "x")
    send(run_store)
    assert states(run_store) == {"x": (AlertState.FAILED, "alerts.yaml: chmod 600")}


class Shaky:
    """A store that is away each time it is asked to mark, for a while."""

    def __init__(self, store: RunStore, outages: int) -> None:
        self._store, self.outages = store, outages

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def mark_alert(self, *arguments: Any) -> bool:
        if self.outages:
            self.outages -= 1
            raise StoreUnavailable("away")
        return self._store.mark_alert(*arguments)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from tracking.alerts import sending

    monkeypatch.setattr(sending, "_STORE_PAUSE_S", 0.0)
    return


@pytest.mark.usefixtures("no_pause")
def test_a_store_that_is_away_after_the_sending_makes_no_second_message(
    run_store: RunStore, channels: list[Channel]
) -> None:
    channels.append(post := Recording())
    raise_alerts(run_store, "x")
    shaky: Any = Shaky(run_store, 5)
    send(shaky)
    assert post.sent == ["x"]
    assert states(run_store)["x"][0] is AlertState.SENT


def test_a_claim_lasts_longer_than_any_sending() -> None:
    from tracking.alerts.channels.email import TIMEOUT_S as MAIL_S
    from tracking.alerts.delivering import PAUSES_S
    from tracking.alerts.reaching import MAX_REDIRECTS, TIMEOUT_S

    tries = len(PAUSES_S) + 1
    one_hook = tries * 2 * TIMEOUT_S * (MAX_REDIRECTS + 1)
    assert one_hook + tries * MAIL_S + 60.0 * len(PAUSES_S) < CLAIM_S


def test_waiting_alerts_are_found_across_attempts(run_store: RunStore, channels: list[Channel]) -> None:
    channels.append(post := Recording())
    raise_alerts(run_store, "first")
    alerts = [{"title": "second", "position": 1, "text": "", "level": "INFO", "wait": 0.0, "at": time.time()}]
    run_store.apply([RunBatch("r", 2, 0, 10, start=RunStart("r", "p"), alerts=alerts)])
    found: list[AlertRecord] = run_store.alerts("r")
    assert len(found) == 2
    send(run_store)
    assert sorted(post.sent) == ["first", "second"]
