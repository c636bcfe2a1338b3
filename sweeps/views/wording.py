"""How values, durations and foreign strings are written for people; plain text, no markup."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from sweeps.states import TrialState

NONE = "–"

STATE_WORDS: Mapping[TrialState, str] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "stopped early",
    TrialState.FAILED: "failed",
    TrialState.CANCELED: "canceled",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}

STATE_STYLES: Mapping[str, str] = {
    "complete": "green",
    "pruned": "yellow",
    "failed": "red",
    "canceled": "bright_black",
    "running": "cyan",
    "waiting": "bright_black",
    "paused": "yellow",
    "stopping": "yellow",
    "canceling": "yellow",
    "finished": "green",
}


def clean(text: str) -> str:
    """One line without control characters: names and reasons come from users and must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def number(value: float | None) -> str:
    """A metric: five significant digits, no noise."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return str(int(value))
    return f"{value:.5g}"


def value_text(value: Any) -> str:
    """A parameter: floats short, strings as they are, the rest as JSON."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return clean(value) or "''"
    if isinstance(value, int):
        return str(value)
    return clean(json.dumps(value, default=repr))


def params_text(params: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """`name=value` for each name that the params have."""
    return [f"{clean(name)}={value_text(params[name])}" for name in names if name in params]


def duration(seconds: float | None) -> str:
    """`0:42`, `1:03:05`, `2d 3h`."""
    if seconds is None:
        return NONE
    whole = max(0, round(seconds))
    if whole >= 2 * 86400:
        return f"{whole // 86400}d {whole % 86400 // 3600}h"
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def span(seconds: float | None) -> str:
    """As `duration`, but `1.2s` for what takes less than ten seconds."""
    return f"{max(0.0, seconds):.1f}s" if seconds is not None and seconds < 10 else duration(seconds)


def ago(seconds: float) -> str:
    """`12 s ago`, `5 min ago`, `3 h ago`, `2 days ago`."""
    if seconds < 60:
        return f"{max(0, int(seconds))} s ago"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 2 * 86400:
        return f"{int(seconds // 3600)} h ago"
    return f"{int(seconds // 86400)} days ago"


def plural(count: int, noun: str, nouns: str = "") -> str:
    """`1 trial`, `2 trials`."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"
