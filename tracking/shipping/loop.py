"""The loop of who ships a run: journals to store in batches, through outages, until the run's end is recorded."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Protocol

from tracking.errors import RunNotFound, StoreUnavailable
from tracking.shipping.journal_shipper import JournalShipper
from tracking.store.contract import RunBatch, RunStore

INTERVAL_S = 0.5
FIRST_BACKOFF_S = 0.25
MAX_BACKOFF_S = 10.0
PATIENCE_S = 60.0
"""How long after the end of the run an absent store is waited for; then the journal waits for a later shipping."""


class Outcome(Enum):
    """Why the loop ended."""

    SHIPPED = "shipped"
    STALE = "stale"
    GAVE_UP = "gave up"
    UNREADABLE = "unreadable"


class Writer(Protocol):
    """What the loop sees of the training process."""

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than until the writer ends."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing will be added to the journal any more."""


class Company(Protocol):
    """The other journals of the run, which are shipped in the same transactions as its own."""

    def shippers(self) -> Iterable[JournalShipper]:
        """Those that there are at this moment."""


class NoCompany:
    """A journal that is shipped alone."""

    def shippers(self) -> Iterable[JournalShipper]:
        return ()


def ignore(_batch: RunBatch) -> None:
    """Do nothing with a batch."""


class Shipping:
    """Ships one journal, and what accompanies it, until its end is in the store. Time is injected: tests need none.

    `before` sees each batch before the store has it (and again when the store was away), `after` when it has it.
    `settle` waits for what a process that vanished has left on its way: the last of its output.
    """

    def __init__(
        self,
        shipper: JournalShipper,
        store: RunStore,
        writer: Writer,
        *,
        company: Company | None = None,
        before: Callable[[RunBatch], None] = ignore,
        after: Callable[[RunBatch], None] = ignore,
        settle: Callable[[], object] = bool,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_S,
    ) -> None:
        self._shipper, self._store, self._writer = shipper, store, writer
        self._settle = settle
        self._company = company or NoCompany()
        self._before, self._after = before, after
        self._clock = clock
        self._patience = patience
        self._ended_at: float | None = None

    def run(self) -> Outcome:
        """Ship until done; StoreUnavailable is waited out, other store errors are raised."""
        backoff = FIRST_BACKOFF_S
        while True:
            ended = self._writer.has_ended  # looked at before reading, so that nothing written before it is missed
            if ended and self._ended_at is None:
                self._ended_at = self._clock()
            try:
                outcome = self._ship(ended)
            except StoreUnavailable as error:
                if self._is_hopeless():
                    write_log(f"gave up: {error}")
                    return Outcome.GAVE_UP
                write_log(f"the store is away, next try in {backoff:g} s: {error}")
                self._pause(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
                continue
            backoff = FIRST_BACKOFF_S
            if outcome is not None:
                return outcome
            self._writer.wait(INTERVAL_S)

    def _ship(self, ended: bool) -> Outcome | None:
        """Ship what is there; an outcome when that was all there will ever be."""
        while self._ship_some():
            pass
        if self._shipper.stale:
            return Outcome.STALE
        if not ended:
            return None
        if self._shipper.ended is None:
            if self._shipper.offset == 0:
                return Outcome.UNREADABLE
            self._settle()
            while self._ship_some():
                pass
            self._shipper.end(self._shipper.crashed())
            self._ship_some()
        return Outcome.STALE if self._shipper.stale else Outcome.SHIPPED

    def _ship_some(self) -> bool:
        try:
            company = list(self._company.shippers())
            return ship_round([self._shipper, *company], self._store, self._before, self._after)
        except StoreUnavailable:
            raise
        except Exception as error:  # boundary: a part that cannot be shipped never holds up its run
            if isinstance(self._company, NoCompany):
                raise
            write_log(f"the parts of the run are not shipped any further: {error!r}")
            self._company = NoCompany()
            return True

    def _is_hopeless(self) -> bool:
        return self._ended_at is not None and self._clock() - self._ended_at > self._patience

    def _pause(self, seconds: float) -> None:
        """Wait; while the run goes on its end is noticed, after it time alone counts."""
        if self._ended_at is None:
            self._writer.wait(seconds)
        else:
            time.sleep(seconds)


def ship_round(
    shippers: Iterable[JournalShipper],
    store: RunStore,
    before: Callable[[RunBatch], None] = ignore,
    after: Callable[[RunBatch], None] = ignore,
) -> bool:
    """The next batch of each journal, in one transaction; whether there was any. Raises StoreUnavailable."""
    found = [(shipper, batch) for shipper in shippers if (batch := shipper.collect()) is not None]
    if not found:
        return False
    for _, batch in found:
        before(batch)
    offsets = store.apply([batch for _, batch in found])
    for (shipper, batch), offset in zip(found, offsets, strict=True):
        shipper.accept(offset)
        after(batch)
    return True


def known_offsets(store: RunStore, run_id: str, attempt: int) -> tuple[int, int]:
    """How far an earlier shipper of this attempt came: journal and console offset. Raises StoreUnavailable."""
    try:
        run = store.run(run_id)
    except RunNotFound:
        return 0, 0
    return (run.journal_offset, run.console_size) if run.attempt == attempt else (0, 0)


def write_log(text: str) -> None:
    """A line for shipper.log."""
    # Not print(): on a full disk, which is when there is most to say, its buffer would fail again and again.
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n".encode(errors="replace"))
