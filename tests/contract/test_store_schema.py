"""How the tables of a store are made, upgraded and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, inspect, text

import sweeps.store
import tracking.store
from sweeps.store import tables as sweep_tables
from sweeps.store import upkeep
from tests.contract.store_examples import new_sweep
from tracking.database import migrating
from tracking.database.engine import Database
from tracking.database.schema import Schema
from tracking.errors import StoreOutdated, StoreTooNew, StoreUnavailable
from tracking.store import layout as run_tables

FLOORS = pytest.mark.parametrize("schema", [run_tables.SCHEMA, sweep_tables.SCHEMA], ids=lambda schema: schema.name)
OPENERS: dict[str, Callable[[str], Any]] = {
    "tracking": tracking.store.open_store,
    "sweeps": sweeps.store.open_store,
}


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


def execute(database: Database, statement: str) -> None:
    with database.writing() as connection:
        connection.execute(text(statement))


def shape(connection: Connection, schema: Schema) -> dict[str, object]:
    """Columns, keys and indexes of the tables of a floor, in words of the database."""
    found = inspect(connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            [
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in found.get_foreign_keys(name)
            ],
            sorted((str(index["name"]), str(index["column_names"])) for index in found.get_indexes(name)),
        )
        for name in sorted(schema.metadata.tables)
    }


@FLOORS
def test_the_migrations_lead_to_the_tables_that_an_empty_store_gets(database: Database, schema: Schema) -> None:
    with database.writing() as connection:
        migrating.migrate(connection, schema.migrations, schema.version_table, schema.metadata)
        migrated = shape(connection, schema)
        assert connection.execute(text(f"SELECT version_num FROM {schema.version_table}")).scalar() == schema.head
        for table in (*reversed(schema.metadata.sorted_tables), schema.version_table):
            connection.execute(text(f"DROP TABLE {table}"))
    schema.ensure(database)
    assert schema.version(database) == schema.head
    with database.reading() as connection:
        assert shape(connection, schema) == migrated


@FLOORS
def test_the_revisions_are_those_of_the_scripts(schema: Schema) -> None:
    scripts = migrating.script_directory(schema.migrations).walk_revisions()
    assert schema.revisions == tuple(script.revision for script in reversed(list(scripts)))


@FLOORS
def test_a_newer_store_is_refused_with_what_to_do(database: Database, empty_url: str, schema: Schema) -> None:
    OPENERS[schema.name](empty_url).close()
    execute(database, f"UPDATE {schema.version_table} SET version_num = 'from_the_future'")
    with pytest.raises(StoreTooNew, match=r"from_the_future.*pip install --upgrade sweepwright"):
        OPENERS[schema.name](empty_url)
    with pytest.raises(StoreTooNew):
        upkeep.upgrade(empty_url)
    versions = {version.name: version for version in upkeep.info(empty_url).versions}
    assert (versions[schema.name].found, versions[schema.name].is_known) == ("from_the_future", False)


def test_a_live_store_that_loses_its_tables_says_so(database: Database, empty_url: str) -> None:
    store = sweeps.store.open_store(empty_url)
    for table in (*reversed(sweep_tables.METADATA.sorted_tables), sweep_tables.SCHEMA.version_table):
        execute(database, f"DROP TABLE {table}")
    for call in (store.sweeps, lambda: new_sweep(store)):
        with pytest.raises(StoreUnavailable, match="lost its tables"):
            call()
    store.close()
    again = sweeps.store.open_store(empty_url)
    assert again.sweeps() == []
    again.close()


def test_a_store_is_described_and_upgraded_as_a_whole(empty_url: str) -> None:
    assert [version.found for version in upkeep.info(empty_url).versions] == [None, None]
    assert [version.found for version in upkeep.upgrade(empty_url)] == [None, None]
    store = sweeps.store.open_store(empty_url)
    new_sweep(store, 3)
    store.close()
    info = upkeep.info(empty_url)
    assert info.counts == {"sweeps": 1, "trials": 3, "runs": 0}
    assert all(version.found == version.needed for version in info.versions)
    assert info.size > 10_000
    assert all(version.found == version.needed for version in upkeep.upgrade(empty_url))


# -- a schema with two versions -----------------------------------------------------------------

FIRST = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "one", None, None, None
def upgrade():
    op.create_table("things", sa.Column("id", sa.Integer, primary_key=True))
"""
SECOND = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "two", "one", None, None
def upgrade():
    op.add_column("things", sa.Column("size", sa.Integer))
"""


@pytest.fixture
def old_and_new(tmp_path: Path) -> tuple[Schema, Schema]:
    folder = tmp_path / "scripts 100%" / "versions"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text(FIRST)
    (folder / "two.py").write_text(SECOND)
    old, new = MetaData(), MetaData()
    Table("things", old, Column("id", Integer, primary_key=True))
    Table("things", new, Column("id", Integer, primary_key=True), Column("size", Integer))
    return Schema("toy", old, folder.parent, ("one",)), Schema("toy", new, folder.parent, ("one", "two"))


def test_an_older_store_is_upgraded_by_itself_on_sqlite_only(
    database: Database, old_and_new: tuple[Schema, Schema]
) -> None:
    old, new = old_and_new
    old.ensure(database)
    execute(database, "INSERT INTO things (id) VALUES (1)")
    if not database.is_sqlite:
        with pytest.raises(StoreOutdated, match="sweep store upgrade"):
            new.ensure(database)
        assert new.version(database) == "one"
        assert new.upgrade(database) == ("one", "two")
    new.ensure(database)
    assert new.version(database) == "two"
    execute(database, "UPDATE things SET size = 5 WHERE id = 1")
    with pytest.raises(StoreTooNew):
        old.ensure(database)


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(
    database: Database, old_and_new: tuple[Schema, Schema]
) -> None:
    old, new = old_and_new
    old.ensure(database)
    (new.migrations / "versions" / "two.py").write_text(SECOND + "    raise RuntimeError('broken')\n")
    with pytest.raises(RuntimeError, match="broken"):
        new.upgrade(database)
    assert new.version(database) == "one"
    with database.reading() as connection:
        assert [column["name"] for column in inspect(connection).get_columns("things")] == ["id"]


@pytest.mark.postgres
def test_a_postgres_store_whose_connections_were_cut_works_again(empty_postgres: str) -> None:
    store = sweeps.store.open_store(empty_postgres)
    new_sweep(store)
    with psycopg.connect(empty_postgres, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sweepwright'"
        )
    with pytest.raises(StoreUnavailable, match=r"try again|shutting down|server closed"):
        store.sweeps()
    assert len(store.sweeps()) == 1
    store.close()
