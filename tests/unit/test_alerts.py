"""Alerts without a network: raising, rules, templates, the setup file, and delivering with tries."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tracking.alerts.channels.contract import Channel, Undelivered
from tracking.alerts.delivering import channels_for, deliver
from tracking.alerts.levels import AlertLevel, level_of
from tracking.alerts.message import Message, render, unknown_fields
from tracking.alerts.raising import MAX_TITLE, alert, seconds_of
from tracking.alerts.reaching import is_public
from tracking.alerts.rules import TOO_OLD_S, why_held
from tracking.alerts.setup import load
from tracking.errors import UsageError
from tracking.home import Home
from tracking.journal.records import RecordType
from tracking.notices import forget
from tracking.store.contract import AlertRecord, AlertState


class Run:
    """What raising an alert needs of a run."""

    disabled = False

    def __init__(self) -> None:
        self.records: list[tuple[RecordType, dict[str, Any]]] = []

    def record(self, kind: RecordType, body: dict[str, Any]) -> None:
        self.records.append((kind, body))


def raised(run: Run) -> list[dict[str, Any]]:
    assert all(kind is RecordType.ALERT for kind, _ in run.records)
    return [body for _, body in run.records]


def test_an_alert_is_one_record_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    alert(run, "Low accuracy", "only 12 %\nof them", level="warn", wait_duration=timedelta(minutes=5))  # type: ignore[arg-type]
    (body,) = raised(run)
    assert (body["title"], body["text"], body["level"], body["wait"]) == (
        "Low accuracy",
        "only 12 %\nof them",
        "WARN",
        300,
    )
    assert capsys.readouterr().err == "sweepwright: alert WARN: Low accuracy: only 12 % of them\n"


def test_the_line_is_not_repeated_while_the_title_waits_but_the_record_is(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    for _ in range(5):
        alert(run, "again")  # type: ignore[arg-type]
    alert(run, "other", wait_duration=0)  # type: ignore[arg-type]
    alert(run, "other", wait_duration=0)  # type: ignore[arg-type]
    assert len(raised(run)) == 7
    assert capsys.readouterr().err.splitlines() == [
        "sweepwright: alert INFO: again",
        "sweepwright: alert INFO: other",
        "sweepwright: alert INFO: other",
    ]


def test_a_loop_that_raises_one_each_step_does_not_fill_the_journal() -> None:
    run = Run()
    for _ in range(10_000):
        alert(run, "each step")  # type: ignore[arg-type]
    assert len(run.records) < 200


def test_a_long_title_is_cut_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run()
    forget("log:")
    alert(run, "x" * 100)  # type: ignore[arg-type]
    assert len(raised(run)[0]["title"]) == MAX_TITLE
    assert "it is cut to 64" in capsys.readouterr().err


def test_a_disabled_run_takes_alerts_and_does_nothing() -> None:
    run = Run()
    run.disabled = True
    alert(run, "x")  # type: ignore[arg-type]
    assert not run.records


@pytest.mark.parametrize(
    "arguments",
    [{"title": " "}, {"title": "x", "level": "LOUD"}, {"title": "x", "wait_duration": -1}]
    + [{"title": "x", "wait_duration": value} for value in ("60", True, float("nan"))],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    run = Run()
    with pytest.raises(UsageError):
        alert(run, **arguments)  # type: ignore[arg-type]
    assert not run.records


def test_levels_are_named_in_any_case_and_ordered() -> None:
    assert level_of("Warning") is level_of("WARN") is AlertLevel.WARN
    assert level_of(None) is AlertLevel.INFO
    assert AlertLevel.INFO.rank < AlertLevel.WARN.rank < AlertLevel.ERROR.rank
    assert seconds_of(None) == 60


# -- which are sent ---------------------------------------------------------------------------


def stored(position: int, at: float, title: str = "t", wait: float = 60.0, **changes: Any) -> AlertRecord:
    known = {"sent": AlertState.WAITING, "reason": "", "tries": 0, "sent_at": None} | changes
    return AlertRecord("r", 1, "", position, title, "", "INFO", wait, at, **known)


def test_an_alert_is_held_back_for_its_wait_after_one_of_its_title_that_was_sent() -> None:
    first = stored(1, 1000.0, sent=AlertState.SENT)
    assert "came 59 s before" in why_held(stored(2, 1059.0), [first], 1060.0)
    assert why_held(stored(2, 1060.0), [first], 1060.0) == ""
    assert why_held(stored(2, 1001.0, title="other"), [first], 1060.0) == ""
    assert why_held(stored(2, 1001.0, wait=0.0), [first], 1060.0) == ""


def test_only_what_went_out_holds_others_back() -> None:
    alert = stored(3, 1010.0)
    for state in (AlertState.HELD, AlertState.FAILED, AlertState.WAITING):
        assert why_held(alert, [stored(2, 1005.0, sent=state), alert], 1010.0) == ""
    assert why_held(alert, [stored(2, 1005.0, tries=1)], 1010.0)  # another sender is at it


def test_an_alert_that_comes_hours_late_is_stored_and_not_sent() -> None:
    assert why_held(stored(1, 1000.0), [], 1000.0 + TOO_OLD_S) == ""
    assert "hours old" in why_held(stored(1, 1000.0), [], 1001.0 + TOO_OLD_S)


def test_an_alert_whose_sender_vanished_is_not_sent_twice() -> None:
    assert "vanished" in why_held(stored(1, 1000.0, tries=1), [], 1001.0)


# -- words ------------------------------------------------------------------------------------

MESSAGE = Message("Loss {text}", 'a "quote"\n{title.__class__}', AlertLevel.ERROR, run="brave-owl (r1)", project="p")


def test_templates_name_fields_and_nothing_else() -> None:
    template = {"{level}": ["{title}", {"deep": "{run}/{project}{sweep}"}, 7], "json": "{ }"}
    assert render(template, MESSAGE) == {
        "ERROR": ["Loss {text}", {"deep": "brave-owl (r1)/p"}, 7],
        "json": "{ }",
    }
    assert render("{title.__class__} {0} {nothing}", MESSAGE) == "{title.__class__} {0} {nothing}"


def test_a_field_that_does_not_exist_is_told_with_the_nearest() -> None:
    (wrong,) = unknown_fields({"a": ["{titel}"]})
    assert "did you mean {title}?" in wrong


# -- the setup --------------------------------------------------------------------------------

SECRET = "T0P/S3CRET"


def setup_file(home: Path, text: str, mode: int = 0o600) -> Home:
    home.mkdir(parents=True, exist_ok=True)
    path = home / "alerts.yaml"
    path.write_text(text)
    path.chmod(mode)
    return Home(home)


def test_without_a_file_and_variables_there_is_no_channel(home: Path) -> None:
    setup = load()
    assert (setup.channels, setup.sources, setup.events.finished) == ((), (), True)


def test_a_file_names_channels_with_levels_and_events(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    setup = load(
        setup_file(
            home,
            """
            level: WARN
            channels:
              - {type: slack, url: https://hooks.slack.com/services/T0P/S3CRET, level: error}
              - type: webhook
                url: https://chat.example.org/hook
                headers: {Authorization: "Bearer ${MAIL_PASSWORD}"}
                template: '{"body": "{title}: {text}"}'
              - {type: webhook, url: https://other.example.org/}
              - {type: email, host: smtp.example.org, user: me@example.org, password: "${MAIL_PASSWORD}", to: a@b.org}
              - type: console
            events: {new_best: false, stalled: 2h}
            """,
        )
    )
    assert [(channel.name, channel.minimum.value) for channel in setup.channels] == [
        ("slack", "ERROR"),
        ("webhook", "WARN"),
        ("webhook-2", "WARN"),
        ("email", "WARN"),
        ("console", "WARN"),
    ]
    assert [channel.place() for channel in setup.channels][:4] == [
        "hooks.slack.com",
        "chat.example.org",
        "other.example.org",
        "a@b.org by smtp.example.org:587",
    ]
    assert (setup.events.new_best, setup.events.stalled, setup.events.finished) == (False, 7200, True)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o666])
def test_a_file_that_others_may_read_is_refused(home: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="chmod 600"):
        load(setup_file(home, "channels: []", mode))


WRONG = {
    "channels: {type: slack}": "channels must be a list",
    "channels: [{type: pigeon}]": "pigeon.*there are only",
    "channels: [{type: slack}]": "channels\\[0\\] needs a text for 'url'",
    "channels: [{type: slack, url: 'ftp://T0P/S3CRET'}]": "must begin with http",
    "channels: [{type: slack, url: 'https://h/T0P/S3CRET', urll: 1}]": "did you mean url",
    "channels: [{type: webhook, url: 'https://h/T0P/S3CRET', template: {a: '{titel}'}}]": "did you mean {title}",
    "channels: [{type: webhook, url: 'https://h/', template: '{bad'}]": "is no JSON",
    "channels: [{type: webhook, url: 'https://h/', headers: {A: '${NOT_SET}'}}]": "NOT_SET, which is not set",
    "channels: [{type: email, host: h, to: nobody}]": "must name e-mail addresses",
    "channels: [{type: email, host: h, to: a@b, user: u, password: T0P/S3CRET, security: none}]": "unprotected",
    "channels: [{type: email, host: h, to: a@b, security: rot13}]": "there are only: starttls",
    "channels: [{type: email, host: h, to: a@b, port: 99999}]": "from 1 to 65535",
    "level: LOUD": "INFO, WARN, ERROR",
    "events: {finnished: false}": "did you mean finished",
    "events: {stalled: soon}": "such as 30m",
    "events: {finished: 3}": "true or false",
    "[1]": "must hold a mapping",
    "a: [": "alerts.yaml:",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_setup_names_the_place_and_no_secret(home: Path, text: str) -> None:
    with pytest.raises(UsageError, match=WRONG[text]) as caught:
        load(setup_file(home, text))
    assert "S3CRET" not in str(caught.value)
    assert "alerts.yaml" in str(caught.value)


def test_variables_are_channels_too(home: Path) -> None:
    setup = load(
        environ={
            "SWEEP_ALERT_SLACK": "https://hooks.slack.com/x",
            "SWEEP_ALERT_WEBHOOK": "https://h.example.org/x",
            "SWEEP_ALERT_SMTP": "smtps://me%40b.org:p%2Fw@mail.b.org?to=a@b.org,c@d.org",
        }
    )
    assert [channel.place() for channel in setup.channels] == [
        "hooks.slack.com",
        "h.example.org",
        "a@b.org, c@d.org by mail.b.org:465",
    ]
    assert setup.sources == ("SWEEP_ALERT_SLACK", "SWEEP_ALERT_WEBHOOK", "SWEEP_ALERT_SMTP")


@pytest.mark.parametrize(
    "url", ["smtp://u:S3CRET@h", "http://u:S3CRET@h?to=a@b.org", "smtp://u:S3CRET@h?to=a@b.org&security=none"]
)
def test_a_wrong_variable_gives_no_secret_away(home: Path, url: str) -> None:
    with pytest.raises(UsageError, match="SWEEP_ALERT_SMTP") as caught:
        load(environ={"SWEEP_ALERT_SMTP": url})
    assert "S3CRET" not in str(caught.value)


# -- delivering -------------------------------------------------------------------------------


class Flaky(Channel):
    """Fails as told, then takes everything."""

    def __init__(self, name: str, *failures: Exception, minimum: AlertLevel = AlertLevel.INFO) -> None:
        self.name, self.minimum = name, minimum
        self._failures = list(failures)
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        if self._failures:
            raise self._failures.pop(0)
        self.sent.append(message)

    def place(self) -> str:
        return self.name


def later(why: str = "busy", after: float = 0.0) -> Undelivered:
    return Undelivered(why, again=True, after=after)


def test_each_channel_gets_the_message_once_and_a_busy_one_later() -> None:
    good, busy = Flaky("good"), Flaky("busy", later(), later(after=30.0))
    pauses: list[float] = []
    delivery = deliver(MESSAGE, [good, busy], pauses.append)
    assert (len(good.sent), len(busy.sent)) == (1, 1)
    assert pauses == [1.0, 30.0]
    assert (delivery.sent, delivery.failed) == (("good", "busy"), {})


def test_a_channel_that_refuses_is_not_tried_again_and_one_that_stays_busy_is_given_up() -> None:
    refuses, busy = Flaky("refuses", Undelivered("no", again=False)), Flaky("busy", *[later() for _ in range(9)])
    delivery = deliver(MESSAGE, [refuses, busy, Flaky("good")], lambda _: None)
    assert (delivery.sent, delivery.failed) == (("good",), {"refuses": "no", "busy": "busy"})
    assert delivery.told == "sent by good; refuses: no; busy: busy"


def test_a_faulty_channel_gives_only_the_kind_of_its_error_away() -> None:
    delivery = deliver(MESSAGE, [Flaky("odd", RuntimeError(SECRET)), Flaky("good")], lambda _: None)
    assert delivery.sent == ("good",)
    assert delivery.failed == {"odd": "it cannot send (RuntimeError)"}


def test_channels_take_their_level_and_what_is_worse() -> None:
    channels = [Flaky("all"), Flaky("bad", minimum=AlertLevel.ERROR)]
    assert [channel.name for channel in channels_for(MESSAGE, channels)] == ["all", "bad"]
    assert [channel.name for channel in channels_for(Message("x"), channels)] == ["all"]


PRIVATE = (
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 :: "
    "fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1 2002:0a00:0001::1 64:ff9b::10.0.0.1"
)


@pytest.mark.parametrize("text", PRIVATE.split())
def test_an_address_that_is_not_of_the_public_network_is_known(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_an_address_of_the_public_network_is_known(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
