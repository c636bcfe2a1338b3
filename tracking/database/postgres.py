"""The engine of a PostgreSQL store: timeouts, and connections that notice a restarted server."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from sqlalchemy import create_engine, event, exc
from sqlalchemy.engine import Engine, make_url

from tracking.errors import StoreUrlInvalid

_IDLE_BEFORE_PING = 1.0  # seconds: a connection used this recently is taken to be alive
_DEFAULTS = {
    "connect_timeout": "10",
    "application_name": "sweepwright",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


def make_engine(text: str) -> Engine:
    """An engine on psycopg 3. Raises StoreUrlInvalid for a URL that cannot be parsed."""
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError) as error:
        raise StoreUrlInvalid(f"the PostgreSQL URL cannot be parsed: {error}") from error
    defaults = {key: value for key, value in _DEFAULTS.items() if key not in url.query}
    engine = create_engine(
        url, connect_args=defaults, pool_size=4, max_overflow=28, pool_timeout=30, hide_parameters=True
    )
    event.listen(engine, "connect", _set_lock_timeout)
    event.listen(engine, "checkout", _ping_idle)
    event.listen(engine, "checkin", _remember)
    return engine


def _set_lock_timeout(connection: psycopg.Connection[Any], record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '30s'")
    connection.commit()


def _remember(connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_idle(connection: psycopg.Connection[Any], record: Any, proxy: Any) -> None:
    """Ping what has been idle: DisconnectionError makes the pool try again with a new connection."""
    if time.monotonic() - record.info.get("idle_since", float("inf")) < _IDLE_BEFORE_PING:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise exc.DisconnectionError(str(error)) from error
