"""Reads one journal and its console output, batch by batch, for whoever applies the batches to a store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tracking.errors import JournalCorrupt, JournalError
from tracking.home import console_path, journal_path, part_id
from tracking.journal.damage import Gap
from tracking.shipping.last_words import end_without_word
from tracking.shipping.projector import MAX_BATCH_BYTES, Projector, read_on, replayed
from tracking.store.contract import RunBatch, RunEnd

MAX_CONSOLE_BYTES = 1 << 20


class JournalShipper:
    """What one attempt of a run has to ship: call `collect()`, apply the batch, call `accept()`; repeat.

    A batch that was not accepted is handed out again unchanged, so that applying it twice means nothing. Give the
    `offset` and `console_offset` which the store has (0 for a new attempt) to continue an earlier shipper's work.
    """

    def __init__(
        self, run_dir: Path, run_id: str, attempt: int, offset: int = 0, console_offset: int = 0, part: str = ""
    ) -> None:
        self.run_dir, self.attempt, self.part = run_dir, attempt, part
        self.run_id = part_id(run_id, part)
        """The id in the store: of the run, or of the part that is shipped."""
        self._owner = run_id
        self._journal = journal_path(run_dir, attempt, part)
        self._console = None if part else console_path(run_dir, attempt)
        self._projector = self._replayed(offset)
        self._offset = self._projector.offset
        self._console_offset = console_offset
        self._pending: RunBatch | None = None
        self._end: RunEnd | None = None
        self.ended: RunEnd | None = None
        """How the run ended, once a batch which says so was accepted."""
        self.stale = False
        """Whether the store said that a newer attempt owns the run."""
        self.problem = ""
        """Why (a part of) the journal cannot be read, "" while all is well."""

    @property
    def offset(self) -> int:
        """The journal bytes that the store has."""
        return self._offset

    @property
    def is_damaged(self) -> bool:
        """Whether bytes are lost that were whole once. A torn last record, left by any sudden end, does not count."""
        return bool(self._projector.gaps or self._projector.damage) or (bool(self.problem) and self._offset == 0)

    def collect(self, max_bytes: int = MAX_BATCH_BYTES) -> RunBatch | None:
        """The next batch, None when there is nothing to ship. Never raises: see `problem`."""
        if self._pending is None:
            self._pending = self._next(max_bytes)
        return self._pending

    def accept(self, offset: int) -> None:
        """Say which journal offset the store returned for the batch collected last.

        -1 (a newer attempt owns the run) ends the shipping: nothing is collected any more. An offset that is not the
        batch's makes the next batch begin there.
        """
        batch, self._pending = self._pending, None
        if batch is None:
            return
        if offset == batch.to_offset:
            self._offset = offset
            self._console_offset = batch.console_offset + len(batch.console)
            self.ended = batch.end or self.ended
            return
        if offset >= 0:
            self._projector = self._replayed(offset)
            self._offset = self._projector.offset
        self.stale = offset < 0

    def end(self, end: RunEnd) -> None:
        """Let the run end this way, whatever its journal says, once everything in it is shipped.

        For who knows better than the process itself how it ended. The next `collect()` returns a batch for sure.
        """
        self._end = end

    def crashed(self) -> RunEnd:
        """The end of a run whose process vanished; the last row tells when, as nearly as one can know."""
        return end_without_word(self._journal, self._projector.last_time, self._projector.preempting, self.problem)

    def _next(self, max_bytes: int) -> RunBatch | None:
        if self.stale:
            return None
        batch = self._read(max_bytes)
        batch.console, batch.console_offset = self._read_console(), self._console_offset
        more = batch.to_offset > batch.from_offset or bool(batch.console)
        if self._end is not None:
            batch.end = None
            if not more:
                batch.end, self._end = self._end, None
                self._note_torn(batch)
                return batch
        return batch if more else None

    def _replayed(self, offset: int) -> Projector:
        if offset == 0:
            return Projector(self._owner, self.attempt, self.part)
        return replayed(self.run_dir, self._owner, self.attempt, offset, self.part)

    def _read(self, max_bytes: int) -> RunBatch:
        projector = self._projector
        try:
            batch = read_on(projector, self._journal, max_bytes)
        except (JournalCorrupt, JournalError) as error:
            self.problem = str(error)
            return RunBatch(self.run_id, self.attempt, projector.offset, projector.offset)
        self._tell_damage()
        return batch

    def _note_torn(self, batch: RunBatch) -> None:
        """Say what lies behind the last whole record now that nothing will complete it."""
        try:
            torn = os.stat(self._journal).st_size - self._projector.offset
        except OSError:
            return
        if torn > 0 and self._projector.offset:
            self._projector.note_torn(batch, torn)
            self._tell_damage(torn)

    def _tell_damage(self, torn: int = 0) -> None:
        """Put into words what of the journal cannot be read: stretches in the middle, and its end."""
        projector = self._projector
        told = [_words_for(projector.gaps)] if projector.gaps else []
        if torn:
            told.append(f"its last record is torn: {torn} bytes (at byte {projector.offset}) are lost")
        elif projector.damage:
            told.append(f"nothing can be read from the {projector.damage} on")
        if told:
            self.problem = f"{self._journal} is damaged: {'; '.join(told)}"

    def _read_console(self) -> bytes:
        if self._console is None:
            return b""
        try:
            with open(self._console, "rb", buffering=0) as file:
                return os.pread(file.fileno(), MAX_CONSOLE_BYTES, self._console_offset)
        except OSError:
            return b""


def _words_for(gaps: Sequence[Gap]) -> str:
    lost = sum(gap.stop - gap.start for gap in gaps)
    places = ", ".join(str(gap.start) for gap in gaps[:3]) + (" and more" if len(gaps) > 3 else "")
    return f"{lost} bytes (at byte {places}) are lost, what follows them is read"
