"""Where runs are kept; the openers are loaded on first use because they bring SQLAlchemy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracking.store.artifact_store import open_artifacts as open_artifacts
    from tracking.store.opening import open_store as open_store
    from tracking.store.queries import open_queries as open_queries

__all__ = ["open_artifacts", "open_queries", "open_store"]

_HOMES = {
    "open_store": "tracking.store.opening",
    "open_artifacts": "tracking.store.artifact_store",
    "open_queries": "tracking.store.queries",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
