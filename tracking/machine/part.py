"""The part "system" of a run: the journal in which a companion records what it measures and finds out."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from struct import error as StructError
from typing import Any
from zlib import crc32

from tracking.errors import JournalError
from tracking.home import journal_path, part_id
from tracking.journal.reader import read_stretch
from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, ROW_HEAD, RecordType
from tracking.journal.writer import JournalWriter, Layout
from tracking.states import RunState
from tracking.store.contract import RunEnd

PART = "system"
_STEP_AT = ROW_HEAD.size - FRAME.size - 16
"""Where the step begins in the payload of a row; it is followed by the time."""


class SystemPart:
    """The one writer of the part. Another living writer, or a disk that takes no file, makes it silent, never raise.

    Thread-safe: what samples and what collects the environment write at the same time.
    """

    def __init__(self, run_dir: Path, run_id: str, attempt: int) -> None:
        self.path = journal_path(run_dir, attempt, PART)
        self.next_step = 0
        """The step of the next row; above 0 when an earlier companion has written some."""
        self._lock = threading.Lock()
        self._layouts: dict[tuple[str, ...], Layout | None] = {}
        self._writer: JournalWriter | None = None
        with contextlib.suppress(OSError, JournalError):
            self._writer = self._opened(run_dir, run_id, attempt)

    @property
    def silent(self) -> bool:
        """Whether nothing is written: somebody else does, or nobody can."""
        return self._writer is None

    def record(self, kind: RecordType, body: Any) -> None:
        """Append a record that is no row."""
        with self._lock:
            if self._writer is not None:
                self._writer.record(kind, body)

    def row(self, values: Mapping[str, float]) -> None:
        """Append a row of numbers at the next step."""
        with self._lock:
            if self._writer is None or not values:
                return
            keys = tuple(values)
            if keys not in self._layouts:
                self._layouts[keys] = self._writer.declare(keys, "d" * len(keys))
            layout, at = self._layouts[keys], time.time()
            if layout is None or not self._writer.row(layout, self.next_step, at, values.values()):
                self._writer.json_row(self.next_step, at, dict(values))
            self.next_step += 1

    def close(self, end: RunEnd | None = None) -> None:
        """Record the end and close; twice is no error."""
        with self._lock:
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.record(RecordType.FINISH, _finish(end))
                writer.close(0.1)

    def _opened(self, run_dir: Path, run_id: str, attempt: int) -> JournalWriter:
        start = {**_start_of(run_dir, attempt), "id": part_id(run_id, PART), "part_of": run_id, "pid": os.getpid()}
        try:
            return JournalWriter.create(self.path, {"attempt": attempt, "start": start})
        except FileExistsError:
            writer = JournalWriter.reopen(self.path, 0)
        # Only now, with the lock, is what lies there complete: an earlier companion may have died within a record.
        whole, layouts, self.next_step = _scanned(self.path)
        writer.abandon()
        os.truncate(self.path, whole)
        if whole == 0:
            self.path.unlink()
            return JournalWriter.create(self.path, {"attempt": attempt, "start": start})
        return JournalWriter.reopen(self.path, layouts)


def run_record(run_dir: Path, attempt: int) -> dict[str, Any]:
    """What the first record of the run's own journal says: {"attempt", "start"}; {} while it cannot be read."""
    try:
        data = read_stretch(journal_path(run_dir, attempt), 0, 1 << 16).data
        length, _ = FRAME.unpack_from(data, len(MAGIC))
        body = json.loads(data[len(MAGIC) + FRAME.size + 1 :][: length - 1])
    except (JournalError, StructError, ValueError):
        return {}
    return body if isinstance(body, dict) else {}


def _start_of(run_dir: Path, attempt: int) -> dict[str, Any]:
    """What the part shares with its run, so that a store which sees the part first knows where it belongs."""
    start = run_record(run_dir, attempt).get("start") or {}
    shared = {key: start[key] for key in ("project", "entity", "name", "sweep_id", "trial", "host") if key in start}
    return {"project": "", **shared, "started_at": time.time(), "starting_step": 0}


def _finish(end: RunEnd | None) -> dict[str, Any]:
    if end is None:
        end = RunEnd(RunState.FINISHED)
    return {"state": end.state.value, "exit_code": end.exit_code, "reason": end.reason, "at": end.at or time.time()}


def _scanned(path: Path) -> tuple[int, int, int]:
    """How many bytes are whole records, how many layouts they declare, and the step after the last row."""
    data = path.read_bytes()
    offset, layouts, next_step = len(MAGIC), 0, 0
    if not data.startswith(MAGIC):
        return 0, 0, 0
    while offset + FRAME.size <= len(data):
        length, check = FRAME.unpack_from(data, offset)
        payload = data[offset + FRAME.size : offset + FRAME.size + length]
        if not 0 < length <= MAX_PAYLOAD or len(payload) < length or crc32(payload) != check:
            break
        if payload[0] == RecordType.KEYS:
            layouts += 1
        elif payload[0] == RecordType.ROW:
            next_step = int.from_bytes(payload[_STEP_AT : _STEP_AT + 8], "little", signed=True) + 1
        elif payload[0] == RecordType.JSONROW:
            next_step = int(json.loads(payload[1:])["step"]) + 1
        offset += FRAME.size + length
    return (offset if offset > len(MAGIC) else 0), layouts, next_step
