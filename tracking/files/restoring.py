"""Finding a file that a run kept: in this process, in the journals of its attempts, in the store."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.artifacts.access import home_blobs
from tracking.artifacts.fetching import Folder, write_entry
from tracking.artifacts.manifest import Entry
from tracking.artifacts.names import check_path
from tracking.blobs.copying import hash_file
from tracking.errors import SweepError
from tracking.files.keeping import keeper_of
from tracking.journal.records import RecordType
from tracking.journal.scanning import json_records

if TYPE_CHECKING:
    from tracking.live.run import Run


def bring_back(run: Run, name: str, run_path: str | None, replace: bool, root: str | None) -> str | None:
    """The path of the file below `root`, or None when the run has none of this name."""
    path = check_path(name)
    run_id = run.id if run_path is None else run_path.rstrip("/").rpartition("/")[2]
    own = run_id == run.id
    folder = Folder(root or run.dir)
    target = folder.place(path)
    is_there = os.path.isfile(target)
    if is_there and not replace and not (own and root is None):
        return target
    found = None if run.disabled else _find(run, run_id, path)
    if found is None:
        return target if is_there else None
    if not (is_there and hash_file(target)[0] == found["sha256"]):
        entry = Entry(path, str(found["sha256"]), int(found["size"]))
        with folder.appearing(target) as file:
            write_entry(entry, [run.blobs, home_blobs()], file)
    if own:
        run.confirm_checkpoint(found.get("step"))
    return target


def _find(run: Run, run_id: str, name: str) -> dict[str, Any] | None:
    """The newest record of the file."""
    kept: list[dict[str, Any]] = []
    if run_id == run.id:
        with contextlib.suppress(KeyError):
            return keeper_of(run).records[name]
        kept += _in_journals(Path(run.dir).parent, name)
    if not kept or not run.offline:
        kept += _in_store(run_id, name)
    return max(kept, key=lambda record: record["at"], default=None)


def _in_journals(run_dir: Path, name: str) -> list[dict[str, Any]]:
    return [
        body
        for journal in sorted(run_dir.glob("attempt-*.journal"))
        for kind, body in json_records(journal, frozenset((RecordType.FILE,)))
        if body.get("name") == name
    ]


def _in_store(run_id: str, name: str) -> list[dict[str, Any]]:
    from tracking.store import open_store  # brings SQLAlchemy

    with contextlib.suppress(SweepError), contextlib.closing(open_store()) as store:
        return [
            {"sha256": file.digest, "size": file.size, "step": file.step, "at": file.at}
            for file in store.files(run_id)
            if file.name == name
        ]
    return []
