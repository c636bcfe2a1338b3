"""What an artifact holds: its entries, their canonical JSON and the digest that follows from it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tracking.artifacts.names import check_path
from tracking.errors import ArtifactDamaged, ArtifactError

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact


class Entry:
    """One file of an artifact, or a reference to one elsewhere.

    `digest` is the SHA-256 of the content; of a reference it is what its place has instead (an ETag, say).
    """

    __slots__ = ("artifact", "digest", "extra", "local_path", "path", "ref", "size")

    def __init__(
        self,
        path: str,
        digest: str,
        size: int | None,
        ref: str | None = None,
        extra: Mapping[str, Any] | None = None,
        local_path: str | None = None,
    ) -> None:
        self.path, self.digest, self.size, self.ref = path, digest, size, ref
        self.extra: dict[str, Any] = dict(extra) if extra else {}
        self.local_path = local_path
        """The file on this machine that it was added from, while nobody else has its bytes."""
        self.artifact: Artifact | None = None

    @property
    def name(self) -> str:
        return self.path

    @property
    def has_content_digest(self) -> bool:
        """Whether `digest` is the SHA-256 of the content, so that a copy can be verified."""
        return self.ref is None or self.extra.get("digest") == "sha256"

    def parent_artifact(self) -> Artifact:
        """The artifact that it was read from."""
        if self.artifact is None:
            raise ArtifactError(f"{self.path} belongs to no artifact that was logged")
        return self.artifact

    def download(self, root: str | None = None, skip_cache: bool | None = None, executor: object = None) -> str:
        """Fetch this one file; its path. `skip_cache` and `executor` change nothing."""
        from tracking.artifacts import fetching

        return fetching.fetch_entry(self.parent_artifact(), self, root)

    def ref_target(self) -> str:
        """The URI that it refers to. Raises ArtifactError for a file."""
        if self.ref is None:
            raise ArtifactError(f"{self.path} is no reference but a file")
        return self.ref

    def ref_url(self) -> str:
        """A URI by which `add_reference` of another artifact refers to this file."""
        if self.ref is not None:
            return self.ref
        return f"sweep-artifact://{self.parent_artifact().id}/{self.path}"

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"digest": self.digest, "size": self.size}
        if self.ref is not None:
            found["ref"] = self.ref
        if self.extra:
            found["extra"] = self.extra
        return found

    def __repr__(self) -> str:
        return f"<Entry {self.path!r} {self.digest[:12]} {'' if self.size is None else f'{self.size} bytes'}>"


class Manifest:
    """Entries by path. An incremental artifact also says which paths of its base it has no more."""

    def __init__(self, entries: Iterable[Entry] = (), removed: Iterable[str] = ()) -> None:
        self.entries: dict[str, Entry] = {entry.path: entry for entry in entries}
        self.removed: set[str] = set(removed)
        self._folders: Counter[str] = Counter()
        """How many entries lie below each folder."""
        for path in self.entries:
            self._folders.update(_folders_of(path))

    def add(self, entry: Entry, overwrite: bool = False) -> None:
        """Add an entry. Raises ArtifactError for another content under a name that is taken, and for a file where
        a folder is."""
        known = self.entries.get(entry.path)
        if known is not None and not overwrite and known.digest != entry.digest:
            raise ArtifactError(
                f"the artifact has another file {entry.path!r} already; overwrite=True (of a folder: merge=True) "
                "replaces it"
            )
        if known is None:
            self._refuse_clash(entry.path)
            self._folders.update(_folders_of(entry.path))
        self.entries[entry.path] = entry
        self.removed.discard(entry.path)

    def get(self, path: str) -> Entry | None:
        return self.entries.get(path)

    def below(self, folder: str) -> list[Entry]:
        """The entries in a folder and the ones below."""
        prefix = folder.rstrip("/") + "/"
        return [entry for path, entry in self.entries.items() if path.startswith(prefix)]

    def remove(self, path: str) -> None:
        """Remove an entry or a folder of entries. Raises FileNotFoundError."""
        gone = [self.entries[path]] if path in self.entries else self.below(path)
        if not gone:
            raise FileNotFoundError(f"the artifact has no {path!r}")
        for entry in gone:
            del self.entries[entry.path]
            self._folders.subtract(_folders_of(entry.path))

    @property
    def size(self) -> int:
        """Bytes of all files; references whose size nobody knows count as none."""
        return sum(entry.size or 0 for entry in self.entries.values())

    def encoded(self) -> bytes:
        """Canonical JSON: the same entries always give the same bytes. A removed path has the value null."""
        content: dict[str, Any] = {path: entry.as_json() for path, entry in self.entries.items()}
        content.update(dict.fromkeys(self.removed - self.entries.keys()))
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def overlaid(self, other: Manifest) -> Manifest:
        """This one with the changes of `other` on it."""
        kept = (entry for path, entry in self.entries.items() if path not in other.removed)
        return Manifest([*kept, *other.entries.values()])

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def _refuse_clash(self, path: str) -> None:
        if self._folders[path] > 0:
            raise ArtifactError(f"the artifact has a folder {path!r} already: a file cannot have the same name")
        for folder in _folders_of(path):
            if folder in self.entries:
                raise ArtifactError(f"the artifact has a file {folder!r} already: it cannot be a folder, too")


def decoded(data: bytes) -> Manifest:
    """Read what `encoded` wrote. Raises ArtifactDamaged; names that could lead out of a folder are damage, too."""
    try:
        content = json.loads(data)
        entries = [
            Entry(_safe(path), str(value["digest"]), value["size"], value.get("ref"), value.get("extra"))
            for path, value in content.items()
            if value is not None
        ]
        return Manifest(entries, (path for path, value in content.items() if value is None))
    except (ValueError, KeyError, TypeError, AttributeError, ArtifactError) as error:
        raise ArtifactDamaged(f"a manifest cannot be read: {error}") from error


def digest_of(kind: str, manifest: bytes) -> str:
    """The digest of an artifact of this type with this manifest."""
    return hashlib.sha256(kind.encode("utf-8", "replace") + b"\0" + manifest).hexdigest()


def _safe(path: str) -> str:
    from tracking.errors import UsageError

    try:
        if check_path(path) != path:
            raise ValueError(f"{path!r} is no canonical path")
    except UsageError as error:
        raise ValueError(str(error)) from error
    return path


def _folders_of(path: str) -> Iterator[str]:
    end = path.find("/")
    while end > 0:
        yield path[:end]
        end = path.find("/", end + 1)
