"""Projects journal bytes into what the store understands: history in columns, config, summary, the end of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from struct import Struct
from typing import Any
from zlib import crc32

from tracking.home import journal_path, part_id
from tracking.journal.damage import Gap, next_sound
from tracking.journal.parts import SYSTEM
from tracking.journal.reader import read_stretch
from tracking.journal.records import FRAME, MAGIC, MAX_PAYLOAD, ROW_HEAD, ROW_KINDS, ROW_PREFIX, RecordType
from tracking.live.metrics import Aggregate, Definitions, MetricDefinition, summary_mode
from tracking.shipping.columns import Columns, RowLayout, elapsed
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd, RunStart, SeriesPart

MAX_BATCH_BYTES = 4 << 20
DAMAGE = "journal_damage"
"""In the metadata of a run: which bytes of its journals could not be read."""
_FRAME_SIZE = FRAME.size
_ROW = int(RecordType.ROW)


class Projector:
    """Reads a journal from its beginning, stretch by stretch, and says what each stretch means.

    It remembers what later rows need: the layouts, the declared metrics, which summary keys were set by hand.
    """

    def __init__(self, run_id: str, attempt: int, part: str = "") -> None:
        self.run_id = part_id(run_id, part)
        """The id in the store: of the run, or of the part whose journal this is."""
        self.attempt = attempt
        self._owner, self._part = run_id, part
        self.offset = 0
        self.start: RunStart | None = None
        self.damage = ""
        """Why nothing after `offset` can be read; "" while the journal is sound."""
        self.gaps: list[Gap] = []
        """Damaged stretches that were skipped."""
        self.unreadable = 0
        """Sound rows that were lost with the declaration of their columns."""
        self.next_layout = 0
        self.last_step: int | None = None
        self.preempting = False
        """Whether the run said that its machine is about to be taken away."""
        self.last_time: float | None = None
        self._layouts: dict[int, RowLayout] = {}
        self._definitions = Definitions()
        self._aggregates: dict[str, Aggregate] = {}
        self._explicit: dict[str, Any] = {}
        self._dropped = 0
        self._runtime = 0.0

    def project(self, data: bytes) -> RunBatch:
        """What the whole records at the front of `data`, which continue at `offset`, mean. Moves `offset` past them."""
        batch = RunBatch(self.run_id, self.attempt, self.offset, self.offset)
        columns = Columns()
        unreadable = self.unreadable
        taken = self._walk(data, batch, columns)
        batch.history = columns.parts()
        self._conclude(batch, columns)
        if self.unreadable > unreadable:
            batch.metadata[DAMAGE] = self._damage_report()
        self.offset += taken
        batch.to_offset = self.offset
        return batch

    def skip(self, batch: RunBatch, to_offset: int) -> None:
        """Let the batch that ended before damaged bytes reach beyond them, to where a sound record begins."""
        self.gaps.append(Gap(max(self.offset, len(MAGIC)), to_offset))
        self.offset = batch.to_offset = to_offset
        self.damage = ""
        batch.metadata[DAMAGE] = self._damage_report()

    def note_torn(self, batch: RunBatch, size: int) -> None:
        """Say in the last batch that so many bytes behind it belong to a record that was never completed."""
        torn = {"attempt": self.attempt, "part": self._part, "at": self.offset, "bytes": size}
        batch.metadata[DAMAGE] = [*self._damage_report(), torn]

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
                if end > size and length <= MAX_PAYLOAD:
                    break
                if length > MAX_PAYLOAD or crc32(view[body:end]) != checksum:
                    self.damage = f"row at byte {self.offset + position}"
                    break
                layout = layouts.get(number)
                if layout is None or length != layout.size:
                    self.unreadable += 1
                else:
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
                self._take(payload, self.offset + position, batch, columns)
            position = end
        # The header alone is nothing to ship.
        return position if position > len(MAGIC) or self.offset else 0

    def _take(self, payload: memoryview, place: int, batch: RunBatch, columns: Columns) -> None:
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
            self.start = batch.start = self._run_start(body["start"])
        elif kind == RecordType.CONFIG:
            batch.config.update(body)
        elif kind == RecordType.SUMMARY:
            self._explicit.update(body)
            batch.summary.update(body)
        elif kind == RecordType.METRIC:
            self._define(body, batch)
        elif kind == RecordType.FINISH:
            batch.end = _run_end(body, self.start)
        elif kind == RecordType.IDENTITY:
            batch.identity.update(body)
        elif kind == RecordType.EVENT:
            self._notice(body, batch)
        elif kind == RecordType.FILE:
            batch.files.append(body)
        elif kind == RecordType.ARTIFACT:
            batch.artifacts.append(body)
        elif kind == RecordType.ALERT:
            batch.alerts.append({**body, "position": place})
        elif kind == RecordType.METADATA:
            batch.metadata.update(body)
        elif kind == RecordType.REWIND:
            self._rewind(int(body["step"]), batch, columns)

    def _rewind(self, step: int, batch: RunBatch, columns: Columns) -> None:
        """Forget the history from `step` on: of this batch here, of those before in the store."""
        columns.rewind(step)
        batch.rewind = step if batch.rewind is None else min(step, batch.rewind)
        batch.files = [file for file in batch.files if file.get("step") is None or file["step"] < step]
        self._aggregates.clear()
        if step <= 0:
            # The store empties the summary: what the user set in this attempt is said once more.
            batch.summary = dict(self._explicit)

    def _notice(self, body: Mapping[str, Any], batch: RunBatch) -> None:
        """Take an event: the journal goes on after its FINISH, or records were lost on a full disk."""
        if body.get("kind") == "reopened":
            batch.end = None
        elif body.get("kind") == "preempting":
            self.preempting = True
        elif body.get("kind") == "dropped":
            self._dropped += int(body.get("records", 0))
            batch.summary["_dropped"] = self._dropped

    def _damage_report(self) -> list[dict[str, Any]]:
        report: list[dict[str, Any]] = [
            {"attempt": self.attempt, "part": self._part, "at": gap.start, "bytes": gap.stop - gap.start}
            for gap in self.gaps
        ]
        if self.unreadable:
            report.append({"attempt": self.attempt, "part": self._part, "rows": self.unreadable})
        return report

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
        if self._part == SYSTEM:
            return  # samples of the machine are no results; what of them is worth it is said by a SUMMARY record
        for key, part in batch.history.items():
            if key not in self._explicit and not key.startswith("_"):
                self._summarise(key, part, batch)
        if columns.last_step is None or columns.last_time is None:
            return
        started = self.start.started_at if self.start else 0.0
        self._runtime += elapsed(self.last_time or started or columns.times[0], columns.times)
        self.last_step, self.last_time = columns.last_step, columns.last_time
        batch.last_step = self.last_step
        batch.summary |= {"_step": self.last_step, "_timestamp": self.last_time}
        if started:
            batch.summary["_runtime"] = self._runtime

    def _summarise(self, key: str, part: SeriesPart, batch: RunBatch) -> None:
        definition = self._definitions.of(key) if self._definitions else None
        mode = summary_mode(definition)
        if mode == "copy":
            batch.summary[key] = part.values[-1]
        elif mode == "aggregate" and definition is not None:
            aggregate = self._aggregates.get(key)
            if aggregate is None:
                aggregate = self._aggregates[key] = Aggregate(definition)
            aggregate.feed(part.values)
            batch.summary[key] = aggregate.summary()
            batch.aggregates[key] = aggregate.state()

    def _run_start(self, body: Mapping[str, Any]) -> RunStart:
        known = {key: value for key, value in body.items() if key in _START_FIELDS}
        known["tags"] = tuple(known.get("tags") or ())
        if self._part:
            known |= {"id": self.run_id, "part_of": self._owner}
        return RunStart(**known)


def read_on(projector: Projector, path: Path, max_bytes: int = MAX_BATCH_BYTES) -> RunBatch:
    """The next batch of a journal: at most about `max_bytes` of it, empty when nothing new is there.

    Damaged bytes are skipped when a sound record follows, and noted in `projector.gaps`; `projector.damage` says that
    none follows (yet). Raises JournalCorrupt and JournalError as the reader does.
    """
    data = read_stretch(path, projector.offset, max_bytes).data
    projector.damage = ""
    batch = projector.project(data)
    # A first record that is not whole is still being written, or its length is damaged: then a sound one follows.
    is_stuck = batch.to_offset == batch.from_offset and len(data) > (0 if projector.offset else len(MAGIC))
    if projector.damage or is_stuck:
        sound = next_sound(path, projector.offset + 1)
        if sound is not None:
            projector.skip(batch, sound)
    return batch


def read_batch(
    run_dir: Path, run_id: str, attempt: int, from_offset: int, max_bytes: int = MAX_BATCH_BYTES, part: str = ""
) -> RunBatch:
    """What the journal says from `from_offset` on, at most about `max_bytes` of it; empty when nothing new is there.

    What lies before `from_offset` is read again, because later rows lean on it: who ships a running journal keeps a
    JournalShipper instead. Raises JournalCorrupt and JournalError as the reader does.
    """
    projector = replayed(run_dir, run_id, attempt, from_offset, part)
    return read_on(projector, journal_path(run_dir, attempt, part), max_bytes)


def replayed(run_dir: Path, run_id: str, attempt: int, to_offset: int, part: str = "") -> Projector:
    """A projector that has read the journal up to `to_offset`, or as far as the journal goes."""
    projector = Projector(run_id, attempt, part)
    path = journal_path(run_dir, attempt, part)
    while projector.offset < to_offset:
        before = projector.offset
        read_on(projector, path, min(MAX_BATCH_BYTES, to_offset - before))
        if projector.offset == before:
            break
    return projector


_KNOWN = frozenset(int(kind) for kind in RecordType)
_START_FIELDS = frozenset(field.name for field in fields(RunStart))


def _run_end(body: Mapping[str, Any], start: RunStart | None) -> RunEnd:
    try:
        state = RunState(body["state"])
    except ValueError:
        state = RunState.CRASHED
    at = float(body.get("at") or 0.0)
    if at and start is not None:
        at = max(at, start.started_at)  # the clock may have been set back
    return RunEnd(state, body.get("reason", ""), body.get("exit_code"), at)
