"""What an artifact is: the properties that a draft chooses and a version in the store has, and waiting for it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tracking.artifacts import access
from tracking.artifacts.contract import ArtifactPath, ArtifactRecord, ArtifactStore, CollectionRecord
from tracking.artifacts.lifetime import TTL, seconds_of, timedelta_of
from tracking.artifacts.names import check_aliases, check_name, check_tags, check_type
from tracking.errors import ArtifactError, ArtifactNotReady, StoreUnavailable
from tracking.notices import warn

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact
    from tracking.live.run import Run

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.25
PATIENCE_S = 600.0
"""How long wait() without a timeout waits for whoever ships the journal."""


class Standing:
    """The part of `Artifact` that says what it is. `_record` is None until the store has it."""

    _record: ArtifactRecord | None

    def __init__(
        self, name: str, type: str, description: str | None, metadata: Mapping[str, Any] | None, use_as: str | None
    ) -> None:
        self._name, self._type = check_name(name), check_type(type)
        self._description, self._metadata = description, plain_metadata(metadata)
        self._aliases: list[str] = []
        self._tags: list[str] = []
        self._ttl: float | None = None
        self.use_as = use_as
        self._record = None
        self._waits_for: str = ""
        """The id of the journal record that makes it a version; "" while nobody logged it."""
        self._project, self._entity = "", ""
        self._idle = ""
        """The mode of its run, "offline" or "disabled", when no store will have it soon."""
        self._failure = ""
        self._logged_here: tuple[str, int | None] = ("", None)
        self.last_log: dict[str, Any] = {}
        """The body of the record that logged it in this process."""
        self.store_url: str | None = None
        """The store that has it; None is the one of the environment."""

    # Identity

    @property
    def id(self) -> str | None:
        """The id in the store; None before it is there."""
        return self._record.id if self._look() else None  # type: ignore[union-attr]

    @property
    def name(self) -> str:
        """`name:version` once the store has it, the plain name before."""
        return f"{self._name}:v{self._record.version}" if self._record else self._name

    @property
    def qualified_name(self) -> str:
        """`[entity/]project/name:version`."""
        return "/".join(part for part in (self.entity, self.project, self.name) if part)

    @property
    def type(self) -> str:
        return self._type

    @property
    def entity(self) -> str:
        return self._record.entity if self._record else self._entity

    @property
    def project(self) -> str:
        return self._record.project if self._record else self._project

    @property
    def version(self) -> str | None:
        """Such as "v3"; None before the store has numbered it."""
        return f"v{self._record.version}" if self._look() and self._record else None

    @property
    def source_entity(self) -> str:
        return self._record.source_entity if self._record else self._entity

    @property
    def source_project(self) -> str:
        return self._record.source_project if self._record else self._project

    @property
    def source_version(self) -> str | None:
        """The version in the collection where it was made; another than `version` for a link."""
        return f"v{self._record.source_version}" if self._look() and self._record else None

    @property
    def source_name(self) -> str:
        """`name:version` in the collection where it was made."""
        self._look()
        return f"{self._record.source_name}:v{self._record.source_version}" if self._record else self._name

    @property
    def source_qualified_name(self) -> str:
        return "/".join(part for part in (self.source_entity, self.source_project, self.source_name) if part)

    @property
    def is_link(self) -> bool:
        return self._record is not None and self._record.is_link

    @property
    def is_draft(self) -> bool:
        """Whether nobody has logged it, so that files can still be added."""
        return self._record is None and not self._waits_for

    @property
    def state(self) -> str:
        """PENDING (a draft, or on its way into the store), COMMITTED or DELETED."""
        self._look()
        return self._record.state if self._record else "PENDING"

    # What may be changed; `save()` brings it into the store

    @property
    def description(self) -> str | None:
        return self._description

    @description.setter
    def description(self, text: str | None) -> None:
        self._description = text

    @property
    def metadata(self) -> dict[str, Any]:
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: Mapping[str, Any]) -> None:
        self._metadata = plain_metadata(metadata)

    @property
    def aliases(self) -> list[str]:
        """A list to append to and to remove from; `save()` makes it so."""
        self._look()
        return self._aliases

    @aliases.setter
    def aliases(self, aliases: Sequence[str]) -> None:
        self._look()
        self._aliases = check_aliases(aliases)

    @property
    def tags(self) -> list[str]:
        self._look()
        return self._tags

    @tags.setter
    def tags(self, tags: Sequence[str]) -> None:
        self._tags = check_tags(tags)

    @property
    def ttl(self) -> timedelta | None:
        """How long it is kept after its creation; None: for ever. ArtifactTTL.INHERIT: what the collection says."""
        if self._record is not None and self._ttl is None and self._record.expires_at is not None:
            return timedelta(seconds=self._record.expires_at - self._record.created_at)
        return timedelta_of(self._ttl)

    @ttl.setter
    def ttl(self, ttl: TTL) -> None:
        self._ttl = seconds_of(ttl)

    @property
    def own_ttl(self) -> float | None:
        """Seconds; NEVER; None when the collection decides."""
        return self._ttl

    # What the store says

    @property
    def created_at(self) -> str | None:
        """ISO 8601, UTC; None for a draft."""
        return _iso(self._record.created_at) if self._look() and self._record else None

    @property
    def updated_at(self) -> str | None:
        return _iso(self._record.updated_at) if self._look() and self._record else None

    @property
    def linked_at(self) -> str | None:
        found = self._record.linked_at if self._record else None
        return None if found is None else _iso(found)

    @property
    def history_step(self) -> int | None:
        """The step of the last row that its run had logged before it."""
        return self._record.step if self._look() and self._record else None

    @property
    def collection(self) -> CollectionRecord:
        """Its line of versions. Raises ArtifactNotReady for what is not in the store."""
        path = self.stored().path
        with access.opened(self.store_url) as store:
            return store.collection(path)

    @property
    def source_collection(self) -> CollectionRecord:
        record = self.stored()
        with access.opened(self.store_url) as store:
            return store.collection(ArtifactPath(record.source_entity, record.source_project, record.source_name))

    # What records of journals say of it

    def await_record(self, record_id: str, run: Run | None) -> None:
        """Say which journal record makes this a version."""
        self._waits_for, self._record, self._failure = record_id, None, ""
        if run is not None:
            self._idle = "disabled" if run.disabled else "offline" if run.offline else ""
            self._project, self._entity = run.project, run.entity

    def remember(self, run_id: str, body: dict[str, Any]) -> None:
        """Note which run logged it and how, before the store can say so."""
        self._logged_here, self.last_log = (run_id, body.get("step")), body

    def place(self, path: ArtifactPath) -> None:
        """Say in which collection it is."""
        self._entity, self._project = path.entity, path.project

    def is_at(self, path: ArtifactPath, run: Run) -> bool:
        """Whether it was logged by this run under this name."""
        return (self._name, self.project) == (path.name, path.project) and path.entity in ("", run.entity)

    @property
    def record_id(self) -> str:
        """The id by which records speak of it: that of the version, else that of the record which makes it one."""
        return self._record.id if self._record else self._waits_for

    @property
    def logging_run(self) -> str:
        return self._record.run_id if self._record else self._logged_here[0]

    @property
    def own_step(self) -> int | None:
        """The step of the last row before it was logged, without asking the store."""
        return self._record.step if self._record else self._logged_here[1]

    @property
    def plain_name(self) -> str:
        """The name without the version; that of the source for a link."""
        return self._record.source_name if self._record else self._name

    def chosen_aliases(self) -> list[str]:
        """The aliases which the draft asks for; those of a version belong to it already."""
        return [] if self._record else list(self._aliases)

    def chosen_tags(self) -> list[str]:
        return [] if self._record else list(self._tags)

    def fail(self, why: str) -> None:
        """Say that it could not be logged."""
        self._failure = why

    # Waiting

    def wait(self, timeout: float | None = None) -> Artifact:
        """Wait until the store has numbered it, at most `timeout` seconds (600). Returns itself.

        What an offline or disabled run logged is not waited for: it has no version until `sweep sync`. Raises
        ArtifactNotReady when nobody logged it, or when the store does not have it in time.
        """
        if self._record is None and not self._look():
            self._wait(PATIENCE_S if timeout is None else timeout)
        return self  # type: ignore[return-value]

    def _wait(self, seconds: float) -> None:
        if self._failure:
            raise ArtifactNotReady(f"artifact {self._name} was not recorded: {self._failure}")
        if not self._waits_for:
            raise ArtifactNotReady(f"artifact {self._name} is a draft: call run.log_artifact() or save() first")
        if self._idle:
            if self._idle == "offline":
                warn(f"artifact {self._name} gets its version when the run is synced; wait() does not wait for that")
            return
        deadline, pause = time.monotonic() + seconds, FIRST_PAUSE_S
        while not self._look():
            if time.monotonic() > deadline:
                raise ArtifactNotReady(
                    f"artifact {self._name} is not in the store after {seconds:g} s: the journal of its run is not "
                    "shipped yet. The record is safe; `sweep sync` ships it, too"
                )
            time.sleep(min(pause, max(0.0, deadline - time.monotonic()) + 0.001))
            pause = min(pause * 1.5, LONGEST_PAUSE_S)

    def _look(self) -> bool:
        """Whether the store has it, asked once without waiting if that is not known yet."""
        if self._record is None and self._waits_for and not self._idle and not self._failure:
            with contextlib.suppress(StoreUnavailable), access.opened(self.store_url) as store:
                self._found(store)
        return self._record is not None

    def _found(self, store: ArtifactStore) -> bool:
        record = store.made_by(self._waits_for)
        if record is not None:
            refused = sorted(set(self._aliases) - set(record.aliases)) if record.is_link else []
            if refused:
                where = f"alias {', '.join(refused)} of {record.path.collection}"
                warn(f"{where} is protected: only link(force=True) moves it")
            self.become(record)
        return record is not None

    def become(self, record: ArtifactRecord) -> None:
        self._record = record
        self._name, self._type = record.name, record.type
        self._aliases, self._tags = list(record.aliases), list(record.tags)
        self._description, self._metadata = record.description or None, dict(record.metadata)
        self._ttl = record.ttl

    def stored(self) -> ArtifactRecord:
        """The record in the store, waited for. Raises ArtifactNotReady."""
        self.wait()
        if self._record is None:
            raise ArtifactNotReady(f"artifact {self._name} is not in a store: its run is offline or disabled")
        return self._record


def plain_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata as JSON has it: numpy scalars become numbers, tuples lists, times text. Raises ArtifactError."""
    if metadata is None:
        return {}
    try:
        found = json.loads(json.dumps(dict(metadata), default=_plain))
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"metadata must be a mapping that JSON can hold: {error}") from None
    return found  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    for method in ("item", "tolist", "isoformat", "as_dict"):
        if hasattr(value, method):
            try:
                return getattr(value, method)()
            except (TypeError, ValueError):
                continue
    return sorted(value, key=str) if isinstance(value, (set, frozenset)) else str(value)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
