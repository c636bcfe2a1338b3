"""The console channel: one line for the person at the terminal."""

from __future__ import annotations

from collections.abc import Callable

from tracking.alerts.channels.contract import Channel
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message
from tracking.alerts.raising import line_of
from tracking.notices import warn


class ConsoleChannel(Channel):
    """Says it with `say`, by default a line on stderr."""

    def __init__(
        self, *, name: str = "console", minimum: AlertLevel = AlertLevel.INFO, say: Callable[[str], None] = warn
    ) -> None:
        self.name, self.minimum = name, minimum
        self._say = say

    def send(self, message: Message) -> None:
        where = f" ({message.place})" if message.place else ""
        self._say(line_of(message.title, message.text, message.level) + where)

    def place(self) -> str:
        return "this terminal"
