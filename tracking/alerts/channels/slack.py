"""The Slack channel: an incoming webhook of a workspace."""

from __future__ import annotations

import json

from tracking.alerts.channels.contract import Channel
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message, render
from tracking.alerts.reaching import post, split

DEFAULT_TEMPLATE = "*{level}: {title}*\n{text}"
_MAX_TEXT = 30_000  # Slack refuses 40 000


class SlackChannel(Channel):
    """The URL is the secret: who has it may post."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "slack",
        minimum: AlertLevel = AlertLevel.INFO,
        template: str = "",
        allow_private: bool = False,
    ) -> None:
        self.name, self.minimum = name, minimum
        self._url, self._template = url, template
        self._allow_private = allow_private

    def send(self, message: Message) -> None:
        safe = Message(**{name: _escaped(message.field(name)) for name in _TEXTS}, level=message.level)
        text = render(self._template or DEFAULT_TEMPLATE, safe)
        if not self._template and message.place:
            text = f"{text.rstrip()}\n_{safe.place}_"
        body = json.dumps({"text": text[:_MAX_TEXT]}).encode()
        post(self._url, body, {"Content-Type": "application/json"}, allow_private=self._allow_private)

    def place(self) -> str:
        return split(self._url).hostname or ""


_TEXTS = ("title", "text", "run", "project", "sweep", "host")


def _escaped(text: str) -> str:
    """Slack reads `<!channel>` and links in what is not escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
