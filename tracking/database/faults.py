"""What a database driver's error means: the words of tracking.errors, with what to do about it."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from tracking.errors import StoreError, StoreUnavailable

_BUSY, _LOCKED, _NOMEM, _READONLY, _IOERR, _CORRUPT = 5, 6, 7, 8, 10, 11
_FULL, _CANTOPEN, _NOTADB = 13, 14, 26

_SQLITE_ADVICE = {
    _BUSY: "another process has kept it locked for too long; try again",
    _LOCKED: "another process has kept it locked for too long; try again",
    _NOMEM: "there is no memory left",
    _READONLY: "it is read-only; give this user the right to write the file and its folder, or set SWEEP_STORE",
    _IOERR: "reading or writing the disk failed (disk full, quota, or a network file system)",
    _FULL: "the disk is full; free some space and try again",
    _CANTOPEN: "the file cannot be opened; look at the folder and its permissions",
}
_BROKEN_ADVICE = {
    _CORRUPT: "the file is damaged; restore a copy",
    _NOTADB: "the file is no SQLite database; set SWEEP_STORE to another one",
}

# SQLSTATE classes of PostgreSQL: https://www.postgresql.org/docs/current/errcodes-appendix.html
_RETRY_STATES = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_STATE_ADVICE = {
    "08": "the connection broke; try again",
    "25": "it takes no writes (a standby, or read-only)",
    "28": "the login was refused; look at user and password in SWEEP_STORE",
    "3D": "that database does not exist; create it or correct SWEEP_STORE",
    "42501": "this user lacks the rights",
    "53": "it is out of disk, memory or connections",
    "55": "a row stayed locked for too long; try again",
    "57": "the server is shutting down or restarting",
    "58": "the server cannot read or write its disk",
}


def sqlite_code(error: BaseException | None) -> int:
    """The primary result code of a sqlite3 error, 0 for anything else."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF if isinstance(error, sqlite3.Error) else 0


def sqlstate(error: BaseException | None) -> str:
    """The five characters of a psycopg error, "" for anything else."""
    return getattr(error, "sqlstate", None) or ""


def is_busy(error: BaseException | None) -> bool:
    """Whether SQLite says that somebody else holds the lock."""
    return sqlite_code(error) in {_BUSY, _LOCKED}


def is_retryable(error: exc.DBAPIError) -> bool:
    """Whether the same transaction may succeed when it is run again at once."""
    return is_busy(error.orig) or sqlstate(error.orig) in _RETRY_STATES or isinstance(error, exc.IntegrityError)


def is_missing_table(error: exc.DBAPIError) -> bool:
    """Whether the statement names a table that is not there."""
    return sqlstate(error.orig) in {"42P01", "3F000"} or "no such table" in str(error.orig)


def translate(error: exc.SQLAlchemyError | sqlite3.Error, shown: str) -> StoreError:
    """The error of ours for an error of the driver, on the store `shown`."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if code := sqlite_code(cause):
        if code in _BROKEN_ADVICE:
            return StoreError(f"cannot use the store {shown}: {_BROKEN_ADVICE[code]} ({text})")
        advice = _SQLITE_ADVICE.get(code, "")
        if advice:
            return StoreUnavailable(f"cannot use the store {shown}: {advice} ({text})")
    state = sqlstate(cause)
    advice = _STATE_ADVICE.get(state) or _STATE_ADVICE.get(state[:2], "")
    if advice:
        return StoreUnavailable(f"cannot use the store {shown}: {advice} ({text})")
    if isinstance(error, exc.DBAPIError) and is_missing_table(error):
        return StoreUnavailable(f"the store {shown} has lost its tables ({text}); restore it, or open a new one")
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError | exc.InternalError):
        return StoreUnavailable(f"cannot reach the store {shown}: {text}")
    return StoreError(f"the store {shown} refused a statement: {text}")
