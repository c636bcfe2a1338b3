"""Brings the blobs of a run folder into the folder of all blobs: linked where that is possible, copied elsewhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tracking.blobs.store import PIECE, Blobs

FOLDER = "blobs"


@dataclass(slots=True)
class Adopted:
    """What was done: files and bytes that are new there, and what could not be taken."""

    count: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)


def adopt(run_dir: Path, target: Blobs, *, verify: bool = True) -> Adopted:
    """Adopt every blob of the run that `target` does not have. Never raises: see `problems`.

    `verify` reads a blob before it is linked, so that one that was damaged on its way is refused; without it only what
    has to be copied is read.
    """
    adopted = Adopted()
    source = Blobs(run_dir / FOLDER)
    if source.root == target.root:
        return adopted
    for digest in digests(source.root):
        try:
            if not target.has(digest):
                adopted.size += _take(source.path(digest), digest, target, verify)
                adopted.count += 1
        except OSError as error:
            adopted.problems.append(f"the file {digest[:12]}… cannot be kept: {error.strerror or error}")
        except ValueError:
            adopted.problems.append(f"{source.path(digest)} is damaged: its content is not what its name says")
    return adopted


def digests(root: Path) -> Iterator[str]:
    """The names of all blobs below a folder; what is no blob is passed over."""
    try:
        folders = sorted(entry for entry in root.iterdir() if len(entry.name) == 2 and entry.is_dir())
    except OSError:
        return
    for folder in folders:
        for entry in sorted(folder.iterdir()):
            if len(entry.name) == 64 and set(entry.name) <= set("0123456789abcdef") and entry.is_file():
                yield entry.name


def _take(path: Path, digest: str, target: Blobs, verify: bool) -> int:
    """Bring one blob over; its size. Raises ValueError when it is damaged, and OSError."""
    if verify and _digest(path) != digest:
        raise ValueError(digest)
    if _link(path, target.path(digest)):
        return path.stat().st_size
    blob = target.put_file(path)
    if blob.digest != digest:
        raise ValueError(digest)  # what was stored has its true name and harms nobody
    return blob.size


def _link(source: Path, target: Path) -> bool:
    """Whether the file has a second name now. A blob never changes, so two names are as good as two files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            found.update(piece)
    return found.hexdigest()
