"""What an importer gives: runs of another tracker, as plain values and streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tracking.states import RunState


class ForeignRow(NamedTuple):
    """One row of a history: its step, when it was logged (Unix seconds) and its values."""

    step: int
    at: float
    values: Mapping[str, Any]


@dataclass(slots=True)
class ForeignRun:
    """A run of another tracker. Rows and files are streams: they are read once, in order, while the run is written."""

    id: str
    """Ours: the same source always gives the same id, so that a second import finds the first."""
    project: str
    name: str = ""
    entity: str = ""
    notes: str = ""
    group: str = ""
    job_type: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    host: str = ""
    started_at: float = 0.0
    rows: Iterable[ForeignRow] = ()
    metrics: Iterable[Mapping[str, Any]] = ()
    """Bodies of METRIC records."""
    system: Iterable[ForeignRow] = ()
    files: Iterable[tuple[str, Path]] = ()
    """Name in the run, and the file here."""
    console: Path | None = None
    ending: Ending | None = None
    """How it ended; looked at after the rows were read. None: crashed at its last row."""
    summary: dict[str, Any] = field(default_factory=dict)
    """Explicit values; looked at after the rows were read."""


class Ending(NamedTuple):
    """State, exit code and time (Unix seconds) of the end of a run."""

    state: RunState
    exit_code: int | None
    at: float


Runs = Iterator[ForeignRun]
