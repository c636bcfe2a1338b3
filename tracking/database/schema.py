"""The version of one floor's tables: checked cheaply, made on an empty database, upgraded by Alembic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

from tracking.database import faults
from tracking.database.engine import Database
from tracking.errors import StoreOutdated, StoreTooNew

# Any constant does: everybody who makes or upgrades tables in a PostgreSQL database takes the same lock.
_ADVISORY_LOCK = 7_393_471


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of one floor and their history."""

    name: str
    metadata: MetaData
    migrations: Path
    """Folder with an Alembic script directory (`versions/` in it)."""
    revisions: tuple[str, ...]
    """All revisions, oldest first: known without importing Alembic. A test compares them with the folder."""

    @property
    def version_table(self) -> str:
        return f"alembic_version_{self.name}"

    @property
    def head(self) -> str:
        return self.revisions[-1]

    def open(self, url: str | None) -> Database:
        """The database at `url` with these tables in it; nothing stays open when `ensure` raises."""
        database = Database(url)
        try:
            self.ensure(database)
        except BaseException:
            database.close()
            raise
        return database

    def ensure(self, database: Database) -> None:
        """Make the tables on an empty database, upgrade those of an older version on SQLite.

        Raises StoreTooNew for a version that this program does not know, StoreOutdated for an older one elsewhere
        than on SQLite, StoreUnavailable.
        """
        found = self.version(database)
        if found == self.head:
            return
        self._refuse_unknown(found, database)
        if found is not None and not database.is_sqlite:
            raise StoreOutdated(
                f"the store {database.shown} has version {found} of the {self.name} tables, this program needs "
                f"{self.head}. Stop the agents and run `sweep store upgrade`."
            )
        self.upgrade(database)

    def version(self, database: Database) -> str | None:
        """The version that the database has; None when it has no tables of this floor."""
        try:
            with database.reading() as connection:
                return self._stored(connection)
        except DBAPIError as error:
            if faults.is_missing_table(error):
                return None
            # The store's own retries and words.
            return database.read(self._stored)

    def upgrade(self, database: Database) -> tuple[str | None, str]:
        """Bring the tables to the newest version; two processes at once are safe. Returns (before, after).

        Raises StoreTooNew, StoreUnavailable.
        """
        before = database.write(self._upgrade, database)
        return before, self.head

    # -- inside ---------------------------------------------------------------------------------

    def _stored(self, connection: Connection) -> str | None:
        return connection.execute(text(f"SELECT version_num FROM {self.version_table}")).scalar()

    def _refuse_unknown(self, found: str | None, database: Database) -> None:
        if found is not None and found not in self.revisions:
            raise StoreTooNew(
                f"the store {database.shown} has version {found!r} of the {self.name} tables, which is newer than this "
                f"program knows ({self.head}). Upgrade with `pip install --upgrade sweepwright`, or point SWEEP_STORE "
                "to another store."
            )

    def _upgrade(self, connection: Connection, database: Database) -> str | None:
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        # Looked up again under the lock: another process may have been faster.
        has_table = inspect(connection).has_table(self.version_table)
        found = self._stored(connection) if has_table else None
        self._refuse_unknown(found, database)
        if found is None:
            self._make(connection, has_table)
        elif found != self.head:
            self._migrate(connection)
        return found

    def _make(self, connection: Connection, has_table: bool) -> None:
        """All tables at once, as the migrations would leave them, without the cost of importing Alembic."""
        self.metadata.create_all(connection, checkfirst=True)
        if not has_table:
            connection.execute(
                text(f"CREATE TABLE {self.version_table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
            )
        connection.execute(text(f"INSERT INTO {self.version_table} VALUES (:head)"), {"head": self.head})

    def _migrate(self, connection: Connection) -> None:
        from tracking.database.migrating import migrate  # Alembic costs 150 ms

        migrate(connection, self.migrations, self.version_table, self.metadata)
