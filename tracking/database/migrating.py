"""Running the Alembic scripts of a floor on an open connection; the only file that imports Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData


def script_directory(folder: Path) -> ScriptDirectory:
    """The Alembic scripts in a folder."""
    return ScriptDirectory.from_config(_config(folder))


def migrate(
    connection: Connection, folder: Path, version_table: str, metadata: MetaData, target: str = "heads"
) -> None:
    """Upgrade inside the caller's transaction: all of it happens, or nothing."""
    script = script_directory(folder)

    def steps(revision: Any, context: Any) -> Any:
        return script._upgrade_revs(target, revision)

    environment = EnvironmentContext(_config(folder), script, fn=steps, destination_rev=target)
    with environment:
        environment.configure(connection=connection, version_table=version_table, target_metadata=metadata)
        environment.run_migrations()


def _config(folder: Path) -> Config:
    config = Config()
    # Alembic reads % as interpolation.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config
