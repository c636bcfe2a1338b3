"""Delivers one message over all its channels, with more tries for those that may work later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracking.alerts.channels.contract import Channel, Undelivered
from tracking.alerts.message import Message

PAUSES_S = (1.0, 4.0, 15.0)
"""Between the tries of one channel; a channel that asks for more time gets it, up to a minute."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a message: the names of the channels that took it, and why each of the others did not."""

    sent: tuple[str, ...]
    failed: dict[str, str]

    @property
    def told(self) -> str:
        """In words, for the store."""
        parts = [f"sent by {', '.join(self.sent)}"] if self.sent else []
        return "; ".join(parts + [f"{name}: {why}" for name, why in self.failed.items()])


def channels_for(message: Message, channels: Sequence[Channel]) -> list[Channel]:
    """Those whose minimum the message reaches."""
    return [channel for channel in channels if message.level.rank >= channel.minimum.rank]


def deliver(
    message: Message, channels: Sequence[Channel], sleep: Callable[[float], object], pauses: Sequence[float] = PAUSES_S
) -> Delivery:
    """Send it over each channel once. Never raises."""
    sent: list[str] = []
    failed: dict[str, str] = {}
    left = list(channels)
    for pause in (*pauses, None):
        after, again = 0.0, []
        for channel in left:
            try:
                channel.send(message)
            except Undelivered as error:
                failed[channel.name] = str(error)
                if error.again:
                    again.append(channel)
                    after = max(after, error.after)
            except Exception as error:  # noqa: BLE001  boundary: a faulty channel holds up no other, its words may be secret
                failed[channel.name] = f"it cannot send ({type(error).__name__})"
            else:
                failed.pop(channel.name, None)
                sent.append(channel.name)
        left = again
        if not left or pause is None:
            break
        sleep(max(pause, after))
    return Delivery(tuple(sent), failed)
