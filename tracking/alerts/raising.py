"""`run.alert()`: one record in the journal and one line on the console; others send it."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tracking.alerts.levels import AlertLevel, level_of
from tracking.errors import UsageError
from tracking.journal.records import RecordType
from tracking.notices import warn, warn_once

if TYPE_CHECKING:
    from tracking.live.doings import Doings

MAX_TITLE = 64
MAX_TEXT = 20_000
DEFAULT_WAIT_S = 60.0
_MOST_HELD = 100
"""So many alerts of one title are recorded that would not be sent; a loop that raises one each step adds no more."""


def alert(run: Doings, title: str, text: str = "", level: Any = None, wait_duration: Any = None) -> None:
    """Raise an alert of this run.

    `title`: 64 characters at most, a longer one is cut with a warning. `level`: INFO (the default), WARN or ERROR.
    `wait_duration`: seconds or a timedelta, 60 s by default, in which no other alert of this title is sent. Raises
    UsageError for an empty title, a level that does not exist and a duration that is none.
    """
    known = level_of(level)
    wait = seconds_of(wait_duration)
    said = _checked_title(title)
    words = _cut(str(text))
    record = {"title": said, "text": words, "level": known.value, "wait": wait, "at": time.time()}
    if getattr(run, "disabled", False):
        return
    held = _held(run, said, wait)
    if held > _MOST_HELD:
        return
    run.record(RecordType.ALERT, record)  # type: ignore[attr-defined]  # a Run has it
    if not held:
        warn(line_of(said, words, known))


def line_of(title: str, text: str, level: AlertLevel) -> str:
    """The alert in one line, as the console shows it."""
    rest = " ".join(text.split())
    return f"alert {level.value}: {title}" + (f": {rest}" if rest else "")


def seconds_of(duration: Any) -> float:
    """A wait in seconds. Raises UsageError for what is neither a number from 0 on nor a timedelta."""
    if duration is None:
        return DEFAULT_WAIT_S
    if isinstance(duration, timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, int | float) and not isinstance(duration, bool):
        seconds = float(duration)
    else:
        raise UsageError(f"wait_duration is seconds or a timedelta, not {duration!r}")
    if not math.isfinite(seconds) or seconds < 0:
        raise UsageError(f"wait_duration cannot be {duration!r}: it is a number of seconds from 0 on")
    return seconds


def _checked_title(title: str) -> str:
    said = " ".join(str(title).split())
    if not said:
        raise UsageError("an alert needs a title")
    if len(said) > MAX_TITLE:
        warn_once(f"log:alert:{said}", f"the title of an alert has {len(said)} characters, it is cut to {MAX_TITLE}")
        said = said[: MAX_TITLE - 1] + "…"
    return said


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _held(run: Doings, title: str, wait: float) -> int:
    """0 when this alert may be sent; else the number of those of its title that have to wait."""
    titles: dict[str, tuple[float, int]] = run.__dict__.setdefault("_alert_titles", {})
    now = time.monotonic()
    last, held = titles.get(title, (-math.inf, 0))
    if now - last >= wait:
        titles[title] = (now, 0)
        return 0
    titles[title] = (last, held + 1)
    return held + 1
