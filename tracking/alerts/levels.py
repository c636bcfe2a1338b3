"""The three levels of an alert, and which of them is worse."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from tracking.errors import UsageError


class AlertLevel(StrEnum):
    """How urgent an alert is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"

    @property
    def rank(self) -> int:
        """0 for INFO, 1 for WARN, 2 for ERROR."""
        return _RANKS[self]


def level_of(value: Any) -> AlertLevel:
    """The level that a user names, in any case; None is INFO. Raises UsageError, which lists the levels."""
    if value is None:
        return AlertLevel.INFO
    name = str(getattr(value, "value", value)).strip().upper()
    try:
        return AlertLevel(_ALIASES.get(name, name))
    except ValueError:
        raise UsageError(f"alert level {value!r} is none of {', '.join(AlertLevel)}") from None


_RANKS = {level: rank for rank, level in enumerate(AlertLevel)}
_ALIASES = {"WARNING": "WARN"}
