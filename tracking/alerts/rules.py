"""Which alerts are sent: pure rules over what the store knows of a run's alerts."""

from __future__ import annotations

from collections.abc import Iterable

from tracking.store.contract import AlertRecord, AlertState

TOO_OLD_S = 3600.0
"""An alert that comes to its sender later than this, by a late sync, is news to nobody: it is stored, not sent."""


def why_held(alert: AlertRecord, others: Iterable[AlertRecord], now: float) -> str:
    """Why the alert is not sent, "" when it is. `now` is Unix seconds."""
    age = now - alert.at
    if age > TOO_OLD_S:
        return f"it is {age / 3600:.1f} hours old"
    if alert.tries:
        return "its sender vanished while it was sending, so it may have arrived"
    for other in others:
        gap = alert.at - other.at
        if _is_before(other, alert) and _went_out(other) and gap < alert.wait:
            return f"another of this title came {gap:.0f} s before"
    return ""


def _is_before(other: AlertRecord, alert: AlertRecord) -> bool:
    same = (other.attempt, other.part, other.position) == (alert.attempt, alert.part, alert.position)
    return not same and other.title == alert.title and other.at <= alert.at


def _went_out(other: AlertRecord) -> bool:
    """Whether it was sent, or is on its way by another sender at this moment."""
    return other.sent is AlertState.SENT or (other.sent is AlertState.WAITING and other.tries > 0)
