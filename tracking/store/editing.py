"""What people change of runs after the fact: names, tags, config, summary; and deleting runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, or_, select, update

from tracking.database.dialect import dumps, loads
from tracking.errors import RunNotFound
from tracking.store import kept, reading
from tracking.store.contract import JsonMap, RunChanges, RunRecord
from tracking.store.tables import RUNS

_AT_ONCE = 500
_PLAIN = {"name": "name", "notes": "notes", "group": "run_group", "job_type": "job_type"}

_IS_RUN = RUNS.c.id == bindparam("in_run")
_DOCUMENTS = select(RUNS.c.config, RUNS.c.summary, RUNS.c.metadata).where(_IS_RUN).with_for_update()
_UPDATE = update(RUNS).where(_IS_RUN)
_IN_RUNS: BindParameter[Any] = bindparam("run_ids", expanding=True)
_DELETE = delete(RUNS).where(or_(RUNS.c.id.in_(_IN_RUNS), RUNS.c.part_of.in_(_IN_RUNS)))


def update_run(connection: Connection, run_id: str, changes: RunChanges) -> RunRecord:
    """Change a run; the run as it is then. Raises RunNotFound."""
    row = connection.execute(_DOCUMENTS, {"in_run": run_id}).first()
    if row is None:
        raise RunNotFound(f"no run {run_id!r} in this store")
    values: dict[str, Any] = {
        column: getattr(changes, name) for name, column in _PLAIN.items() if getattr(changes, name) is not None
    }
    if changes.tags is not None:
        values["tags"] = list(changes.tags)
    if changes.config or changes.without_config:
        values["config"] = _edited(row[0], changes.config, changes.without_config)
    if changes.summary or changes.without_summary:
        values["summary"] = _edited(row[1], changes.summary, changes.without_summary)
    if changes.metadata:
        values["metadata"] = {**row[2], **changes.metadata}
    if values:
        connection.execute(_UPDATE.values(**values), {"in_run": run_id})
    return reading.run(connection, run_id)


def delete_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete runs and their parts; series, chunks and console go with their rows."""
    for start in range(0, len(run_ids), _AT_ONCE):
        connection.execute(_DELETE, {"run_ids": run_ids[start : start + _AT_ONCE]})
    kept.delete_of(connection, run_ids)


def _edited(text: str, news: JsonMap, without: Sequence[str]) -> str:
    document = {key: value for key, value in loads(text).items() if key not in without}
    return dumps({**document, **news})
