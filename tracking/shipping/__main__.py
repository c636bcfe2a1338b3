"""`python -P -m tracking.shipping <run folder> <run id> <attempt>`: ships one journal into the store."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from tracking.errors import StoreError, StoreUnavailable, TrackingError
from tracking.home import journal_path
from tracking.journal.reader import writer_lives
from tracking.shipping.child import DONE, READY
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.loop import (
    FIRST_BACKOFF_S,
    MAX_BACKOFF_S,
    PATIENCE_S,
    Outcome,
    Shipping,
    known_offsets,
    write_log,
)
from tracking.store import open_store
from tracking.store.contract import RunStore

EXIT_OK, EXIT_PROBLEM, EXIT_LATER = 0, 1, 75
"""75 is EX_TEMPFAIL: the journal is whole and can be shipped later."""


class ParentWriter:
    """The training process that started us, seen through the socket which it holds the other end of."""

    def __init__(self, channel: socket.socket, parent: int) -> None:
        self._channel, self._parent = channel, parent
        self._told = False

    def wait(self, seconds: float) -> None:
        if self._told:
            time.sleep(seconds)
        else:
            readable, _, _ = select.select([self._channel], [], [], seconds)
            self._told = bool(readable)  # a word that the run has ended, or end of file: both say so

    @property
    def has_ended(self) -> bool:
        if not self._told:
            self.wait(0.0)
        # A fork without exec can keep the socket open beyond the parent's death; then getppid changes.
        return self._told or os.getppid() != self._parent

    def answer(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            self._channel.sendall(line)


class LockedWriter:
    """A writer that did not start us: it lives as long as it holds the lock of its journal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    @property
    def has_ended(self) -> bool:
        return not writer_lives(self._path)

    def answer(self, line: bytes) -> None:
        if line not in (READY, DONE):
            sys.stderr.write(line.decode())


def main(arguments: list[str]) -> int:
    """Ship; the exit status says whether all is in the store (0), may be later (75), or cannot be (1)."""
    if len(arguments) not in (3, 4) or not arguments[2].isdecimal():
        sys.stderr.write("usage: python -P -m tracking.shipping <run folder> <run id> <attempt>\n")
        return 2
    run_dir, run_id, attempt = Path(arguments[0]), arguments[1], int(arguments[2])
    writer = _parent_writer() if arguments[3:] == ["--child"] else LockedWriter(journal_path(run_dir, attempt))
    try:
        outcome, problem = _ship(run_dir, run_id, attempt, writer)
    except TrackingError as error:
        writer.answer(f"{error}\n".encode())
        sys.stderr.write(f"{error}\n")
        return EXIT_PROBLEM
    if outcome is Outcome.GAVE_UP:
        writer.answer(b"the store stayed away; the journal is kept\n")
        return EXIT_LATER
    writer.answer(f"{problem}\n".encode() if problem else DONE)
    return EXIT_PROBLEM if problem else EXIT_OK


def _ship(run_dir: Path, run_id: str, attempt: int, writer: ParentWriter | LockedWriter) -> tuple[Outcome, str]:
    opened = _opened(run_id, attempt, writer)
    if opened is None:
        return Outcome.GAVE_UP, ""
    store, offset, console_offset = opened
    writer.answer(READY)
    try:
        shipper = JournalShipper(run_dir, run_id, attempt, offset, console_offset)
        outcome = Shipping(shipper, store, writer).run()
        return outcome, _problem_of(outcome, run_id, shipper)
    finally:
        with contextlib.suppress(StoreError):
            store.close()


def _problem_of(outcome: Outcome, run_id: str, shipper: JournalShipper) -> str:
    if outcome is Outcome.STALE:
        return f"run {run_id}: a newer attempt owns the run, so attempt {shipper.attempt} is not recorded any further"
    if outcome is Outcome.UNREADABLE and not shipper.problem:
        return f"run {run_id}: the journal of attempt {shipper.attempt} is missing or empty"
    return shipper.problem


def _opened(run_id: str, attempt: int, writer: ParentWriter | LockedWriter) -> tuple[RunStore, int, int] | None:
    """The store and how far it is; None when it stays away for too long after the run ended."""
    backoff, ended_at = FIRST_BACKOFF_S, None
    while True:
        store = None
        try:
            store = open_store()
            return store, *known_offsets(store, run_id, attempt)
        except StoreUnavailable as error:
            if store is not None:
                with contextlib.suppress(StoreError):
                    store.close()
            if writer.has_ended:
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > PATIENCE_S:
                    return None
            write_log(f"the store cannot be opened, next try in {backoff:g} s: {error}")
            time.sleep(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_S)


def _parent_writer() -> ParentWriter:
    # What the parent had open beside our three is none of our business: holding a pipe would keep its reader waiting.
    os.closerange(3, 1024)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may be closed; the end must still be recorded
    with contextlib.suppress(OSError):
        os.nice(5)
    return ParentWriter(socket.socket(fileno=0), os.getppid())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
