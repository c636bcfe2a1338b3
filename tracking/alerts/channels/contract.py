"""The contract of a channel: one message out, or a word why not that gives no secret away."""

from __future__ import annotations

from abc import ABC, abstractmethod

from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message


class Undelivered(Exception):
    """A message did not go out. The text may be stored and shown: it holds no address, no password, no token.

    `again`: whether another try may help. `after`: the seconds that the other side asked to wait, 0 for none.
    """

    def __init__(self, why: str, *, again: bool, after: float = 0.0) -> None:
        super().__init__(why)
        self.again, self.after = again, after


class Channel(ABC):
    """One way to reach people. `send` may take some seconds and is called by one thread at a time."""

    name: str
    """Its type and, when there are several of one type, a number: `slack`, `webhook-2`."""
    minimum: AlertLevel
    """Alerts below this level are not for this channel."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Send the message, once. Raises Undelivered."""

    @abstractmethod
    def place(self) -> str:
        """Where it sends to, without anything secret: `hooks.slack.com`, `team@lab.org by smtp.lab.org:587`."""
