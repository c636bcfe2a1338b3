"""The database behind a store: its engine, its transactions, and where SQLite and PostgreSQL differ."""

from __future__ import annotations

import random
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, exc, select
from sqlalchemy.engine import Engine
from sqlalchemy.pool import QueuePool

from tracking.database import faults
from tracking.database.dialect import clock
from tracking.database.sqlite_file import SqliteFile
from tracking.database.url import StoreUrl, parse
from tracking.errors import StoreUnavailable, StoreUrlInvalid

P = ParamSpec("P")
T = TypeVar("T")

BUSY_LIMIT = 30.0
"""Seconds for which a call waits for a lock before it raises StoreUnavailable."""
_PAUSE, _LONGEST_PAUSE = 0.0005, 0.008

_NOW = select(clock())


class Database:
    """One database, reached by URL. Nothing is opened or made before the first transaction.

    A transaction is a function of a connection, so that it can be run again after a deadlock or a lost race.
    Everything that the driver raises is turned into StoreUnavailable or StoreError. Usable by several threads; not
    across a fork.
    """

    def __init__(self, url: str | StoreUrl | None = None) -> None:
        self.url = url if isinstance(url, StoreUrl) else parse(url)
        self.file = None if self.url.path is None else SqliteFile(self.url.path)
        self.engine = self._make_engine()
        self._reader = self.engine
        if self.file is None:
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        # A store that nobody closes (a Sweep of the Python API) still gives its connections back.
        weakref.finalize(self, self.engine.dispose)

    @property
    def is_sqlite(self) -> bool:
        return self.file is not None

    @property
    def shown(self) -> str:
        """The URL for messages, without a password."""
        return self.url.shown

    def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(connection, …)` in a writing transaction; it may run more than once, only the last time counts."""
        return self._retry(self.writing, work, *args, **kwargs)

    def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(connection, …)` on one consistent snapshot, without the right to write."""
        return self._retry(self.reading, work, *args, **kwargs)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A writing transaction: committed at the end, rolled back on an exception. SQLite: BEGIN IMMEDIATE."""
        with self._open(self.engine) as connection, connection.begin():
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one snapshot and is rolled back at the end."""
        with self._open(self._reader) as connection, connection.begin() as transaction:
            self._begin(connection, "BEGIN")
            yield connection
            transaction.rollback()

    def now(self) -> float:
        """The clock of the database, Unix seconds."""
        return self.read(_read_clock)

    def close(self) -> None:
        """Give every connection back. The next transaction would open new ones."""
        self.engine.dispose()

    # -- inside ---------------------------------------------------------------------------------

    def _retry(self, context: Any, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        deadline, pause = time.monotonic() + BUSY_LIMIT, _PAUSE
        tries = 0
        while True:
            try:
                with context() as connection:
                    return work(connection, *args, **kwargs)
            except exc.DBAPIError as error:
                tries += 1
                # An integrity error that is no lost race stays; the second time tells.
                lost_race = not isinstance(error, exc.IntegrityError) or tries < 3
                if not (faults.is_retryable(error) and lost_race and time.monotonic() < deadline):
                    raise faults.translate(error, self.shown) from error
            except (exc.SQLAlchemyError, sqlite3.Error) as error:
                raise faults.translate(error, self.shown) from error
            pause = _nap(pause)

    @contextmanager
    def _open(self, engine: Engine) -> Iterator[Connection]:
        if self.file is not None and self.file.check():
            self.engine.dispose()  # the file is another one than before: connections to the old one are useless
        with engine.connect() as connection:
            yield connection

    def _begin(self, connection: Connection, statement: str) -> None:
        """Start the SQLite transaction, waiting for the lock in short random naps: SQLite's own waiting doubles its
        pauses up to 100 ms, which starves some of several busy processes."""
        if self.file is None:
            return
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        deadline, pause = time.monotonic() + BUSY_LIMIT, _PAUSE
        while True:
            try:
                raw.execute(statement)
                return
            except sqlite3.OperationalError as error:
                if not faults.is_busy(error):
                    raise
                if time.monotonic() > deadline:
                    raise StoreUnavailable(
                        f"the store {self.shown} is busy: another process has held its lock for {BUSY_LIMIT:.0f} s"
                    ) from error
            pause = _nap(pause)

    def _make_engine(self) -> Engine:
        if self.file is not None:
            return create_engine(
                "sqlite://",
                creator=self.file.connect,
                poolclass=QueuePool,
                pool_size=8,
                max_overflow=24,
                hide_parameters=True,
            )
        try:
            from tracking.database.postgres import make_engine  # psycopg is an extra
        except ModuleNotFoundError as error:
            if error.name != "psycopg":
                raise
            raise StoreUrlInvalid(
                f"the store {self.shown} needs the PostgreSQL driver: pip install 'sweepwright[postgres]'"
            ) from error
        return make_engine(self.url.text)


def _read_clock(connection: Connection) -> float:
    return float(connection.execute(_NOW).scalar_one())


def _nap(pause: float) -> float:
    """Sleep for about `pause` seconds, and say how long the next nap is."""
    time.sleep(pause * random.uniform(0.5, 1.5))
    return min(pause * 1.5, _LONGEST_PAUSE)
