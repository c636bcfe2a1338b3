"""`sweep artifact gc`: expired versions go, and with them every blob that nothing names any more."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracking import environment
from tracking.artifacts import access
from tracking.artifacts.contract import ArtifactRecord, ArtifactStore
from tracking.blobs.store import Blobs
from tracking.blobs.sweeping import DAY, Swept, sweep
from tracking.errors import ArtifactNotFound, RunNotFound
from tracking.home import Home, part_id
from tracking.journal.records import RecordType
from tracking.journal.scanning import json_records
from tracking.store.contract import RunStore

SHARED_GRACE = 7 * DAY
"""The grace for a folder that other machines use, too: their journals cannot be seen from here."""
_NAMING = frozenset((RecordType.FILE, RecordType.ARTIFACT))
_JOURNAL = re.compile(r"attempt-(\d+)(?:\.(.+))?\.journal")


@dataclass(slots=True)
class Collected:
    """What gc did, or would do."""

    expired: list[ArtifactRecord] = field(default_factory=list)
    swept: Swept = field(default_factory=Swept)


def default_grace() -> float:
    """Seconds for which a blob that nothing names is left alone."""
    return SHARED_GRACE if environment.read(environment.FILES) else DAY


def collect(*, dry_run: bool = False, grace: float | None = None) -> Collected:
    """Delete versions whose time is over, then the blobs that no version, no file of a run and no journal names.

    What was stored or used within `grace` seconds stays, so nothing that is being recorded now is lost. The store of
    the home folder has a say, too, when SWEEP_STORE names another. Raises StoreError: without an answer of every store
    nothing is removed.
    """
    from tracking.store import open_store  # brings SQLAlchemy

    home, blobs, done = Home.find(), access.home_blobs(), Collected()
    manifests: set[str] = set()
    named: set[str] = set()
    with contextlib.ExitStack() as stack:
        urls = _store_urls(home)
        runs = [stack.enter_context(contextlib.closing(open_store(url))) for url in urls]
        stores = [stack.enter_context(access.opened(url)) for url in urls]
        done.expired = stores[0].expired()
        if not dry_run:
            _delete(stores[0], done.expired)
        for store in stores:
            manifests.update(store.manifests([record.id for record in done.expired]))
            named.update(store.file_digests())
        for kind, body in _unshipped(home.runs, runs):
            if kind == RecordType.FILE:
                named.add(str(body.get("sha256", "")))
            elif body.get("do") == "log":
                manifests.add(str(body.get("manifest", "")))
    named.update(manifests, _files_of(blobs, manifests))
    done.swept = sweep(blobs, named, grace=default_grace() if grace is None else grace, dry_run=dry_run)
    return done


def _store_urls(home: Home) -> list[str]:
    """The store of the environment, and the home's own if it is another one that exists."""
    own = home.root / "store.db"
    urls = [home.store_url]
    if own.exists() and f"sqlite:///{own}" not in urls:
        urls.append(f"sqlite:///{own}")
    return urls


def _delete(store: ArtifactStore, records: Iterable[ArtifactRecord]) -> None:
    for record in records:
        with contextlib.suppress(ArtifactNotFound):  # somebody else was faster
            store.delete(record.id, delete_aliases=True)


def _unshipped(runs: Path, stores: Sequence[RunStore]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """What journals name that no store has yet. Where a store has all of a journal, the store alone decides."""
    for journal in sorted(runs.glob("*/attempt-*.journal")):
        found = list(json_records(journal, _NAMING))
        if found and not any(_is_shipped(store, journal) for store in stores):
            yield from found


def _is_shipped(store: RunStore, journal: Path) -> bool:
    about = _JOURNAL.fullmatch(journal.name)
    if about is None:
        return False
    try:
        run = store.run(part_id(journal.parent.name, about[2] or ""))
    except RunNotFound:
        return False
    attempt = int(about[1])
    return run.attempt > attempt or (run.attempt == attempt and run.journal_offset >= journal.stat().st_size)


def _files_of(blobs: Blobs, manifests: Iterable[str]) -> Iterator[str]:
    """The digests of the files in manifests that are on this machine; others name files of other machines."""
    for digest in manifests:
        try:
            content = json.loads(blobs.read(digest))
        except (OSError, ValueError):
            continue
        yield from (str(entry.get("digest")) for entry in content.values() if isinstance(entry, dict))
