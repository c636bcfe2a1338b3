"""Durations as people write them in alerts.yaml: seconds, or `30m`."""

from __future__ import annotations

import re
from typing import Any

from tracking.errors import UsageError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?")


def parse_duration(value: Any, place: str) -> float:
    """Seconds. Raises UsageError which names the place."""
    found = _FORM.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if found is None or float(found[1]) <= 0:
        raise UsageError(f"{place} is {value!r}, but must be a duration such as 30m, 2h or 90 (seconds)")
    return float(found[1]) * _UNITS[found[2] or ""]
