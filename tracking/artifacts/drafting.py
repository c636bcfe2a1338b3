"""Putting files into an artifact that is being made: they are kept as blobs at once, so that they may change later."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from tracking.artifacts.access import holder, home_blobs
from tracking.artifacts.manifest import Entry, Manifest
from tracking.artifacts.names import check_path
from tracking.blobs.copying import hash_file
from tracking.blobs.store import SMALL, Blobs
from tracking.errors import ArtifactError, UsageError
from tracking.notices import warn, warn_once

Policy = Literal["mutable", "immutable"] | None
StrPath = str | os.PathLike[str]
Progress = Callable[[int, int], None]
"""Called with the files and the bytes that were done since the last call, by any thread."""
THREADS = 4
_AT_ONCE = 128
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
_TMP_DIGITS = 20


def check_policy(policy: object) -> bool:
    """Whether the files may change after they were added. Raises UsageError."""
    if policy not in (None, "mutable", "immutable"):
        raise UsageError(f"policy={policy!r}: it is 'mutable' or 'immutable'")
    return policy != "immutable"


def file_entry(
    blobs: Blobs | None,
    local: StrPath,
    name: str | None,
    mutable: bool,
    is_tmp: bool = False,
    progress: Progress | None = None,
) -> Entry:
    """The entry of one file, whose bytes are kept now unless it is immutable (or `blobs` None: nothing is kept).

    Raises ArtifactError when there is no such file, UsageError for a bad name, OSError when it cannot be read.
    """
    path = os.fspath(local)
    if not os.path.isfile(path):
        raise ArtifactError(f"{path!r} is no file; add_dir() adds folders, add_reference() URIs")
    entry = _kept(blobs, path, check_path(name or os.path.basename(path)), mutable, progress)
    if is_tmp:
        folder, _, file = entry.path.rpartition("/")
        _, dot, rest = file.partition(".")
        entry.path = f"{folder}/{entry.digest[:_TMP_DIGITS]}{dot}{rest}".lstrip("/")
    return entry


def folder_entries(
    blobs: Blobs | None, local: StrPath, name: str | None, mutable: bool, progress: Progress | None = None
) -> Iterator[Entry]:
    """The entries of all files below a folder, hashed and kept by several threads. Raises as `file_entry` does."""
    root = os.fspath(local)
    if not os.path.isdir(root):
        raise ArtifactError(f"{root!r} is no folder; add_file() adds files")
    prefix = f"{check_path(name)}/" if name else ""
    found = list(_files_below(root))
    portions = [found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE)]

    def keep(portion: Sequence[str]) -> list[Entry]:
        return [
            _kept(blobs, os.path.join(root, inner), check_path(prefix + inner), mutable, progress) for inner in portion
        ]

    with ThreadPoolExecutor(THREADS) as pool:
        for entries in pool.map(keep, portions):
            yield from entries


def completed(manifest: Manifest, source: Blobs | None, target: Blobs) -> None:
    """Have the bytes of every entry in `target`. Raises ArtifactError for an immutable file that changed, OSError."""
    folders = [target] if source is None else [target, source]
    moved = source is not None and source.root != target.root
    for entry in manifest:
        if entry.ref is not None:
            continue
        if entry.local_path is not None:
            _keep_late(entry, target)
        elif moved or not target.has(entry.digest):
            blobs = holder(entry.digest, [*folders, home_blobs()])
            if blobs.root != target.root:
                target.take(blobs.path(entry.digest), entry.digest)


def is_full(error: OSError) -> bool:
    """Whether the disk, or the user's share of it, is full."""
    return error.errno in _FULL


# -- inside -------------------------------------------------------------------------------------


def _kept(blobs: Blobs | None, path: str, name: str, mutable: bool, progress: Progress | None = None) -> Entry:
    if blobs is None:
        return Entry(name, "", os.path.getsize(path), local_path=path)
    if mutable:
        try:
            pieces = None if progress is None else lambda size: progress(0, size)
            blob = blobs.put_file(path, pieces)
            if progress is not None:
                progress(1, 0 if blob.size > SMALL else blob.size)
            return Entry(name, blob.digest, blob.size)
        except OSError as error:
            if not is_full(error):
                raise
            warn_once("artifact:full", f"the disk is full: {path} is kept by reference until the artifact is logged")
    digest, size = hash_file(path)
    return Entry(name, digest, size, local_path=path)


def _keep_late(entry: Entry, target: Blobs) -> None:
    assert entry.local_path is not None
    blob = target.put_file(entry.local_path)
    if entry.digest and blob.digest != entry.digest:
        raise ArtifactError(
            f"{entry.local_path} has changed since it was added as {entry.path!r}; add it with policy='mutable', which "
            "keeps a copy at once"
        )
    entry.digest, entry.size, entry.local_path = blob.digest, blob.size, None


def _files_below(root: str) -> Iterator[str]:
    """Relative paths with forward slashes, in order; links to folders are followed, but never in a circle."""
    pending: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]
    while pending:
        folder, above = pending.pop()
        place = os.path.join(root, folder) if folder else root
        found = os.stat(place)
        here = (found.st_dev, found.st_ino)
        if here in above:
            continue
        inner: list[str] = []
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir():
                    inner.append(path)
                elif entry.is_file() or entry.is_symlink() or not _is_special(entry):
                    yield path
        pending.extend((path, above | {here}) for path in reversed(inner))


def _is_special(entry: os.DirEntry[str]) -> bool:
    """Whether it is a pipe, a socket or a device: to read one might never end."""
    if stat.S_ISREG(entry.stat().st_mode):
        return False
    warn(f"{entry.path} is neither a file nor a folder: it is left out")
    return True
