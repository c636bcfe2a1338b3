"""How long a version lives: the words of users and the seconds of the store."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from tracking.artifacts.contract import NEVER
from tracking.errors import UsageError


class ArtifactTTL(Enum):
    """`artifact.ttl = ArtifactTTL.INHERIT`: what the collection says."""

    INHERIT = "inherit"


TTL = timedelta | ArtifactTTL | None


def seconds_of(ttl: TTL) -> float | None:
    """Seconds; NEVER for None ("does not expire"), None for INHERIT. Raises UsageError."""
    if ttl is ArtifactTTL.INHERIT:
        return None
    if ttl is None:
        return NEVER
    if not isinstance(ttl, timedelta) or ttl <= timedelta(0):
        raise UsageError(f"ttl={ttl!r}: it is a positive timedelta, None (never expires) or ArtifactTTL.INHERIT")
    return ttl.total_seconds()


def timedelta_of(seconds: float | None) -> timedelta | None:
    """The other way round; None where nothing expires."""
    return None if seconds is None or seconds == NEVER else timedelta(seconds=seconds)
