"""Removes blobs that nothing names, and what killed writers left unfinished; never what is being stored now."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tracking.blobs.adopting import digests
from tracking.blobs.store import Blobs

DAY = 86_400.0
GRACE = DAY
"""Seconds for which a blob that nothing names yet is left alone: its record may still wait to be shipped."""


@dataclass(slots=True)
class Swept:
    """What was removed, or would be: files and bytes."""

    blobs: int = 0
    size: int = 0
    unfinished: int = 0
    kept: int = 0
    """Blobs that stay."""


def sweep(
    blobs: Blobs, named: Collection[str], *, grace: float = GRACE, dry_run: bool = False, now: float | None = None
) -> Swept:
    """Remove every blob that is not in `named` and was neither stored nor used for `grace` seconds, and unfinished
    files older than a day. Whoever stores a content that is there already makes its blob fresh first, so a blob that
    is about to be named is never old. Raises OSError."""
    now = time.time() if now is None else now
    done = Swept()
    for digest in digests(blobs.root):
        path = blobs.path(digest)
        size = None if digest in named else _old_size(path, now - grace)
        if size is None:
            done.kept += 1
        elif dry_run or _remove_if_old(path, now - grace):
            done.blobs += 1
            done.size += size
    for path in _unfinished(blobs.root):
        if _old_size(path, now - max(grace, DAY)) is not None:
            done.unfinished += 1
            if not dry_run:
                path.unlink(missing_ok=True)
    return done


def _unfinished(root: Path) -> Iterator[Path]:
    folder = root / "tmp"
    if folder.is_dir():
        yield from (entry for entry in folder.iterdir() if entry.is_file())


def _old_size(path: Path, before: float) -> int | None:
    """The size of a file that was not touched since; None for a younger one, or one that has gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size if found.st_mtime < before else None


def _remove_if_old(path: Path, before: float) -> bool:
    """Remove a file unless somebody has made it fresh. It is put aside first, so that nobody can find it old and
    whole, make it fresh and count on it while it is removed."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.old")
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return False
    if _old_size(aside, before) is None:  # made fresh between the look and the rename
        os.replace(aside, path)
        return False
    aside.unlink(missing_ok=True)
    return True
