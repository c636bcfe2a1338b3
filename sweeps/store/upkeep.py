"""Looking at a store as a whole, and bringing it to the version that this program needs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Table, func, select

from sweeps.store import tables as sweep_tables
from tracking.database.engine import Database
from tracking.database.schema import Schema
from tracking.store.layout import SCHEMA as RUN_SCHEMA
from tracking.store.tables import RUNS

SCHEMAS: tuple[Schema, ...] = (RUN_SCHEMA, sweep_tables.SCHEMA)
_COUNTED: dict[str, tuple[Schema, Table]] = {
    "sweeps": (sweep_tables.SCHEMA, sweep_tables.SWEEPS),
    "trials": (sweep_tables.SCHEMA, sweep_tables.TRIALS),
    "runs": (RUN_SCHEMA, RUNS),
}
_DATABASE_SIZE = select(func.pg_database_size(func.current_database()))


@dataclass(frozen=True, slots=True)
class Version:
    """The version of one floor's tables."""

    name: str
    found: str | None
    """None when the store has no tables of this floor yet."""
    needed: str
    is_known: bool = True
    """False for a version that a newer program has made."""


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What a store is and holds."""

    url: str
    """Without a password."""
    versions: tuple[Version, ...]
    counts: dict[str, int]
    """Rows of sweeps, trials and runs; a table of an unknown version is left out."""
    size: int
    """Bytes on the disk of the database."""


def info(url: str | None = None) -> StoreInfo:
    """Look at a store; nothing is made or upgraded in it. Raises StoreUrlInvalid, StoreUnavailable."""
    database = Database(url)
    try:
        versions = tuple(_version(schema, database) for schema in SCHEMAS)
        current = {version.name for version in versions if version.found == version.needed}
        counted = {name: table for name, (schema, table) in _COUNTED.items() if schema.name in current}
        return StoreInfo(database.shown, versions, database.read(_counts, counted), _size(database))
    finally:
        database.close()


def upgrade(url: str | None = None) -> tuple[Version, ...]:
    """Bring the tables of all floors to the newest version; the versions as they were before.

    Raises StoreTooNew, StoreUrlInvalid, StoreUnavailable.
    """
    database = Database(url)
    try:
        return tuple(Version(schema.name, *schema.upgrade(database)) for schema in SCHEMAS)
    finally:
        database.close()


def _version(schema: Schema, database: Database) -> Version:
    found = schema.version(database)
    return Version(schema.name, found, schema.head, found is None or found in schema.revisions)


def _counts(connection: Connection, counted: dict[str, Table]) -> dict[str, int]:
    return {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in counted.items()
    }


def _size(database: Database) -> int:
    path = database.url.path
    if path is None:
        return database.read(lambda connection: int(connection.execute(_DATABASE_SIZE).scalar_one()))
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
