"""How a run folder stands against the store: what is missing there, and why it may not be shipped now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tracking.errors import RunNotFound
from tracking.home import console_path, part_id
from tracking.journal.reader import writer_lives
from tracking.shipping.company import is_complete, size_of
from tracking.shipping.duty import is_on_duty
from tracking.shipping.folders import RunFolder
from tracking.store.contract import RunStore


class Holder(Protocol):
    """Knows which runs belong to somebody else, such as a sweep."""

    def why_not_ship(self, folder: RunFolder) -> str:
        """Why the run is not ours to ship now, "" when it is: an agent drives its trial."""

    def why_not_remove(self, folder: RunFolder) -> str:
        """Why the folder is still needed, "" when it is not: its sweep is open."""


class NoHolder:
    """All runs are free."""

    def why_not_ship(self, folder: RunFolder) -> str:
        return ""

    def why_not_remove(self, folder: RunFolder) -> str:
        return ""


class Standing(Enum):
    """What a sync has to do with a folder."""

    MISSING = "to ship"
    COMPLETE = "in the store"
    LIVE = "still running"
    ACCOMPANIED = "being shipped"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Report:
    """A run folder, how it stands, why, and how many bytes of journals and console output the store has not."""

    folder: RunFolder
    standing: Standing
    why: str = ""
    behind: int = 0


def look(folder: RunFolder, store: RunStore, holder: Holder) -> Report:
    """How the folder stands now. Raises StoreUnavailable."""
    held = holder.why_not_ship(folder)
    if held:
        return Report(folder, Standing.HELD, held, behind(folder, store))
    missing = behind(folder, store)
    places = [(folder.path, journal.attempt, journal.part) for journal in folder.journals]
    if any(is_on_duty(*place) for place in places):
        return Report(folder, Standing.ACCOMPANIED, "its companion, or another sync, ships it now", missing)
    if any(writer_lives(journal.path) for journal in folder.journals):
        return Report(folder, Standing.LIVE, "a process writes it now; --live follows it", missing)
    if all(is_complete(store, path, folder.run_id, attempt, part) for path, attempt, part in places):
        return Report(folder, Standing.COMPLETE)
    return Report(folder, Standing.MISSING, "", missing)


def behind(folder: RunFolder, store: RunStore) -> int:
    """The bytes that the store has not. Raises StoreUnavailable."""
    total = 0
    for journal in folder.journals:
        console = 0 if journal.part else size_of(console_path(folder.path, journal.attempt))
        try:
            run = store.run(part_id(folder.run_id, journal.part))
        except RunNotFound:
            total += journal.size + console
            continue
        if run.attempt < journal.attempt:
            total += journal.size + console
        elif run.attempt == journal.attempt:
            total += max(0, journal.size - run.journal_offset) + max(0, console - run.console_size)
    return total


def look_without_store(folder: RunFolder) -> Report:
    """How the folder stands against a store that does not exist yet."""
    live = any(writer_lives(journal.path) for journal in folder.journals)
    size = folder.size + sum(size_of(console_path(folder.path, attempt)) for attempt in folder.attempts)
    return Report(folder, Standing.LIVE if live else Standing.MISSING, "", size)
