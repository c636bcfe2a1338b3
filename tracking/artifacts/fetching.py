"""Bringing the files of an artifact into a folder: in parallel, each appearing whole, never outside of the folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tracking import environment
from tracking.artifacts.access import holder
from tracking.artifacts.drafting import Progress
from tracking.artifacts.manifest import Entry
from tracking.artifacts.names import check_path, is_portable
from tracking.blobs.copying import copy_hashed, hash_file, write_all
from tracking.blobs.store import SMALL, Blobs
from tracking.errors import ArtifactDamaged, ArtifactError, UsageError
from tracking.notices import warn

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact

THREADS = 8
_AT_ONCE = 64
_PART = ".sweepwright-part-"
_ON_WINDOWS = sys.platform == "win32"


def default_root(name: str) -> str:
    """`./artifacts/<name>`, or below `$SWEEP_ARTIFACT_DIR`."""
    folder = environment.read("ARTIFACT_DIR") or os.path.join(".", "artifacts")
    return os.path.join(folder, name.replace(":", "-") if _ON_WINDOWS else name)


def fetch(
    artifact: Artifact,
    root: str,
    prefix: str = "",
    *,
    missing_ok: bool = False,
    threads: int = THREADS,
    progress: Progress | None = None,
) -> None:
    """Bring all files whose path begins with `prefix` below `root`; those that are there and right stay.

    Raises ArtifactDamaged, ArtifactError, OSError; files that were brought before stay.
    """
    chosen = [entry for entry in artifact.manifest if entry.path.startswith(prefix)]
    folder = Folder(root)
    folder.clean()
    size = max(1, min(_AT_ONCE, len(chosen) // (4 * threads)))
    portions = [chosen[start : start + size] for start in range(0, len(chosen), size)]

    sources = artifact.folders

    def bring(portion: Sequence[Entry]) -> None:
        for entry in portion:
            _bring(folder, entry, sources, missing_ok)
        if progress is not None:
            progress(len(portion), sum(entry.size or 0 for entry in portion))

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(bring, portions):  # raises what a thread has raised
            pass


def fetch_entry(artifact: Artifact, entry: Entry, root: str | None) -> str:
    """Bring one file; its path."""
    place = root or default_root(artifact.source_name)
    _bring(Folder(place), entry, artifact.folders, False)
    return os.path.join(place, *entry.path.split("/"))


def remove_others(artifact: Artifact, root: str) -> None:
    """Remove every file below `root` that the artifact does not have, and folders left empty. Raises UsageError for
    a folder that surely holds more than an artifact."""
    place = Path(root).absolute()
    if place.resolve() in (Path("/").resolve(), Path.home().resolve(), Path.cwd().resolve()):
        raise UsageError(f"checkout({root!r}) would delete everything else in {place.resolve()}; name another folder")
    for folder, inner, files in os.walk(place, topdown=False):
        for name in [*files, *(name for name in inner if os.path.islink(os.path.join(folder, name)))]:
            path = os.path.join(folder, name)
            if artifact.manifest.get(os.path.relpath(path, place).replace(os.sep, "/")) is None:
                os.unlink(path)
        if Path(folder) != place and not os.listdir(folder):
            os.rmdir(folder)


def check(artifact: Artifact, root: str) -> None:
    """Compare a folder with the artifact. Raises ArtifactDamaged for a file that is missing, other or too many."""
    place = Path(root)
    for folder, _, files in os.walk(place):
        for name in files:
            path = os.path.relpath(os.path.join(folder, name), place).replace(os.sep, "/")
            if artifact.manifest.get(path) is None and not name.startswith(_PART):
                raise ArtifactDamaged(f"{place / path} is no file of artifact {artifact.name}")
    unchecked = 0
    for entry in artifact.manifest:
        if not entry.has_content_digest:
            unchecked += 1
        elif not _is_right(str(place / entry.path), entry):
            what = "is not what was logged" if (place / entry.path).exists() else "is missing"
            raise ArtifactDamaged(f"artifact {artifact.name}: {place / entry.path} {what}")
    if unchecked:
        warn(f"{unchecked} references of {artifact.name} are not verified: nobody knows the digests of their contents")


def check_stored(artifact: Artifact, progress: Progress | None = None) -> None:
    """Read the stored bytes of every file again. Raises ArtifactDamaged for one that is missing or not what it was."""
    sources = artifact.folders
    for entry in artifact.manifest:
        if entry.ref is None:
            place = holder(entry.digest, sources).path(entry.digest)
            if hash_file(place)[0] != entry.digest:
                raise ArtifactDamaged(f"artifact {artifact.name}: the bytes of {entry.path} in {place} are damaged")
        if progress is not None:
            progress(1, entry.size or 0)


class Folder:
    """A folder that files are brought into. A file appears whole, by a link or a rename, or not at all."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self._real = os.path.realpath(self.root)
        self._safe: set[str] = {self._real}

    def place(self, path: str) -> str:
        """Where a file goes, with its folder made. Raises ArtifactError when a link leads out of the folder."""
        parts = check_path(path).split("/")
        if _ON_WINDOWS and not is_portable(path):
            raise ArtifactError(f"{path!r} cannot be the name of a file on Windows")
        folder = os.path.join(self._real, *parts[:-1])
        if folder not in self._safe:
            real = os.path.realpath(folder)
            if real != self._real and not real.startswith(os.path.join(self._real, "")):
                raise ArtifactError(
                    f"{folder} leads out of {self.root} by a link to {real}: {path} is not written there"
                )
            try:
                os.makedirs(folder, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise ArtifactError(f"{folder} should be a folder for {path}, but is a file") from None
            self._safe.add(folder)
        return os.path.join(folder, parts[-1])

    @contextlib.contextmanager
    def appearing(self, target: str) -> Iterator[int]:
        """The descriptor of a new file that becomes `target` when the block ends well, and nothing when it does not."""
        if os.path.isdir(target) and not os.path.islink(target):
            raise ArtifactError(f"{target} is a folder: the file of that name cannot be written")
        file, name = _nameless(os.path.dirname(target))
        try:
            yield file
            _appear(file, name, target)
        finally:
            os.close(file)
            if name is not None:
                with contextlib.suppress(OSError):
                    os.unlink(name)

    def clean(self) -> None:
        """Remove what earlier, killed downloads left here on systems that know no files without a name."""
        for path in self.root.glob(f"**/{_PART}*"):
            pid = path.name.removeprefix(_PART).partition("-")[0]
            if pid.isdecimal() and not _lives(int(pid)):
                path.unlink(missing_ok=True)


# -- inside -------------------------------------------------------------------------------------


def _bring(folder: Folder, entry: Entry, sources: Sequence[Blobs], missing_ok: bool) -> None:
    target = folder.place(entry.path)
    if entry.has_content_digest and _is_right(target, entry):
        return
    try:
        with folder.appearing(target) as file:
            if entry.ref is not None:
                from tracking.artifacts.references import copy_reference  # brings ssl and http

                with open(os.dup(file), "wb") as stream:
                    copy_reference(entry, stream)
            else:
                write_entry(entry, sources, file)
    except FileNotFoundError as error:
        if entry.ref is None or not missing_ok:
            raise
        warn(f"{entry.path} is left out: {error}")


def write_entry(entry: Entry, sources: Sequence[Blobs], file: int) -> None:
    """Write the bytes of an entry into an open, empty file. Raises ArtifactDamaged."""
    if entry.local_path is not None:  # of an artifact that was never stored: a disabled run
        with open(entry.local_path, "rb") as local, open(os.dup(file), "wb") as stream:
            shutil.copyfileobj(local, stream, SMALL)
        return
    blobs = holder(entry.digest, sources)
    if entry.size is not None and entry.size <= SMALL:
        data = blobs.read(entry.digest)
        found = hashlib.sha256(data).hexdigest()
        if found == entry.digest:
            write_all(file, data)
    else:
        with blobs.open(entry.digest) as source:
            found, _ = copy_hashed(source.fileno(), file)
    if found != entry.digest:
        raise ArtifactDamaged(
            f"{blobs.path(entry.digest)} is damaged: its bytes are not what was logged as {entry.path!r}"
        )


def _is_right(path: str, entry: Entry) -> bool:
    try:
        found = os.lstat(path)
        if os.path.islink(path) or not os.path.isfile(path):
            return False
        if entry.size is not None and found.st_size != entry.size:
            return False
        return hash_file(path)[0] == entry.digest
    except OSError:
        return False


def _nameless(folder: str) -> tuple[int, str | None]:
    """A new file in a folder: without a name where the system can (then a killed process leaves nothing), else with a
    name that says who writes it."""
    nameless = getattr(os, "O_TMPFILE", None)
    if nameless is not None and os.path.isdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            return os.open(folder, nameless | os.O_RDWR | os.O_CLOEXEC, 0o666), None
    name = _part_name(folder)
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666), name


def _appear(file: int, name: str | None, target: str) -> None:
    if name is None:
        own = f"/proc/self/fd/{file}"
        try:
            # A folder's descriptor makes Python call linkat, which can follow the link; the path is absolute anyway.
            os.link(own, target, src_dir_fd=file, follow_symlinks=True)
            return
        except FileExistsError:
            name = _part_name(os.path.dirname(target))
            os.link(own, name, src_dir_fd=file, follow_symlinks=True)
    os.replace(name, target)


def _part_name(folder: str) -> str:
    return os.path.join(folder, f"{_PART}{os.getpid()}-{os.urandom(6).hex()}")


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
