"""Removes run folders of which the store has everything: asked again at the last moment, and never half."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from tracking.blobs.adopting import FOLDER, digests
from tracking.blobs.store import Blobs
from tracking.errors import RunNotFound
from tracking.home import Home, journal_path
from tracking.shipping.company import is_torn
from tracking.shipping.folders import RunFolder
from tracking.shipping.projector import DAMAGE
from tracking.store.contract import RunStore
from tracking.syncing.standing import Holder, Standing, look

TRASH = ".removed-"
"""A folder gets this name first: what is left of it after a kill in the middle is no run any more."""


def why_kept(folder: RunFolder, store: RunStore, home: Home, holder: Holder) -> str:
    """Why the folder may not be removed, "" when it may. Raises StoreUnavailable."""
    needed = holder.why_not_remove(folder)
    if needed:
        return needed
    report = look(folder, store, holder)
    if report.standing is not Standing.COMPLETE:
        return report.why or f"the store has not all of it ({report.behind} bytes are missing)"
    blobs = Blobs(home.files)
    lost = sum(not blobs.has(digest) for digest in digests(folder.path / FOLDER))
    if lost:
        return f"{lost} of its files are not in {blobs.root}"
    # A file that was recorded and is neither here nor there was lost before: then the folder is all there is to search.
    missing = sum(not blobs.has(file.digest) for file in store.files(folder.run_id))
    if missing:
        return f"{missing} of its files are not in {blobs.root}"
    return _damage(folder, store)


def _damage(folder: RunFolder, store: RunStore) -> str:
    """Whether a journal is damaged: the store has what is sound of it, and the rest may be worth a look."""
    with contextlib.suppress(RunNotFound):
        for place in store.run(folder.run_id).metadata.get(DAMAGE) or ():
            path = journal_path(folder.path, place["attempt"], place["part"])
            if "at" not in place or not is_torn(path, place["at"]):
                return f"{path.name} is damaged"
    return ""


def remove(folder: RunFolder) -> None:
    """Remove the folder. Raises OSError."""
    trash = folder.path.with_name(f"{TRASH}{folder.path.name}-{os.getpid()}")
    os.rename(folder.path, trash)
    shutil.rmtree(trash, ignore_errors=True)


def sweep_out(parents: set[Path]) -> None:
    """Remove what earlier removals left behind when they were killed."""
    for parent in parents:
        with contextlib.suppress(OSError):
            for entry in parent.iterdir():
                if entry.name.startswith(TRASH) and entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
