"""What is known of a run that existed before: its last attempt, where its history ended, its config and summary."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from tracking.errors import RunNotFound, StoreError
from tracking.home import Home, journal_path
from tracking.journal.reader import writer_lives
from tracking.notices import warn
from tracking.starting.past.retelling import read_attempt
from tracking.states import RunState
from tracking.store.contract import RunRecord, RunStart

_JOURNAL = re.compile(r"attempt-(\d+)\.journal")


@dataclass(slots=True)
class Previous:
    """A run as its last attempt left it."""

    attempt: int
    next_step: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    next_layout: int = 0
    start: RunStart | None = None
    """Its identity, as it was when the last attempt began."""
    live: bool = False
    """Whether a process of this machine still writes it."""
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What define_metric() declared, by name."""
    aggregates: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What those declarations gathered, by key: `Aggregate.state`."""
    state: RunState | None = None
    """What the store says of it; None when the journals here say what is known."""


def attempts(run_dir: Path) -> list[int]:
    """The attempts that have a journal here, ascending."""
    try:
        names = os.listdir(run_dir)
    except OSError:
        return []
    return sorted(int(found[1]) for name in names if (found := _JOURNAL.fullmatch(name)))


def from_journals(run_dir: Path, run_id: str, until: int | None = None) -> Previous | None:
    """What the journals on this machine say; None when there are none.

    With `until` the summary is what it was after that step; `next_step` still says where the whole history ends.
    """
    numbers = attempts(run_dir)
    if not numbers:
        return None
    chain = [read_attempt(run_dir, run_id, numbers[-1], until)]
    # An attempt that continued another one has only its own part of the summary.
    while chain[0].first_step > 0 and len(chain) < len(numbers):
        before = chain[0].first_step - 1
        stop = before if until is None else min(until, before)
        chain.insert(0, read_attempt(run_dir, run_id, numbers[-1 - len(chain)], stop))
    last = chain[-1]
    previous = Previous(numbers[-1], last.next_step, last.config, {}, last.next_layout, last.start)
    for told in chain:
        told.add_to(previous)
    previous.live = writer_lives(journal_path(run_dir, numbers[-1]))
    return previous


def from_attempt(run_dir: Path, run_id: str, attempt: int) -> Previous:
    """What one attempt's journal says, for a process that goes on writing it."""
    told = read_attempt(run_dir, run_id, attempt)
    previous = Previous(attempt, told.next_step, told.config, {}, told.next_layout, told.start)
    told.add_to(previous)
    return previous


def from_store(run_id: str) -> Previous | None:
    """What the store says of a run that was written on another machine; None also when the store cannot tell."""
    from tracking.store import open_store  # brings SQLAlchemy, which a run without a past never needs

    try:
        store = open_store()
    except StoreError as error:
        warn(f"cannot ask the store whether run {run_id} exists: {error}")
        return None
    try:
        run = store.run(run_id)
    except RunNotFound:
        return None
    except StoreError as error:
        warn(f"cannot ask the store whether run {run_id} exists: {error}")
        return None
    finally:
        with contextlib.suppress(StoreError):
            store.close()
    next_step = 0 if run.last_step is None else run.last_step + 1
    return Previous(
        run.attempt,
        next_step,
        dict(run.config),
        dict(run.summary),
        start=_start_of(run),
        metrics={name: dict(body) for name, body in run.metrics.items()},
        state=run.state,
    )


class LastRun:
    """Which run this script had last in this folder, for `resume="auto"`: a file that a clean end removes."""

    def __init__(self, home: Home) -> None:
        place = f"{os.getcwd()}\0{sys.argv[0] if sys.argv else ''}"
        self._path = home.root / "resume" / f"{crc32(place.encode('utf-8', 'replace')):08x}.json"

    def read(self) -> str | None:
        """The id of a run which did not end well."""
        try:
            return str(json.loads(self._path.read_text(encoding="utf-8"))["id"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, run_id: str) -> None:
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps({"id": run_id}), encoding="utf-8")

    def clear(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _start_of(run: RunRecord) -> RunStart:
    return RunStart(
        id=run.id,
        project=run.project,
        entity=run.entity,
        name=run.name,
        notes=run.notes,
        group=run.group,
        job_type=run.job_type,
        tags=run.tags,
    )
