"""Who a run is, as its own process knows it and as the first record of its journal says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Identity:
    """The fields of the store's RunStart, without the imports that it needs."""

    id: str
    project: str
    entity: str
    name: str
    notes: str
    group: str
    job_type: str
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    metadata: Mapping[str, Any]
    sweep_id: str
    trial: int | None
    started_at: float
    """Unix seconds."""
    starting_step: int
    host: str
    pid: int
    forked_from: str
    fork_step: int | None
    tentative: bool
    part_of: str

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def rename(self, changes: Mapping[str, Any]) -> None:
        """Other values for `name`, `notes` or `tags`."""
        self.__dict__.update(changes)

    def as_json(self) -> dict[str, Any]:
        """Every field."""
        return dict(self.__dict__)
