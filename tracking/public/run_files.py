"""The files of a run: finding them and bringing them here, never outside the folder that was asked for."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, overload

from tracking.artifacts.names import check_path
from tracking.errors import ArtifactDamaged, FileMissing, UsageError
from tracking.public.session import Session
from tracking.store.contract import FileRecord, RunRecord

OUTPUT = "output.log"
"""What the run printed; the store keeps it beside the files."""
_PIECE = 1 << 20


class File:
    """One file of a run. `size` in bytes, `sha256` as hex digits ("" for output.log), `updated_at` as ISO text."""

    def __init__(self, session: Session, record: FileRecord) -> None:
        self._session, self._record = session, record

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def size(self) -> int:
        return self._record.size

    @property
    def mimetype(self) -> str:
        return self._record.mime

    @property
    def sha256(self) -> str:
        return self._record.digest

    @property
    def step(self) -> int | None:
        """The step at which it was logged, None for a file that belongs to no step."""
        return self._record.step

    @property
    def updated_at(self) -> str:
        return iso(self._record.at)

    @property
    def url(self) -> None:
        """None: no web page shows it."""
        return None

    def download(self, root: str | os.PathLike[str] = ".", replace: bool = False, exist_ok: bool = False) -> IO[str]:
        """Bring it to `root`/name and return it opened for reading as text (`.name` is its path).

        A file that is there is an error, unless it may be replaced, or `exist_ok` takes it as it is.
        Raises UsageError for a name that is no path below a folder, FileExistsError, ArtifactDamaged when its bytes are
        not on this machine (nor in SWEEP_FILES), OSError.
        """
        path = _place_below(Path(root), self.name)
        if path.exists() and not replace:
            if exist_ok:
                return path.open(encoding="utf-8", errors="replace")
            raise FileExistsError(f"{path} exists already; download(replace=True) replaces it, exist_ok=True takes it")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
        try:
            with open(handle, "wb") as target:
                for piece in self._pieces():
                    target.write(piece)
            os.chmod(unfinished, 0o644)
            os.replace(unfinished, path)
        except BaseException:
            os.unlink(unfinished)
            raise
        return path.open(encoding="utf-8", errors="replace")

    def read(self) -> bytes:
        """Its bytes. Raises ArtifactDamaged when they are not on this machine (nor in SWEEP_FILES)."""
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        if not self.sha256:
            yield from _console(self._session, self._record.run_id)
            return
        for blobs in self._session.blobs(self._record.run_id):
            if blobs.has(self.sha256):
                with blobs.open(self.sha256) as blob:
                    while piece := blob.read(_PIECE):
                        yield piece
                return
        raise ArtifactDamaged(
            f"the bytes of {self.name!r} (run {self._record.run_id}) are not in {self._session.home.files}; they lie "
            "on the machine of the run: `sweep sync` there, or let SWEEP_FILES name a folder that both machines share"
        )

    def __repr__(self) -> str:
        return f"<File {self.name!r} ({self.size} bytes)>"


class Files(Sequence[File]):
    """The files of a run by name; a snapshot."""

    def __init__(self, found: list[File]) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> File: ...
    @overload
    def __getitem__(self, index: slice) -> Files: ...
    def __getitem__(self, index: int | slice) -> File | Files:
        return Files(self._found[index]) if isinstance(index, slice) else self._found[index]

    def __repr__(self) -> str:
        return f"<Files {[file.name for file in self._found[:10]]}{'…' if len(self) > 10 else ''}>"


def all_files(session: Session, record: RunRecord, names: Sequence[str] | None, pattern: str | None) -> Files:
    """The files of a run: those with one of the names, or those that fit `pattern` (`*`, `?` or SQL's `%`)."""
    found = {file.name: File(session, file) for file in session.store.files(record.id)}
    if record.console_size and OUTPUT not in found:
        printed = FileRecord(record.id, OUTPUT, "", record.console_size, "text/plain", None, record.started_at)
        found[OUTPUT] = File(session, printed)
    wanted = None if names is None else {names} if isinstance(names, str) else set(names)
    kept = [file for name, file in sorted(found.items()) if wanted is None or name in wanted]
    if pattern is not None:
        kept = [file for file in kept if fnmatchcase(file.name, pattern.replace("%", "*"))]
    return Files(kept)


def one_file(session: Session, record: RunRecord, name: str) -> File:
    """The file of this name. Raises FileMissing, which names the nearest."""
    files = all_files(session, record, None, None)
    for file in files:
        if file.name == name:
            return file
    near = difflib.get_close_matches(name, [file.name for file in files], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; it has {len(files)} files"
    raise FileMissing(f"run {record.id} has no file {name!r}{hint}")


def upload(session: Session, run_id: str, path: str | os.PathLike[str], root: str | os.PathLike[str]) -> File:
    """Keep a file with a run, under its path seen from `root`. Raises UsageError, RunNotFound, OSError."""
    source = Path(path).expanduser()
    base = Path(root).expanduser().absolute()
    absolute = source if source.is_absolute() else base / source
    inside = absolute.is_relative_to(base)
    name = check_path(str(absolute.relative_to(base)) if inside else absolute.name)
    blob = session.blobs(run_id)[0].put_file(absolute)
    import mimetypes  # reads the tables of the system: only who uploads pays for that

    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    record = FileRecord(run_id, name, blob.digest, blob.size, mime, None, session.store.now())
    session.queries.add_file(record)
    return File(session, record)


def iso(seconds: float) -> str:
    """A time as W&B writes it: ISO text in UTC, with a Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _console(session: Session, run_id: str) -> Iterator[bytes]:
    start = 0
    while data := session.store.console(run_id, start, _PIECE):
        yield data
        start += len(data)


def _place_below(root: Path, name: str) -> Path:
    """`root`/name, which stays below `root` even where there are links. Raises UsageError."""
    base = root.expanduser().absolute()
    path = base / check_path(name)
    if not path.parent.resolve().is_relative_to(base.resolve()):
        raise UsageError(f"file name {name!r} leads out of {base} through a link")
    return path
