"""Opening the run store that a URL names."""

from __future__ import annotations

from tracking.store.contract import RunStore
from tracking.store.layout import SCHEMA
from tracking.store.sql import SqlRunStore


def open_store(url: str | None = None) -> RunStore:
    """Open the run store at `url` (default: that of the home folder), made or upgraded as needed.

    Raises StoreUrlInvalid, StoreUnavailable, StoreTooNew, StoreOutdated, HomeUnwritable.
    """
    return SqlRunStore(SCHEMA.open(url))
