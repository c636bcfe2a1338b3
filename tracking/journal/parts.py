"""Which journals lie in the folder of a run: its attempts, and the parts that other processes wrote beside them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

SYSTEM = "system"
"""The part that says what the machine did; its steps count samples and have nothing to do with those of the run."""

_JOURNAL = re.compile(r"attempt-(\d{1,18})(?:\.([a-z][a-z0-9]*))?\.journal")
_PART_ID = re.compile(r"(.+):([a-z][a-z0-9]*)", re.DOTALL)


class JournalName(NamedTuple):
    """The attempt and the part ("" for the run itself) that a journal belongs to."""

    attempt: int
    part: str


def journals_in(run_dir: Path) -> list[JournalName]:
    """Every journal of the folder, by attempt, the run itself before its parts; [] when there is no such folder."""
    try:
        names = os.listdir(run_dir)
    except OSError:
        return []
    found = [JournalName(int(match[1]), match[2] or "") for name in names if (match := _JOURNAL.fullmatch(name))]
    return sorted(found, key=lambda journal: (journal.attempt, rank(journal.part)))


def parts_of(run_dir: Path, attempt: int) -> list[str]:
    """The parts of one attempt that have a journal: w1, w2, …, then system."""
    return [journal.part for journal in journals_in(run_dir) if journal.attempt == attempt and journal.part]


def split_id(run_id: str) -> tuple[str, str]:
    """The owner and the part that an id of the store names; the part is "" for a run."""
    found = _PART_ID.fullmatch(run_id)
    return (found[1], found[2]) if found else (run_id, "")


def rank(part: str) -> tuple[int, int, str]:
    """The order in which parts speak for a run: itself, its writers by number, the system."""
    if not part:
        return 0, 0, ""
    if part == SYSTEM:
        return 2, 0, ""
    return 1, int("".join(filter(str.isdigit, part)) or 0), part
