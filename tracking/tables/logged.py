"""What a table remembers of having been logged: where, as what, and which of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracking.errors import UsageError
from tracking.media.contract import Sink

LISTED = 64
"""Increments that a record lists; the first of them knows those before it, so that records stay short."""


def target_of(sink: Sink) -> Any:
    """For whom the sink takes files: the run, where it says which, else the sink itself."""
    return getattr(sink, "run", None) or sink


@dataclass(slots=True)
class Records:
    """The records of a table that was logged, one for each run or artifact that has it."""

    _kept: dict[int, tuple[Any, dict[str, Any]]] = field(default_factory=dict)

    def of(self, target: Any) -> dict[str, Any] | None:
        """What was said to it; None when it does not have the table."""
        kept = self._kept.get(id(target))
        return dict(kept[1]) if kept is not None and kept[0] is target else None

    def add(self, target: Any, record: dict[str, Any]) -> None:
        self._kept[id(target)] = (target, record)

    def __bool__(self) -> bool:
        return bool(self._kept)


@dataclass(slots=True)
class Increments:
    """The files of an incremental table: one for each time that it was logged, with the rows that were new then."""

    number: int = 0
    """Of the next increment."""
    rows: int = 0
    """How many of the table's rows are logged."""
    before: int = 0
    """Rows of the run that this table continues; they are not among its own."""
    previous: list[dict[str, Any]] = field(default_factory=list)
    """{"path", "sha256", "size"} of the last increments, the oldest first."""
    last: dict[str, Any] | None = None
    """The record of the last one."""
    target: Any = None

    def begin(self, target: Any, key: str) -> None:
        """Before an increment goes to a run: the first takes up what an earlier attempt of the run logged.

        Raises UsageError for a second run.
        """
        if self.target is target:
            return
        if self.target is not None:
            raise UsageError("an INCREMENTAL table belongs to the run that it was logged to first: make another table")
        self.target = target
        found = target.summary.get(key) if getattr(target, "resumed", False) else None
        if isinstance(found, Mapping) and found.get("_type") == "incremental-table-file":
            self.number = int(found["increment_num"]) + 1
            self.before = int(found["nrows"])
            self.previous = followers(listed(found), found)

    def done(self, record: dict[str, Any], rows: int) -> None:
        """An increment is kept; the table's first `rows` rows are logged now."""
        self.previous = followers(self.previous, record)
        self.number += 1
        self.rows = rows
        self.last = record

    def said(self) -> dict[str, Any]:
        """What the record, and the file, of the next increment say of it."""
        return {
            "increment_num": self.number,
            "previous_increments_paths": [entry["path"] for entry in self.previous],
            "previous_increments_sha256": [entry["sha256"] for entry in self.previous],
        }


def listed(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The increments before this one that its record lists, the oldest first."""
    pairs = zip(record.get("previous_increments_paths", ()), record.get("previous_increments_sha256", ()), strict=True)
    return [{"path": path, "sha256": digest} for path, digest in pairs]


def followers(previous: list[dict[str, Any]], record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the increment after `record` lists."""
    kept = {"path": record["path"], "sha256": record["sha256"]}
    return [kept] if len(previous) >= LISTED else [*previous, kept]
