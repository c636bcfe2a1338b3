"""Run folders: which journals lie in one, and where such folders are found."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracking.errors import JournalError, UsageError
from tracking.home import Home, journal_path
from tracking.journal.parts import journals_in
from tracking.journal.reader import read_stretch
from tracking.shipping.projector import Projector
from tracking.store.contract import RunStart

_JOURNAL = re.compile(r"attempt-\d+(\.[a-z][a-z0-9]*)?\.journal")
_BELOW = ("sweepwright", "runs")
"""Where the run folders of a project folder (`init(dir=…)`) and of a home lie."""


@dataclass(frozen=True, slots=True)
class JournalFile:
    """One journal in a run folder; `part` is "" for the run's own."""

    attempt: int
    part: str
    path: Path

    @property
    def size(self) -> int:
        """Bytes; 0 when it is gone."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder with the journals of one run: by attempt, in each the run's own before its parts."""

    path: Path
    run_id: str
    journals: tuple[JournalFile, ...]
    start: RunStart | None
    """What the journal of the last attempt says of the run; None when it cannot be read."""

    @property
    def attempts(self) -> list[int]:
        return sorted({journal.attempt for journal in self.journals})

    def of(self, attempt: int) -> list[JournalFile]:
        return [journal for journal in self.journals if journal.attempt == attempt]

    @property
    def size(self) -> int:
        """Bytes of all journals."""
        return sum(journal.size for journal in self.journals)


def find_folders(paths: Sequence[Path], home: Home, here: Path) -> list[RunFolder]:
    """The run folders that the paths name, each once; without paths those of the home and of `here`/sweepwright.

    A path may be a run folder, a folder of them, a home, or a journal. Raises UsageError for one that holds no run.
    """
    found: dict[Path, RunFolder] = {}
    for given in paths:
        # A bare run id is as good as its folder.
        named = home.runs / given
        path = named if not given.exists() and len(given.parts) == 1 and named.is_dir() else given
        below = list(_below(path))
        if not below:
            what = "is no run folder and holds none" if path.exists() else "does not exist"
            raise UsageError(f"{path} {what}: a run folder has files such as attempt-1.journal")
        for folder in below:
            _add(found, folder)
    if not paths:
        for parent in (home.runs, here / "sweepwright"):
            for folder in _children(parent):
                _add(found, folder)
    return sorted(found.values(), key=lambda folder: folder.start.started_at if folder.start else 0.0)


def open_folder(path: Path) -> RunFolder | None:
    """The run in this folder; None when it has no journal."""
    journals = [JournalFile(attempt, part, journal_path(path, attempt, part)) for attempt, part in journals_in(path)]
    if not journals:
        return None
    start = next((one for journal in reversed(journals) if not journal.part and (one := _start(journal))), None)
    return RunFolder(path, start.id if start and start.id else path.name, tuple(journals), start)


def _add(found: dict[Path, RunFolder], path: Path) -> None:
    key = path.resolve()
    if key not in found and (folder := open_folder(path)) is not None:
        found[key] = folder


def _below(path: Path) -> Iterator[Path]:
    if path.is_file():
        if _JOURNAL.fullmatch(path.name):
            yield path.parent
        return
    if _has_journal(path):
        yield path
        return
    for parent in (path, *(path / name for name in _BELOW)):
        yield from _children(parent)


def _children(parent: Path) -> Iterable[Path]:
    with contextlib.suppress(OSError):
        return [child for child in sorted(parent.iterdir()) if not child.name.startswith(".") and _has_journal(child)]
    return []


def _has_journal(path: Path) -> bool:
    return bool(journals_in(path))


def _start(journal: JournalFile) -> RunStart | None:
    """What the first record says. Anything that is no journal says nothing here: shipping will tell why."""
    try:
        projector = Projector("", journal.attempt)
        projector.project(read_stretch(journal.path, 0, 1 << 16).data)
    except (JournalError, ValueError, LookupError, TypeError):
        return None
    return projector.start
