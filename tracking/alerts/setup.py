"""Which channels there are: read from `$SWEEP_HOME/alerts.yaml`, which only its owner may read, and the environment."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tracking import environment
from tracking.alerts.channels.contract import Channel, Undelivered
from tracking.alerts.channels.email import SECURITIES, EmailChannel
from tracking.alerts.channels.slack import SlackChannel
from tracking.alerts.channels.webhook import WebhookChannel
from tracking.alerts.durations import parse_duration
from tracking.alerts.fields import Fields
from tracking.alerts.levels import AlertLevel, level_of
from tracking.alerts.reaching import split
from tracking.alerts.wanted import STALLED_AFTER_S, Events
from tracking.errors import UsageError
from tracking.home import Home

FILE_NAME = "alerts.yaml"


@dataclass(frozen=True, slots=True)
class AlertSetup:
    """The channels that are set up, and what is sent over them."""

    channels: tuple[Channel, ...] = ()
    events: Events = field(default_factory=Events)
    sources: tuple[str, ...] = ()
    """The file and the variables that say so."""


def load(home: Home | None = None, environ: Mapping[str, str] | None = None) -> AlertSetup:
    """The setup of this machine. Raises UsageError, which names the place; nothing of a secret is in its text."""
    path = (home or Home.find()).root / FILE_NAME
    document = _read(path)
    top = Fields(document, str(path))
    level = top.level("level", AlertLevel.INFO)
    allow_private = top.flag("allow_private") or environment.flag(environment.ALERT_PRIVATE, environ)
    channels: list[Channel] = []
    for number, entry in enumerate(top.items("channels")):
        place = Fields(entry, f"{path}: channels[{number}]")
        channels.append(_channel(place, level, allow_private, _name(place.text("type"), channels)))
    events = _events(Fields(top.mapping("events"), f"{path}: events"))
    top.done("level", "allow_private", "channels", "events")
    sources = [str(path)] if document else []
    for variable, make in _FROM_ENVIRONMENT.items():
        value = environment.read(variable, environ)
        if value:
            channels.append(make(value, _name(_TYPES[variable], channels), level, allow_private))
            sources.append(f"SWEEP_{variable}")
    return AlertSetup(tuple(channels), events, tuple(sources))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise UsageError(
            f"{path} may hold secrets, but others can read or change it (mode {mode:o}): no alert is sent. "
            f"Allow it with: chmod 600 {path}"
        )
    if found.st_uid not in (os.geteuid(), 0):
        raise UsageError(f"{path} belongs to another user (uid {found.st_uid}): no alert is sent")
    from tracking.starting.yaml_file import read_yaml  # PyYAML is loaded only where there is a file

    document = read_yaml(path)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"{path} must hold a mapping with `channels:`, it holds a {type(document).__name__}")
    return document


def _events(fields: Fields) -> Events:
    fields.done("finished", "first_failure", "new_best", "stalled")
    stalled = fields.value("stalled", True)
    return Events(
        finished=fields.flag("finished", True),
        first_failure=fields.flag("first_failure", True),
        new_best=fields.flag("new_best", True),
        stalled=(STALLED_AFTER_S if stalled else None)
        if isinstance(stalled, bool)
        else parse_duration(stalled, f"{fields.place}.stalled"),
    )


def _channel(fields: Fields, level: AlertLevel, allow_private: bool, name: str) -> Channel:
    kind = fields.text("type")
    make = _KINDS.get(kind)
    if make is None:
        raise UsageError(f"{fields.place}.type is {kind!r}, but there are only: {', '.join(_KINDS)}")
    if fields.value("allow_private") is None and allow_private:
        fields.values["allow_private"] = True
    return make(fields, fields.level("level", level), name)


def _slack(fields: Fields, minimum: AlertLevel, name: str) -> Channel:
    fields.done("type", "level", "url", "template", "allow_private")
    return SlackChannel(
        _url(fields),
        name=name,
        minimum=minimum,
        template=str(fields.template("template") or ""),
        allow_private=fields.flag("allow_private"),
    )


def _webhook(fields: Fields, minimum: AlertLevel, name: str) -> Channel:
    fields.done("type", "level", "url", "template", "headers", "allow_private")
    headers = {
        str(key): fields.expanded(str(value), f"headers.{key}") for key, value in fields.mapping("headers").items()
    }
    return WebhookChannel(
        _url(fields),
        name=name,
        minimum=minimum,
        template=fields.json_template("template"),
        headers=headers,
        allow_private=fields.flag("allow_private"),
    )


def _email(fields: Fields, minimum: AlertLevel, name: str) -> Channel:
    fields.done(
        "type", "level", "host", "port", "user", "password", "from", "to", "security", "subject", "template",
        "allow_private",
    )  # fmt: skip
    security = fields.text("security", "")
    if security and security not in SECURITIES:
        raise UsageError(f"{fields.place}.security is {security!r}, but there are only: {', '.join(SECURITIES)}")
    user = fields.text("user", "")
    if user and security == "none":
        raise UsageError(f"{fields.place}: a password may not go out unprotected; take security: starttls or ssl")
    return EmailChannel(
        fields.text("host"),
        _recipients(fields),
        port=fields.port("port"),
        user=user,
        password=fields.text("password", ""),
        sender=fields.text("from", ""),
        security=security,
        subject=str(fields.template("subject") or ""),
        template=str(fields.template("template") or ""),
        name=name,
        minimum=minimum,
    )


def _console(fields: Fields, minimum: AlertLevel, name: str) -> Channel:
    from tracking.alerts.channels.console import ConsoleChannel

    fields.done("type", "level", "allow_private")
    return ConsoleChannel(name=name, minimum=minimum)


def _desktop(fields: Fields, minimum: AlertLevel, name: str) -> Channel:
    from tracking.alerts.channels.desktop import DesktopChannel

    fields.done("type", "level", "allow_private")
    return DesktopChannel(name=name, minimum=minimum)


def _url(fields: Fields) -> str:
    url = fields.text("url")
    _checked_url(url, f"{fields.place}.url")
    return url


def _recipients(fields: Fields) -> list[str]:
    value = fields.value("to")
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    found = [fields.expanded(str(word), "to").strip() for word in words]
    return _checked_recipients([word for word in found if word], f"{fields.place}.to")


def _checked_url(url: str, place: str) -> None:
    try:
        split(url)
    except Undelivered as error:
        raise UsageError(f"{place}: {error}") from None


def _checked_recipients(found: list[str], place: str) -> list[str]:
    wrong = [word for word in found if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", word)]
    if not found or wrong:
        raise UsageError(
            f"{place} must name e-mail addresses, such as team@example.org" + (f", not {wrong[0]!r}" if wrong else "")
        )
    return found


def _slack_from(url: str, name: str, minimum: AlertLevel, allow_private: bool) -> Channel:
    _checked_url(url, "SWEEP_ALERT_SLACK")
    return SlackChannel(url, name=name, minimum=minimum, allow_private=allow_private)


def _webhook_from(url: str, name: str, minimum: AlertLevel, allow_private: bool) -> Channel:
    _checked_url(url, "SWEEP_ALERT_WEBHOOK")
    return WebhookChannel(url, name=name, minimum=minimum, allow_private=allow_private)


def _email_from(url: str, name: str, minimum: AlertLevel, allow_private: bool) -> Channel:
    """`smtp://user:password@host:587?to=a@b.org,c@d.org&from=…`; smtps:// is TLS from the start."""
    place = "SWEEP_ALERT_SMTP"
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError:
        raise UsageError(f"{place} is no URL") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise UsageError(f"{place} must look like smtp://user:password@host:587?to=name@example.org")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    security = query.get("security", "ssl" if parts.scheme == "smtps" else "")
    if security and security not in SECURITIES:
        raise UsageError(f"{place}: security is {security!r}, but there are only: {', '.join(SECURITIES)}")
    if parts.username and security == "none":
        raise UsageError(f"{place}: a password may not go out unprotected; take security=starttls or ssl")
    words = [word.strip() for word in query.get("to", "").split(",") if word.strip()]
    return EmailChannel(
        parts.hostname,
        _checked_recipients(words, f"{place}: to"),
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=query.get("from", ""),
        security=security,
        name=name,
        minimum=minimum,
    )


def _name(kind: str, others: list[Channel]) -> str:
    """The type; with a number when there are others of it."""
    same = sum(channel.name.partition("-")[0] == kind for channel in others)
    return f"{kind}-{same + 1}" if same else kind


_KINDS: Mapping[str, Callable[[Fields, AlertLevel, str], Channel]] = {
    "slack": _slack,
    "email": _email,
    "webhook": _webhook,
    "console": _console,
    "desktop": _desktop,
}
_FROM_ENVIRONMENT: Mapping[str, Callable[[str, str, AlertLevel, bool], Channel]] = {
    environment.ALERT_SLACK: _slack_from,
    environment.ALERT_WEBHOOK: _webhook_from,
    environment.ALERT_SMTP: _email_from,
}
_TYPES = {environment.ALERT_SLACK: "slack", environment.ALERT_WEBHOOK: "webhook", environment.ALERT_SMTP: "email"}
__all__ = ["FILE_NAME", "AlertSetup", "Events", "level_of", "load"]
