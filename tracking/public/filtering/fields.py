"""The names by which filters and orders call the fields of a run."""

from __future__ import annotations

import difflib

from tracking.errors import UsageError
from tracking.public.filtering.conditions import Field, Kind

_COLUMNS: dict[str, tuple[Kind, str]] = {
    "id": ("text", "id"),
    "name": ("either", ""),
    "displayName": ("text", "name"),
    "project": ("text", "project"),
    "entity": ("text", "entity"),
    "group": ("text", "group"),
    "jobType": ("text", "job_type"),
    "state": ("text", "state"),
    "reason": ("text", "reason"),
    "host": ("text", "host"),
    "notes": ("text", "notes"),
    "sweep": ("text", "sweep_id"),
    "tags": ("tags", "tags"),
    "createdAt": ("time", "created_at"),
    "startedAt": ("time", "started_at"),
    "finishedAt": ("time", "finished_at"),
    "duration": ("number", "duration"),
    "trial": ("number", "trial"),
    "attempt": ("number", "attempt"),
    "exitCode": ("number", "exit_code"),
    "lastHistoryStep": ("number", "last_step"),
}
_ALIASES = {
    "display_name": "displayName", "job_type": "jobType", "created_at": "createdAt", "started_at": "startedAt",
    "finished_at": "finishedAt", "exit_code": "exitCode", "last_step": "lastHistoryStep", "sweep_id": "sweep",
    "sweepName": "sweep", "tag": "tags", "run_group": "group", "hostname": "host",
}  # fmt: skip
_JSON: dict[str, Kind] = {
    "config": "config",
    "summary": "summary",
    "summary_metrics": "summary",
    "summaryMetrics": "summary",
}
_MOST_GROUPED = 4
"""Names with more dots are looked for whole and fully nested only: every further dot doubles the places."""


def field(name: str) -> Field:
    """The field of this name. Raises UsageError, which names the nearest."""
    known = _COLUMNS.get(_ALIASES.get(name, name))
    if known is not None:
        return Field(name, known[0], known[1])
    head, dot, rest = name.partition(".")
    kind = _JSON.get(head)
    if kind is not None and dot and rest:
        return Field(name, kind, "", _places(rest.split("."), kind))
    raise UsageError(f"a run has no field {name!r} to filter or order by.{_advice(name, head)}")


def _advice(name: str, head: str) -> str:
    if head in _JSON:
        return f" Name a value in it: {head}.NAME"
    names = [*_COLUMNS, *_ALIASES, *(f"{part}." for part in _JSON)]
    near = difflib.get_close_matches(f"{head}." if "." in name else name, names, n=1, cutoff=0.6)
    if near:
        rest = name.partition(".")[2] if near[0].endswith(".") else ""
        return f" Did you mean {near[0] + rest!r}?"
    return f" Values are named config.{name} and summary_metrics.{name}; fields are {', '.join(_COLUMNS)}"


def _places(names: list[str], kind: Kind) -> tuple[tuple[str, ...], ...]:
    """Where `a.b` may be: under the name "a.b" or in a mapping "a", and for a config in W&B's `a.value.b`, too."""
    places = _groupings(names)
    if kind == "config" and len(names) > 1:
        if names[-1] == "value":
            places += _groupings(names[:-1])
        if names[1] == "value" and len(names) > 2:
            places += _groupings([names[0], *names[2:]])
    return tuple(dict.fromkeys(places))


def _groupings(names: list[str]) -> list[tuple[str, ...]]:
    if len(names) > _MOST_GROUPED:
        return [(".".join(names),), tuple(names)]
    if not names:
        return [()]
    found: list[tuple[str, ...]] = []
    for count in range(len(names), 0, -1):
        head = ".".join(names[:count])
        found += [(head, *rest) for rest in _groupings(names[count:])]
    return found
