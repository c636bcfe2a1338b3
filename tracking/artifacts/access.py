"""Where artifacts are looked up: the artifact store, and the folders that may have the bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from tracking.artifacts.contract import ArtifactStore
from tracking.artifacts.manifest import Manifest, decoded
from tracking.blobs.store import Blobs
from tracking.errors import ArtifactDamaged
from tracking.home import Home


@contextlib.contextmanager
def opened(url: str | None = None) -> Iterator[ArtifactStore]:
    """The artifact store at `url` (default: that of the environment) for as long as the block lasts. Raises as
    `open_store` does."""
    from tracking.store import open_artifacts  # brings SQLAlchemy, which a run that only logs artifacts never needs

    store = open_artifacts(url)
    try:
        yield store
    finally:
        store.close()


def home_blobs() -> Blobs:
    """The blobs of the home folder (or of `$SWEEP_FILES`)."""
    return Blobs(Home.find().files)


def holder(digest: str, folders: Iterable[Blobs]) -> Blobs:
    """The first folder that has a blob. Raises ArtifactDamaged, which says where it was looked for."""
    looked: list[str] = []
    for blobs in folders:
        if blobs.has(digest):
            return blobs
        looked.append(str(blobs.root))
    raise ArtifactDamaged(
        f"no bytes with SHA-256 {digest[:12]}… on this machine (looked in {', '.join(dict.fromkeys(looked))}). "
        "Machines that share a store share files by SWEEP_FILES, a folder that all of them see."
    )


def read_manifest(digests: Iterable[str], folders: Iterable[Blobs]) -> Manifest:
    """The manifest that lies in these blobs, each on top of the one before. Raises ArtifactDamaged."""
    places = list(folders)
    whole = Manifest()
    for digest in digests:
        whole = whole.overlaid(decoded(holder(digest, places).read(digest)))
    return whole
