"""Writes a foreign run as a journal of ours, and ships it like any other."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tracking.blobs.store import Blobs
from tracking.errors import UsageError
from tracking.home import Home, console_path, journal_path, part_id
from tracking.ids import check_id, name_for
from tracking.importing.contract import Ending, ForeignRow, ForeignRun
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.shipping.journal_shipper import JournalShipper
from tracking.states import RunState
from tracking.store.contract import RunStore

ATTEMPT = 1
SYSTEM = "system"
_KINDS = {float: "d", int: "q", bool: "?"}


def import_run(run: ForeignRun, home: Home, store: RunStore) -> bool:
    """Bring one run into the store; False when an earlier import did so. May raise StoreUnavailable, OSError.

    A run folder appears by a rename when its journals are complete, so an import that was killed is simply done again;
    shipping is the same as ever: what the store has already changes nothing.
    """
    folder = home.run_dir(check_id(run.id))
    new = not folder.exists()
    if new:
        _write(run, folder, Blobs(home.files))
    elif not journal_path(folder, ATTEMPT).is_file():
        raise UsageError(f"{folder} is in the way: it has no journal of the run to import")
    for part in ("", SYSTEM):
        if journal_path(folder, ATTEMPT, part).is_file():
            _ship(JournalShipper(folder, run.id, ATTEMPT, part=part), store)
    return new


def _ship(shipper: JournalShipper, store: RunStore) -> None:
    while (batch := shipper.collect()) is not None:
        (offset,) = store.apply([batch])
        shipper.accept(offset)


def _write(run: ForeignRun, folder: Path, blobs: Blobs) -> None:
    draft = folder.with_name(f".importing-{run.id}-{os.getpid()}")
    draft.mkdir(parents=True)
    try:
        _write_main(run, draft, blobs)
        _write_system(run, draft)
        if run.console is not None and run.console.is_file():
            shutil.copyfile(run.console, console_path(draft, ATTEMPT))
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write_main(run: ForeignRun, draft: Path, blobs: Blobs) -> None:
    writer = JournalWriter.create(journal_path(draft, ATTEMPT), _start(run, run.id))
    for metric in run.metrics:
        writer.record(RecordType.METRIC, dict(metric))
    last = _write_rows(writer, run.rows, run.started_at)
    if run.config:
        writer.record(RecordType.CONFIG, run.config)  # once more: some trackers change it while the run goes on
    for name, path in run.files:
        blob = blobs.put_file(path)
        writer.record(
            RecordType.FILE,
            {"name": name, "sha256": blob.digest, "size": blob.size, "mime": "", "step": None, "at": last},
        )
    if run.summary:
        writer.record(RecordType.SUMMARY, run.summary)
    ending = run.ending or Ending(RunState.CRASHED, None, last)
    writer.record(
        RecordType.FINISH,
        {"state": ending.state.value, "exit_code": ending.exit_code, "reason": _reason(run), "at": ending.at or last},
    )
    writer.close(0.0)


def _write_system(run: ForeignRun, draft: Path) -> None:
    rows = iter(run.system)
    first = next(rows, None)
    if first is None:
        return
    start = _start(run, part_id(run.id, SYSTEM))
    start["start"] |= {"part_of": run.id, "config": {}, "metadata": {}}
    writer = JournalWriter.create(journal_path(draft, ATTEMPT, SYSTEM), start)
    last = max(_write_rows(writer, [first], run.started_at), _write_rows(writer, rows, run.started_at))
    writer.record(RecordType.FINISH, {"state": "finished", "exit_code": 0, "reason": "", "at": last})
    writer.close(0.0)


def _write_rows(writer: JournalWriter, rows: Iterable[ForeignRow], started_at: float) -> float:
    """Write the rows; the time of the last one."""
    layouts: dict[tuple[tuple[str, ...], str], Any] = {}
    last = started_at
    for step, at, values in rows:
        last = at or last
        kinds = "".join(_KINDS.get(type(value), "") for value in values.values())
        shape = (tuple(values), kinds)
        if len(kinds) == len(values) and shape not in layouts:
            layouts[shape] = writer.declare(*shape)
        layout = layouts.get(shape)
        if layout is None or not writer.row(layout, step, last, values.values()):
            writer.json_row(step, last, dict(values))
    return last


def _start(run: ForeignRun, run_id: str) -> dict[str, Any]:
    start: Mapping[str, Any] = {
        "id": run_id,
        "project": run.project,
        "entity": run.entity,
        "name": run.name or name_for(run.id),
        "notes": run.notes,
        "group": run.group,
        "job_type": run.job_type,
        "tags": list(run.tags),
        "config": run.config,
        "metadata": run.metadata,
        "started_at": run.started_at if math.isfinite(run.started_at) and run.started_at > 0 else time.time(),
        "host": run.host,
    }
    return {"attempt": ATTEMPT, "start": dict(start)}


def _reason(run: ForeignRun) -> str:
    return f"imported from {run.metadata.get('imported_from', 'elsewhere')}"
