"""Opening the sweep store that a URL names."""

from __future__ import annotations

from sweeps.store.contract import SweepStore
from sweeps.store.sql import SqlSweepStore
from sweeps.store.tables import SCHEMA


def open_store(url: str | None = None) -> SweepStore:
    """Open the sweep store at `url` (default: that of the home folder), made or upgraded as needed.

    Raises StoreUrlInvalid, StoreUnavailable, StoreTooNew, StoreOutdated, HomeUnwritable.
    """
    return SqlSweepStore(SCHEMA.open(url))
