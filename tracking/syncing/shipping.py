"""Ships one run folder: its files, then each attempt with its parts, in order, from where the store is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from tracking.blobs.adopting import adopt
from tracking.blobs.store import Blobs
from tracking.errors import StoreUnavailable
from tracking.home import Home
from tracking.journal.reader import writer_lives
from tracking.shipping.company import is_complete, open_shipper, ship_to_end
from tracking.shipping.duty import Duty
from tracking.shipping.folders import RunFolder, open_folder
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.loop import INTERVAL_S, ship_round
from tracking.store.contract import RunBatch, RunStore

TRIES = 5
_PAUSE_S = 1.0
T = TypeVar("T")
Advance = Callable[[int], object]
"""Told the bytes that the store has taken."""


@dataclass(slots=True)
class Shipped:
    """What came of one run folder."""

    size: int = 0
    """Bytes of journals and console output that the store took now."""
    files: int = 0
    """Blobs that are new in the folder of files."""
    state: str = ""
    """The state of the run in the store."""
    problems: list[str] = field(default_factory=list)
    torn: bool = False
    """Whether a last record was torn, as a machine that died leaves it."""
    alerts: bool = False
    """Whether alerts came with it."""


class FolderShipping:
    """Ships one folder. `stop` ends it between two batches; what the store has then, it keeps."""

    def __init__(self, folder: RunFolder, store: RunStore, home: Home, advance: Advance, stop: threading.Event) -> None:
        self._folder, self._store, self._home = folder, store, home
        self._advance, self._stop = advance, stop
        self._done = Shipped()

    def ship(self, *, follow: bool = False) -> Shipped:
        """Ship what is there; with `follow` also what its writers add, until they end. Failures are `problems`."""
        self._adopt_files()
        try:
            for attempt in self._folder.attempts:
                self._ship_attempt(attempt, follow=follow and attempt == self._folder.attempts[-1])
        except StoreUnavailable as error:
            self._done.problems.append(f"the store is away: {error}")
        except _Stopped:
            self._done.problems.append("interrupted; the same command goes on from there")
        return self._done

    def _adopt_files(self) -> None:
        adopted = adopt(self._folder.path, Blobs(self._home.files))
        self._done.files += adopted.count
        self._done.problems += [problem for problem in adopted.problems if problem not in self._done.problems]

    def _ship_attempt(self, attempt: int, *, follow: bool) -> None:
        folder = self._folder
        with ExitStack() as duties:
            shippers: list[JournalShipper] = []
            for journal in folder.of(attempt):
                duty = Duty(folder.path, attempt, journal.part)
                if not duty.take():
                    self._done.problems.append(f"{journal.path.name} is being shipped by somebody else at this moment")
                    return
                duties.callback(duty.leave)
                if not self._try(partial(self._is_complete, attempt, journal.part)):
                    shippers.append(self._try(partial(self._open, attempt, journal.part)))
            if follow:
                self._follow(attempt, shippers)
            self._try(lambda: ship_to_end(shippers, self._store, self._before, self._after))
            self._done.problems += [shipper.problem for shipper in shippers if shipper.is_damaged]
            self._done.torn = self._done.torn or any(shipper.problem and not shipper.is_damaged for shipper in shippers)
            self._done.problems += [self._came_late(shipper) for shipper in shippers if shipper.stale]

    def _follow(self, attempt: int, shippers: list[JournalShipper]) -> None:
        """Ship until nobody writes the attempt any more; parts that begin later are taken along."""
        known = {shipper.part for shipper in shippers}
        while True:
            fresh = open_folder(self._folder.path)
            for journal in fresh.of(attempt) if fresh is not None else ():
                if journal.part not in known:
                    known.add(journal.part)
                    shippers.append(self._try(partial(self._open, attempt, journal.part)))
            # Looked at before reading, so that nothing written before it is missed.
            alive = fresh is not None and any(writer_lives(journal.path) for journal in fresh.of(attempt))
            while self._try(lambda: ship_round(shippers, self._store, self._before, self._after)):
                pass
            if not alive:
                return
            self._stop.wait(INTERVAL_S)
            self._check()

    def _is_complete(self, attempt: int, part: str) -> bool:
        return is_complete(self._store, self._folder.path, self._folder.run_id, attempt, part)

    def _open(self, attempt: int, part: str) -> JournalShipper:
        return open_shipper(self._store, self._folder.path, self._folder.run_id, attempt, part)

    def _came_late(self, shipper: JournalShipper) -> str:
        part = f" (part {shipper.part})" if shipper.part else ""
        return f"attempt {shipper.attempt}{part} came too late: the store goes on with a later one"

    def _before(self, batch: RunBatch) -> None:
        self._check()
        if batch.files or batch.artifacts:
            self._adopt_files()  # a live run adds some while it is followed

    def _after(self, batch: RunBatch) -> None:
        size = batch.to_offset - batch.from_offset + len(batch.console)
        self._done.size += size
        self._done.alerts = self._done.alerts or bool(batch.alerts)
        self._advance(size)

    def _check(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _try(self, act: Callable[[], T]) -> T:
        """Give a store that is away for a moment a few more tries. Raises StoreUnavailable."""
        for number in range(TRIES):
            self._check()
            try:
                return act()
            except StoreUnavailable:
                if number == TRIES - 1:
                    raise
                self._stop.wait(_PAUSE_S * 2**number)
        raise AssertionError


class _Stopped(Exception):
    """Somebody asked to end."""
