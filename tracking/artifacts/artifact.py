"""`tracking.Artifact`: a versioned set of files, made here or read from the store."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tracking import context
from tracking.artifacts import access, changing, drafting, fetching, objects
from tracking.artifacts.contract import ArtifactRecord
from tracking.artifacts.drafting import Policy, Progress, StrPath
from tracking.artifacts.manifest import Entry, Manifest, digest_of
from tracking.artifacts.names import check_path
from tracking.artifacts.standing import Standing
from tracking.blobs.store import Blobs
from tracking.errors import ArtifactError, ArtifactNotFound


class Artifact(Standing):
    """A named, typed, versioned set of files: a dataset, a model, a checkpoint.

    Add files, then `run.log_artifact(artifact)`: the store gives it the next version of its name ("v0", "v1", …), or,
    when the content is known, the version that it was. `name` has letters, digits, "-", "_" and "."; `metadata` is
    what JSON can hold. An `incremental` artifact starts with all files of the latest version of its name. Raises
    UsageError.
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        incremental: bool = False,
        use_as: str | None = None,
    ) -> None:
        super().__init__(name, type, description, metadata, use_as)
        self.incremental = incremental
        self._manifest: Manifest | None = Manifest()
        self._blobs: Blobs | None = None
        self._is_idle = False
        self._added: dict[str, Entry] = {}

    @classmethod
    def of(cls, record: ArtifactRecord, store_url: str | None = None) -> Artifact:
        """The version that a record of the store describes."""
        found = cls(record.name, record.type)
        found._manifest, found.store_url = None, store_url
        found.incremental = bool(record.bases)
        found.become(record)
        return found

    # Adding

    def add_file(
        self,
        local_path: StrPath,
        name: str | None = None,
        is_tmp: bool | None = False,
        skip_cache: bool | None = False,
        policy: Policy = "mutable",
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> Entry:
        """Add a file, named as it is unless `name` says otherwise; `is_tmp` replaces its name by its digest.

        Its bytes are kept now; with policy="immutable" only when the artifact is logged, until when the file must not
        change. `skip_cache` changes nothing. Raises ArtifactError, UsageError for a bad name, OSError.
        """
        mutable = drafting.check_policy(policy)
        self._refuse_logged()
        entry = drafting.file_entry(self._blobs_to_add(), local_path, name, mutable, bool(is_tmp), progress)
        self._drafted.add(entry, overwrite)
        self._added[os.path.abspath(local_path)] = entry
        return entry

    def add_dir(
        self,
        local_path: StrPath,
        name: str | None = None,
        skip_cache: bool | None = False,
        policy: Policy = "mutable",
        merge: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Add all files below a folder, into the folder `name` of the artifact (default: its root).

        `merge` lets changed files replace those that were added before. Raises as `add_file` does.
        """
        mutable = drafting.check_policy(policy)
        self._refuse_logged()
        root, prefix = os.path.abspath(local_path), f"{check_path(name)}/" if name else ""
        for entry in drafting.folder_entries(self._blobs_to_add(), local_path, name, mutable, progress):
            self._drafted.add(entry, merge)
            self._added[os.path.join(root, entry.path[len(prefix) :])] = entry

    def add_reference(
        self, uri: Entry | str, name: StrPath | None = None, checksum: bool = True, max_objects: int | None = None
    ) -> Sequence[Entry]:
        """Add a file or a folder elsewhere by its URI: file, http, https, s3, gs, or what fsspec knows. Nothing is
        copied until somebody downloads.

        An entry of another artifact is a URI, too: its bytes are kept once. Without `checksum` the URI itself is the
        digest. Raises UsageError, ArtifactError, ExtraMissing.
        """
        from tracking.artifacts import references  # most artifacts have none

        self._refuse_logged()
        target = None if name is None else os.fspath(name)
        if isinstance(uri, Entry) and uri.ref is None:
            added = [Entry(check_path(target or uri.path), uri.digest, uri.size, extra={"from": uri.ref_url()})]
        else:
            text = uri.ref_target() if isinstance(uri, Entry) else uri
            added = references.entries(text, target, checksum, max_objects)
        for entry in added:
            self._drafted.add(entry)
        return added

    def add(self, obj: Any, name: StrPath, overwrite: bool = False) -> Entry:
        """Add an Image, a Table or another media object, to be had again by `get(name)`. Raises UsageError."""
        self._refuse_logged()
        return objects.add(self._drafted, self._blobs_to_write(), obj, os.fspath(name), overwrite)

    @contextlib.contextmanager
    def new_file(self, name: str, mode: str = "x", encoding: str | None = None) -> Iterator[IO[Any]]:
        """A new file to write to, which is added when the block ends without an error. Mode "x" refuses a name that is
        taken, "w" replaces it; with "b" for bytes."""
        self._refuse_logged()
        path = check_path(name)
        if "x" in mode and self._drafted.get(path) is not None:
            raise ArtifactError(f"the artifact has a file {path!r} already; mode='w' replaces it")
        folder = tempfile.mkdtemp(prefix="sweepwright-")
        try:
            local = os.path.join(folder, "new")
            with open(local, mode, encoding=encoding or (None if "b" in mode else "utf-8")) as file:
                yield file
            entry = drafting.file_entry(self._blobs_to_write(), local, path, True)
            self._drafted.add(entry, overwrite=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def remove(self, item: StrPath | Entry) -> None:
        """Remove a file, or a folder of files. Raises FileNotFoundError; an incremental artifact takes any name, which
        may be one of its base."""
        self._refuse_logged()
        path = item.path if isinstance(item, Entry) else check_path(item)
        if self.incremental:
            self._drafted.removed.add(path)
        try:
            self._drafted.remove(path)
        except FileNotFoundError:
            if not self.incremental:
                raise

    def __setitem__(self, name: str, obj: Any) -> None:
        self.add(obj, name)

    # Logging

    def save(self, project: str | None = None, settings: Any = None) -> None:
        """A draft: log it with the current run, or without any into `project`. A version: bring what was changed
        (aliases, tags, description, metadata, ttl) into the store."""
        from tracking.artifacts import recording

        if not self.is_draft:
            changing.push(self)
        elif (run := context.current_run()) is not None:
            run.log_artifact(self)
        else:
            recording.put(self, project)

    def new_draft(self) -> Artifact:
        """A draft with the same files, description and metadata, to be changed and logged as the next version."""
        draft = Artifact(self._name, self._type, self.description, self.metadata)
        draft._manifest = Manifest(
            Entry(entry.path, entry.digest, entry.size, entry.ref, entry.extra) for entry in self.manifest
        )
        return draft

    def finalize(self) -> None:
        """Nothing: logging ends the adding."""

    def complete_in(self, blobs: Blobs) -> bytes:
        """Have all bytes in `blobs`; the encoded manifest. Raises ArtifactError, OSError."""
        drafting.completed(self.manifest, self._blobs, blobs)
        self._blobs, self._is_idle = blobs, False
        return self.manifest.encoded()

    def become(self, record: ArtifactRecord) -> None:
        """Be the version that the store has."""
        super().become(record)
        if record.bases:
            self._manifest = None  # it has the files of its base, too

    def show(self, other: Artifact) -> None:
        """Have the files of another artifact: this is a link to it."""
        self._manifest, self._blobs, self.incremental = other._manifest, other._blobs, other.incremental

    # Reading

    @property
    def manifest(self) -> Manifest:
        """Its entries by path. Raises ArtifactDamaged when the manifest is not on this machine."""
        if self.incremental and not self.is_draft:
            self.wait()
        if self._manifest is None:
            record = self.stored()
            self._manifest = access.read_manifest([*record.bases, record.manifest], self.folders)
            for entry in self._manifest:
                entry.artifact = self
        return self._manifest

    @property
    def folders(self) -> list[Blobs]:
        """Where its bytes may be."""
        run = context.current_run()
        of_run = [run.blobs] if run is not None and not run.disabled else []
        return [*([self._blobs] if self._blobs else []), access.home_blobs(), *of_run]

    @property
    def digest(self) -> str:
        """SHA-256 of its type and its manifest: equal content, equal digest."""
        return self._record.digest if self._record else digest_of(self._type, self.manifest.encoded())

    @property
    def commit_hash(self) -> str:
        return self.digest

    @property
    def size(self) -> int:
        """Bytes."""
        return self._record.size if self._record and not self._record.bases else self.manifest.size

    @property
    def file_count(self) -> int:
        return self._record.count if self._record and not self._record.bases else len(self.manifest)

    def get_entry(self, name: StrPath) -> Entry:
        """A file by its path, or an object by the name under which it was added. Raises ArtifactNotFound."""
        path = check_path(name)
        entry = self.manifest.get(path) or objects.find(self.manifest, path)
        if entry is None:
            raise ArtifactNotFound(f"artifact {self.name} has no file {path!r}; it has {_some(self.manifest.entries)}")
        entry.artifact = self
        return entry

    get_path = get_entry

    def get(self, name: str) -> Any:
        """The media object or table that was added under this name; None when there is none."""
        return objects.get(self, name)

    def get_added_local_path_name(self, local_path: str) -> str | None:
        """The name in the artifact of a file that was added from this path."""
        entry = self._added.get(os.path.abspath(local_path))
        return None if entry is None else entry.path

    def open_entry(self, entry: Entry) -> IO[bytes]:
        """A file of it for reading. Raises ArtifactDamaged, FileNotFoundError."""
        if entry.ref is not None:
            from tracking.artifacts.references import open_reference

            return open_reference(entry)
        if entry.local_path is not None:
            return open(entry.local_path, "rb")
        return access.holder(entry.digest, self.folders).open(entry.digest)

    def read_bytes(self, entry: Entry) -> bytes:
        """All bytes of a file of it."""
        with self.open_entry(entry) as file:
            return file.read()

    def download(
        self,
        root: StrPath | None = None,
        allow_missing_references: bool = False,
        skip_cache: bool | None = None,
        path_prefix: StrPath | None = None,
        multipart: bool | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Bring its files (those whose path begins with `path_prefix`) below `root`, by default
        `./artifacts/<name>:<version>`; returns that folder.

        Each file appears whole or not at all, checked by its digest; those that are there and right are left alone, so
        a download that was cut off goes on. Other files in the folder stay. `skip_cache` and `multipart` change
        nothing. Raises ArtifactDamaged, ArtifactError, OSError.
        """
        self.wait()
        folder = os.fspath(root) if root is not None else fetching.default_root(self.source_name)
        prefix = os.fspath(path_prefix) if path_prefix else ""
        fetching.fetch(self, folder, prefix, missing_ok=allow_missing_references, progress=progress)
        return folder

    def checkout(self, root: str | None = None) -> str:
        """Like download(), and then delete every other file below `root` (default: `./artifacts/<name>`)."""
        self.wait()
        folder = root or fetching.default_root(self.source_name.partition(":")[0])
        if os.path.isdir(folder):
            fetching.remove_others(self, folder)
        return self.download(folder)

    def verify(self, root: str | None = None) -> None:
        """Compare what was downloaded with the digests. Raises ArtifactDamaged (a ValueError), which names the file."""
        self.wait()
        fetching.check(self, root or fetching.default_root(self.source_name))

    def file(self, root: str | None = None) -> str:
        """Download the only file; its path. Raises ArtifactError when there are several."""
        self.wait()
        if len(self.manifest) != 1:
            raise ArtifactError(f"artifact {self.name} has {len(self.manifest)} files: download() brings all of them")
        return fetching.fetch_entry(self, next(iter(self.manifest)), root)

    def files(self, names: Iterable[str] | None = None, per_page: int = 50) -> list[Entry]:
        """Its files by path, or those with these names."""
        wanted = None if names is None else set(names)
        found = sorted(self.manifest, key=lambda entry: entry.path)
        return [entry for entry in found if wanted is None or entry.path in wanted]

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __len__(self) -> int:
        return self.file_count

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.manifest.entries))

    def __bool__(self) -> bool:
        return True

    def __contains__(self, name: object) -> bool:
        return name in self.manifest.entries

    def __repr__(self) -> str:
        return f"<Artifact {self.name} ({self.type})>"

    # In the store

    def delete(self, delete_aliases: bool = False) -> None:
        """Delete the version, or only the link if this is one; its bytes go with `sweep artifact gc`.

        Raises ArtifactRefused while it has aliases other than "latest" without `delete_aliases`.
        """
        changing.delete(self, delete_aliases)

    def link(self, target_path: str, aliases: Iterable[str] | None = None, force: bool = False) -> Artifact:
        """Link the version into a collection, `registry-NAME/COLLECTION` or `[[entity/]project/]collection`, where it
        gets the next number. Protected aliases move with `force` only. Raises UsageError, AliasProtected."""
        return Artifact.of(changing.link(self, target_path, aliases, force), self.store_url)

    def unlink(self, force: bool = False) -> None:
        """Remove this link; the artifact stays. Raises ArtifactRefused when it is none."""
        changing.unlink(self, force)

    @property
    def linked_artifacts(self) -> list[Artifact]:
        """The version as the collections that link to it see it."""
        return [Artifact.of(record, self.store_url) for record in changing.links(self)]

    @property
    def source_artifact(self) -> Artifact:
        """The version in the collection where it was made."""
        return Artifact.of(changing.source(self), self.store_url)

    def logged_by(self) -> Any:
        """The run that made it, as Api().run() gives it; None when none did, or when the run was deleted."""
        return changing.logged_by(self)

    def used_by(self) -> list[Any]:
        """The runs that used it; deleted ones are left out."""
        return changing.used_by(self)

    # Inside

    @property
    def _drafted(self) -> Manifest:
        assert self._manifest is not None
        return self._manifest

    def _blobs_to_add(self) -> Blobs | None:
        """Where the bytes of files go; None when they are not kept, because the current run is disabled."""
        if self._blobs is None and not self._is_idle:
            run = context.current_run()
            self._is_idle = run is not None and run.disabled
            if not self._is_idle:
                self._blobs = run.blobs if run is not None else access.home_blobs()
        return self._blobs

    def _blobs_to_write(self) -> Blobs:
        """The same for bytes that are nowhere else: a disabled run gets a folder that vanishes with the artifact."""
        if self._blobs_to_add() is None:
            folder = tempfile.mkdtemp(prefix="sweepwright-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self._blobs = Blobs(Path(folder))
        assert self._blobs is not None
        return self._blobs

    def _refuse_logged(self) -> None:
        if not self.is_draft:
            raise ArtifactError(
                f"artifact {self.name} is logged and does not change; new_draft() makes the next version"
            )


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} others" if len(listed) > 5 else "") or "none"
