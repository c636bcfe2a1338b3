"""Reads one journal and its console output, batch by batch, for whoever applies the batches to a store."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tracking.errors import JournalCorrupt, JournalError
from tracking.home import console_path, journal_path
from tracking.journal.reader import read_stretch
from tracking.shipping.projector import MAX_BATCH_BYTES, Projector, replayed
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd

MAX_CONSOLE_BYTES = 1 << 20


class JournalShipper:
    """What one attempt of a run has to ship: call `collect()`, apply the batch, call `accept()`; repeat.

    A batch that was not accepted is handed out again unchanged, so that applying it twice means nothing. Give the
    `offset` and `console_offset` which the store has (0 for a new attempt) to continue an earlier shipper's work.
    """

    def __init__(self, run_dir: Path, run_id: str, attempt: int, offset: int = 0, console_offset: int = 0) -> None:
        self.run_dir, self.run_id, self.attempt = run_dir, run_id, attempt
        self._journal = journal_path(run_dir, attempt)
        self._console = console_path(run_dir, attempt)
        self._projector = Projector(run_id, attempt) if offset == 0 else replayed(run_dir, run_id, attempt, offset)
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
            self._projector = replayed(self.run_dir, self.run_id, self.attempt, offset)
            self._offset = self._projector.offset
        self.stale = offset < 0

    def end(self, end: RunEnd) -> None:
        """Let the run end this way, whatever its journal says, once everything in it is shipped.

        For who knows better than the process itself how it ended. The next `collect()` returns a batch for sure.
        """
        self._end = end

    def crashed(self) -> RunEnd:
        """The end of a run whose process vanished; the last row tells when, as nearly as one can know."""
        reason = self.problem or "the process ended without saying goodbye"
        return RunEnd(RunState.CRASHED, reason, None, self._projector.last_time or time.time())

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
                return batch
        return batch if more else None

    def _read(self, max_bytes: int) -> RunBatch:
        empty = RunBatch(self.run_id, self.attempt, self._projector.offset, self._projector.offset)
        if self._projector.damage:
            return empty
        try:
            batch = self._projector.project(read_stretch(self._journal, self._projector.offset, max_bytes).data)
        except (JournalCorrupt, JournalError) as error:
            self.problem = str(error)
            return empty
        if self._projector.damage:
            self.problem = f"{self._journal} is damaged ({self._projector.damage}); what follows is not shipped"
        return batch

    def _read_console(self) -> bytes:
        try:
            with open(self._console, "rb", buffering=0) as file:
                return os.pread(file.fileno(), MAX_CONSOLE_BYTES, self._console_offset)
        except OSError:
            return b""
