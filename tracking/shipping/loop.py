"""The loop of the shipper process: journal to store in batches, through outages, until the run's end is recorded."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from tracking.errors import RunNotFound, StoreUnavailable
from tracking.shipping.journal_shipper import JournalShipper
from tracking.store.contract import RunStore

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


class Shipping:
    """Ships one journal until its end is in the store. Time is injected, so the tests need none."""

    def __init__(
        self,
        shipper: JournalShipper,
        store: RunStore,
        writer: Writer,
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_S,
    ) -> None:
        self._shipper, self._store, self._writer = shipper, store, writer
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
            self._shipper.end(self._shipper.crashed())
            self._ship_some()
        return Outcome.STALE if self._shipper.stale else Outcome.SHIPPED

    def _ship_some(self) -> bool:
        batch = self._shipper.collect()
        if batch is None:
            return False
        (offset,) = self._store.apply([batch])
        self._shipper.accept(offset)
        return True

    def _is_hopeless(self) -> bool:
        return self._ended_at is not None and self._clock() - self._ended_at > self._patience

    def _pause(self, seconds: float) -> None:
        """Wait; while the run goes on its end is noticed, after it time alone counts."""
        if self._ended_at is None:
            self._writer.wait(seconds)
        else:
            time.sleep(seconds)


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
