"""The file of a SQLite store: opening it, and noticing that it vanished or was replaced."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from tracking.database import faults
from tracking.errors import StoreUnavailable

_OPEN_LIMIT = 30.0  # seconds to wait for another process that is making the same file


class SqliteFile:
    """Which file the store is. Once seen, it is never made anew: an empty store in place of a lost one would
    look like data that never was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def check(self) -> bool:
        """Whether another file lies there than the one opened before. Raises StoreUnavailable when it has gone."""
        if self._identity is None:
            return False
        found = self._stat()
        if found is None:
            raise StoreUnavailable(
                f"the store {self.path} has vanished. It is not made anew while this process knows the old one: "
                "bring the file (or its file system) back and try again."
            )
        if found == self._identity:
            return False
        with self._lock:
            self._identity = found
        return True

    def connect(self) -> sqlite3.Connection:
        """A new connection, in autocommit mode: the Database starts its transactions itself."""
        with self._lock:
            fresh = self._identity is None
            if fresh:
                self._make_folder()
            mode = "rwc" if fresh else "rw"
            connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode={mode}",
                uri=True,
                timeout=0.0,
                isolation_level=None,
                check_same_thread=False,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            if fresh:
                self._identity = self._stat()
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + _OPEN_LIMIT
        while True:
            try:
                # WAL: readers and the writer never wait for each other. NORMAL: a power cut may lose the last
                # transactions, never the database; journals on disk bring the history back.
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
                connection.execute("PRAGMA foreign_keys=ON")
                return
            except sqlite3.OperationalError as error:
                if not faults.is_busy(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.002)

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"cannot make the folder {self.path.parent} for the store: {error.strerror}. "
                "Set SWEEP_STORE or SWEEP_HOME to a place that you can write."
            ) from error

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
