"""Projects journal bytes into what the store understands: history in columns, config, summary, the end of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

from tracking.home import journal_path
from tracking.journal.reader import read_stretch
from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, ROW_HEAD, ROW_KINDS, ROW_PREFIX, RecordType
from tracking.live.metrics import Aggregate, Definitions, MetricDefinition, summary_mode
from tracking.shipping.columns import Columns, RowLayout
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStart, SeriesPart

MAX_BATCH_BYTES = 4 << 20
_FRAME_SIZE = FRAME.size
_ROW = int(RecordType.ROW)


class Projector:
    """Reads a journal from its beginning, stretch by stretch, and says what each stretch means.

    It remembers what later rows need: the layouts, the declared metrics, which summary keys were set by hand.
    """

    def __init__(self, run_id: str, attempt: int) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.offset = 0
        self.start: RunStart | None = None
        self.damage = ""
        """Why nothing after `offset` can be read; "" while the journal is sound."""
        self.next_layout = 0
        self.last_step: int | None = None
        self.last_time: float | None = None
        self._layouts: dict[int, RowLayout] = {}
        self._definitions = Definitions()
        self._aggregates: dict[str, Aggregate] = {}
        self._explicit: set[str] = set()
        self._dropped = 0

    def project(self, data: bytes) -> RunBatch:
        """What the whole records at the front of `data`, which continue at `offset`, mean. Moves `offset` past them."""
        batch = RunBatch(self.run_id, self.attempt, self.offset, self.offset)
        columns = Columns()
        taken = self._walk(data, batch, columns)
        batch.history = columns.parts()
        self._conclude(batch, columns)
        self.offset += taken
        batch.to_offset = self.offset
        return batch

    def _walk(self, data: bytes, batch: RunBatch, columns: Columns) -> int:
        """Take whole records one by one; return how many bytes they are."""
        position = len(MAGIC) if self.offset == 0 else 0
        size = len(data)
        if size < position:
            return 0
        view = memoryview(data)
        row_head, row_size, frame = ROW_HEAD.unpack_from, ROW_HEAD.size, FRAME.unpack_from
        layouts = self._layouts
        while position + _FRAME_SIZE < size:
            body = position + _FRAME_SIZE
            if data[body] == _ROW and position + row_size <= size:
                length, checksum, _, number, step, at = row_head(data, position)
                end = body + length
                layout = layouts.get(number)
                if end > size and length <= MAX_PAYLOAD:
                    break
                if layout is None or length != layout.size or crc32(view[body:end]) != checksum:
                    self.damage = f"row at byte {self.offset + position}"
                    break
                columns.add(layout, step, at, view[body:end])
            else:
                length, checksum = frame(data, position)
                end = body + length
                if end > size and 0 < length <= MAX_PAYLOAD:
                    break
                payload = view[body:end]
                if not 0 < length <= MAX_PAYLOAD or crc32(payload) != checksum:
                    self.damage = f"record at byte {self.offset + position}"
                    break
                self._take(payload, batch, columns)
            position = end
        # The header alone is nothing to ship.
        return position if position > len(MAGIC) or self.offset else 0

    def _take(self, payload: memoryview, batch: RunBatch, columns: Columns) -> None:
        """Take one record that is no row of numbers."""
        kind = payload[0]
        if kind not in _KNOWN:
            return
        body = json.loads(bytes(payload[1:]))
        if kind == RecordType.JSONROW:
            columns.add_loose(body["step"], body["time"], body["data"])
        elif kind == RecordType.KEYS:
            self._declare(body)
        elif kind == RecordType.RUN:
            self.start = batch.start = _run_start(body["start"])
        elif kind == RecordType.CONFIG:
            batch.config.update(body)
        elif kind == RecordType.SUMMARY:
            self._explicit.update(body)
            batch.summary.update(body)
        elif kind == RecordType.METRIC:
            self._define(body, batch)
        elif kind == RecordType.FINISH:
            batch.end = _run_end(body)
        elif kind == RecordType.IDENTITY:
            batch.identity.update(body)
        elif kind == RecordType.EVENT:
            self._notice(body, batch)

    def _notice(self, body: Mapping[str, Any], batch: RunBatch) -> None:
        """Take an event: the journal goes on after its FINISH, or records were lost on a full disk."""
        if body.get("kind") == "reopened":
            batch.end = None
        elif body.get("kind") == "dropped":
            self._dropped += int(body.get("records", 0))
            batch.summary["_dropped"] = self._dropped

    def _declare(self, body: Mapping[str, Any]) -> None:
        kinds = str(body["kinds"])
        if set(kinds) <= ROW_KINDS:
            number = int(body["layout"])
            self._layouts[number] = RowLayout(tuple(body["keys"]), kinds, Struct(ROW_PREFIX + kinds))
            self.next_layout = max(self.next_layout, number + 1)

    def _define(self, body: Mapping[str, Any], batch: RunBatch) -> None:
        definition = self._definitions.add(MetricDefinition.from_json(body), bool(body.get("overwrite")))
        batch.metrics[definition.name] = definition.to_json()
        for key, aggregate in self._aggregates.items():
            holds = self._definitions.of(key)
            if holds is not None:
                aggregate.redefine(holds)

    def _conclude(self, batch: RunBatch, columns: Columns) -> None:
        """Fill in what follows from the history: the summary and the last step."""
        for key, part in batch.history.items():
            if key not in self._explicit and not key.startswith("_"):
                self._summarise(key, part, batch)
        if columns.last_step is None or columns.last_time is None:
            return
        self.last_step, self.last_time = columns.last_step, columns.last_time
        batch.last_step = self.last_step
        started = self.start.started_at if self.start else 0.0
        batch.summary |= {"_step": self.last_step, "_timestamp": self.last_time}
        if started:
            batch.summary["_runtime"] = max(0.0, self.last_time - started)

    def _summarise(self, key: str, part: SeriesPart, batch: RunBatch) -> None:
        definition = self._definitions.of(key) if self._definitions else None
        mode = summary_mode(definition)
        if mode == "copy":
            batch.summary[key] = part.values[-1]
        elif mode == "aggregate" and definition is not None:
            aggregate = self._aggregates.setdefault(key, Aggregate(definition))
            aggregate.feed(part.values)
            batch.summary[key] = aggregate.summary()


def read_batch(
    run_dir: Path, run_id: str, attempt: int, from_offset: int, max_bytes: int = MAX_BATCH_BYTES
) -> RunBatch:
    """What the journal says from `from_offset` on, at most about `max_bytes` of it; empty when nothing new is there.

    What lies before `from_offset` is read again, because later rows lean on it: who ships a running journal keeps a
    JournalShipper instead. Raises JournalCorrupt and JournalError as the reader does.
    """
    projector = replayed(run_dir, run_id, attempt, from_offset)
    return projector.project(read_stretch(journal_path(run_dir, attempt), projector.offset, max_bytes).data)


def replayed(run_dir: Path, run_id: str, attempt: int, to_offset: int) -> Projector:
    """A projector that has read the journal up to `to_offset`, or as far as the journal goes."""
    projector = Projector(run_id, attempt)
    path = journal_path(run_dir, attempt)
    while projector.offset < to_offset:
        before = projector.offset
        data = read_stretch(path, before, MAX_BATCH_BYTES).data[: to_offset - before]
        projector.project(data)
        if projector.offset == before:
            break
    return projector


_KNOWN = frozenset(int(kind) for kind in RecordType)
_START_FIELDS = frozenset(field.name for field in fields(RunStart))


def _run_start(body: Mapping[str, Any]) -> RunStart:
    known = {key: value for key, value in body.items() if key in _START_FIELDS}
    known["tags"] = tuple(known.get("tags") or ())
    return RunStart(**known)


def _run_end(body: Mapping[str, Any]) -> RunEnd:
    try:
        state = RunState(body["state"])
    except ValueError:
        state = RunState.CRASHED
    return RunEnd(state, body.get("reason", ""), body.get("exit_code"), body.get("at", 0.0))
