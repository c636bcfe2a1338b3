"""All tables of the tracking floor and their versions."""

from __future__ import annotations

from pathlib import Path

from tracking.database.schema import Schema
from tracking.store import artifact_tables, kept_tables
from tracking.store.tables import METADATA

# Tables register themselves with METADATA when their module is imported.
_MODULES = (artifact_tables, kept_tables)

SCHEMA = Schema("tracking", METADATA, Path(__file__).parent / "migrations", ("tracking_0001", "tracking_0002"))
