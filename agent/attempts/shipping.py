"""Ships the journals of all attempts of this agent, in one transaction of the run store for all slots."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from agent.attempts.attempt import Attempt
from agent.attempts.verdict import never_began, run_end
from sweeps.records import SweepRecord
from tracking.home import journal_path
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore

INTERVAL = 0.5
"""Seconds between two shipments of running attempts."""
_TAIL_BYTES = 8192
_KEEP_ALL = 2**53
"""Beyond any step (tracking.live.recorder)."""
_TAIL_LINES = 20


class Shipping:
    """Collects from the journals, applies, and keeps every attempt's curve up with what the store has."""

    def __init__(self, store: RunStore, sweep: SweepRecord, raised: Callable[[str], None]) -> None:
        """`raised` is told the id of a run that brought alerts."""
        self._store = store
        self._sweep = sweep
        self._raised = raised
        self._host = socket.gethostname()

    def ship(self, attempts: Iterable[Attempt]) -> list[Attempt]:
        """One round: everything of attempts that have ended, the news of the others. Returns whose curve grew.

        Raises StoreUnavailable; what was collected then is handed over again in the next round.
        """
        grown: dict[Attempt, None] = {}
        waiting = [attempt for attempt in attempts if not attempt.shipped and not attempt.is_lost]
        for attempt in waiting:
            attempt.shipped = attempt.exit is not None and never_began(attempt.exit)
        waiting = [attempt for attempt in waiting if not attempt.shipped]
        while waiting:
            batches = [(attempt, batch) for attempt in waiting if (batch := self._collect(attempt)) is not None]
            if not batches:
                break
            offsets = self._store.apply([batch for _, batch in batches])
            for (attempt, batch), offset in zip(batches, offsets, strict=True):
                before = attempt.curve.length
                self._accept(attempt, batch, offset)
                if attempt.curve.length > before:
                    grown[attempt] = None
            waiting = [attempt for attempt, _ in batches if _has_more(attempt)]
        return list(grown)

    def _collect(self, attempt: Attempt) -> RunBatch | None:
        batch = attempt.shipper.collect()
        if batch is None and attempt.exit is not None:
            attempt.final = _final_end(attempt)
            attempt.shipper.end(attempt.final)
            batch = attempt.shipper.collect()
        if batch is not None:
            self._complete(attempt, batch)
        elif not attempt.run_known and attempt.seconds > INTERVAL:
            # A script that stays silent (or never calls init) has a run too, which people can look at while it goes on.
            batch = RunBatch(attempt.run_id, attempt.key.attempt, 0, 0, start=self._run_start(attempt))
        return batch

    def _complete(self, attempt: Attempt, batch: RunBatch) -> None:
        """Put in what the journal cannot know: the run of a script that never called init(), and the true end."""
        if batch.start is None and batch.from_offset == 0 and not attempt.run_known:
            batch.start = self._run_start(attempt)
        if batch is not attempt.seen_batch and batch.end is not attempt.final:
            if batch.to_offset > batch.from_offset:  # a run may say its end and go on
                attempt.told = batch.end
            batch.end = None
        attempt.seen_batch = batch
        self._recall(attempt, batch)
        if attempt.exit is not None and batch.end is None and _is_last(attempt, batch):
            batch.end = attempt.final = _final_end(attempt)

    def _recall(self, attempt: Attempt, batch: RunBatch) -> None:
        """Let the curve of an attempt that continues an earlier one begin with the history that is kept."""
        first = batch.start.starting_step if batch.start is not None else 0
        if 0 < first < _KEEP_ALL and attempt.curve.metric is not None:
            attempt.curve.recall(self._store.series(attempt.run_id, attempt.curve.metric, 0, first))

    def _accept(self, attempt: Attempt, batch: RunBatch, offset: int) -> None:
        if batch is attempt.shipper.collect():
            attempt.shipper.accept(offset)
        if offset < 0:
            attempt.lose()
        elif offset == batch.to_offset:
            attempt.run_known = True
            if batch.rewind == 0:  # the script ignores its checkpoint
                attempt.curve.clear()
            attempt.curve.extend(batch)
            attempt.shipped = batch.end is not None
            if batch.alerts:
                self._raised(attempt.run_id)
        else:  # the store lost what it had: from there on once more
            attempt.run_known = offset > 0
            attempt.curve.clear()

    def _run_start(self, attempt: Attempt) -> RunStart:
        """The record of a run whose script has not called init()."""
        return RunStart(
            id=attempt.run_id,
            project=self._sweep.project,
            entity=self._sweep.entity,
            config=attempt.launch.params,
            sweep_id=self._sweep.id,
            trial=attempt.trial.number,
            started_at=time.time() - attempt.seconds,
            # Whether it goes on from a checkpoint is the script's to say: until then nothing is dropped.
            starting_step=_KEEP_ALL if attempt.key.attempt > 1 else 0,
            tentative=attempt.key.attempt > 1,
            host=self._host,
        )


def log_tail(console: Path | None, lines: int = _TAIL_LINES) -> str:
    """The last lines that a trial printed, "" when there are none."""
    if console is None:
        return ""
    try:
        with console.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def _final_end(attempt: Attempt) -> RunEnd:
    return run_end(attempt, log_tail(attempt.launch.console), time.time())


def _is_last(attempt: Attempt, batch: RunBatch) -> bool:
    """Whether nothing follows this batch: the process is dead, so what the files hold now is all."""
    run_dir, number = attempt.launch.run_dir, attempt.key.attempt
    return _size(journal_path(run_dir, number)) <= batch.to_offset and _size(
        attempt.launch.console
    ) <= batch.console_offset + len(batch.console)


def _has_more(attempt: Attempt) -> bool:
    """Whether another round is worth its price: an ended attempt is shipped to its end, a running one just once."""
    return attempt.exit is not None and not attempt.shipped and not attempt.is_lost


def _size(path: Path | None) -> int:
    try:
        return path.stat().st_size if path is not None else 0
    except OSError:
        return 0
