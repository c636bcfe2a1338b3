"""The journals of one attempt: its own and its parts, each shipped from where the store is, to its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from tracking.errors import RunNotFound
from tracking.home import console_path, journal_path, part_id
from tracking.journal.reader import writer_lives
from tracking.journal.records import FRAME, MAX_PAYLOAD
from tracking.shipping.duty import is_on_duty
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.loop import ignore, known_offsets, ship_round
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunStore

Seen = Callable[[RunBatch], None]


class Parts:
    """Shippers of the parts that are named, each opened when its journal is there."""

    def __init__(self, store: RunStore, run_dir: Path, run_id: str, attempt: int, names: Iterable[str]) -> None:
        self._store = store
        self._place = (run_dir, run_id, attempt)
        self._waiting = list(names)
        self._open: list[JournalShipper] = []

    def expect(self, names: Iterable[str]) -> None:
        """Ship these parts, too."""
        self._waiting += names

    def shippers(self) -> list[JournalShipper]:
        """Those that are open now. Raises StoreUnavailable."""
        run_dir, _, attempt = self._place
        for name in list(self._waiting):
            if journal_path(run_dir, attempt, name).exists():
                self._open.append(open_shipper(self._store, *self._place, name))
                self._waiting.remove(name)
        return self._open


def open_shipper(store: RunStore, run_dir: Path, run_id: str, attempt: int, part: str = "") -> JournalShipper:
    """A shipper that goes on where the store is. Raises StoreUnavailable."""
    offset, console = known_offsets(store, part_id(run_id, part), attempt)
    return JournalShipper(run_dir, run_id, attempt, offset, console, part)


def ship_to_end(
    shippers: Iterable[JournalShipper], store: RunStore, before: Seen = ignore, after: Seen = ignore
) -> None:
    """Ship journals whose writers are gone; one that says no end ended as a process that vanished.

    An end which the store knows already stays. Raises StoreUnavailable.
    """
    left = list(shippers)
    while ship_round(left, store, before, after):
        pass
    for shipper in left:
        if shipper.ended is None and not shipper.stale and shipper.offset > 0:
            shipper.end(shipper.crashed())
    while ship_round(left, store, before, after):
        pass


def abandoned(run_dir: Path, attempt: int, parts: Iterable[str]) -> list[str]:
    """Those parts that nobody writes and nobody ships: what they left is for the companion of the run to bring in."""
    return [
        part
        for part in parts
        if not writer_lives(journal_path(run_dir, attempt, part)) and not is_on_duty(run_dir, attempt, part)
    ]


def is_complete(store: RunStore, run_dir: Path, run_id: str, attempt: int, part: str = "") -> bool:
    """Whether the store has all of this journal, its end included, or goes on with a later attempt.

    Raises StoreUnavailable.
    """
    try:
        run = store.run(part_id(run_id, part))
    except RunNotFound:
        return False
    if run.attempt != attempt:
        return run.attempt > attempt
    path = journal_path(run_dir, attempt, part)
    whole = run.journal_offset >= size_of(path) or is_torn(path, run.journal_offset)
    printed = bool(part) or run.console_size >= size_of(console_path(run_dir, attempt))
    return whole and printed and run.state is not RunState.RUNNING


def is_torn(path: Path, offset: int) -> bool:
    """Whether what lies behind the last whole record, which ends at `offset`, is the beginning of one and no more."""
    try:
        with path.open("rb", buffering=0) as file:
            rest = os.fstat(file.fileno()).st_size - offset
            head = os.pread(file.fileno(), FRAME.size, offset)
    except OSError:
        return False
    if len(head) < FRAME.size:
        return True
    length, _ = FRAME.unpack(head)
    return 0 < length <= MAX_PAYLOAD and FRAME.size + int(length) > rest


def size_of(path: Path) -> int:
    """Bytes of a file; 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
