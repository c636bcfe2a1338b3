"""The webhook channel: a JSON POST with the words and the headers that the other side wants."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tracking.alerts.channels.contract import Channel
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import FIELDS, Message, render
from tracking.alerts.reaching import post, split

DEFAULT_TEMPLATE: dict[str, Any] = {name: f"{{{name}}}" for name in FIELDS}


class WebhookChannel(Channel):
    """`template` is any JSON value; each text in it may name fields."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "webhook",
        minimum: AlertLevel = AlertLevel.INFO,
        template: Any = None,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
    ) -> None:
        self.name, self.minimum = name, minimum
        self._url, self._template = url, DEFAULT_TEMPLATE if template is None else template
        self._headers = {"Content-Type": "application/json", **(headers or {})}
        self._allow_private = allow_private

    def send(self, message: Message) -> None:
        body = json.dumps(render(self._template, message)).encode()
        post(self._url, body, self._headers, allow_private=self._allow_private)

    def place(self) -> str:
        return split(self._url).hostname or ""
