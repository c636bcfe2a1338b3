"""The run store on SQLite and PostgreSQL: each call of the contract is one transaction of one function."""

from __future__ import annotations

from collections.abc import Sequence

from tracking.database.engine import Database
from tracking.states import RunState
from tracking.store import applying, reading, sampling
from tracking.store.contract import Points, RunBatch, RunRecord, RunStore, SeriesInfo
from tracking.store.tails import TailCache


class SqlRunStore(RunStore):
    """The contract on a `Database` whose schema is there (see `tracking.store.open_store`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read, self._write = database.read, database.write
        self._tails = TailCache()

    def now(self) -> float:
        return self._database.now()

    def apply(self, batches: Sequence[RunBatch]) -> list[int]:
        if not batches:
            return []
        offsets, drafts = self._write(applying.apply, self._tails, batches)
        # Only now, after the commit, is what the drafts hold true.
        for draft in drafts:
            if draft.state == RunState.RUNNING.value:
                self._tails.put(draft.id, draft.history)
        return offsets

    def run(self, run_id: str) -> RunRecord:
        return self._read(reading.run, run_id)

    def runs(self, *, sweep_id: str | None = None, project: str | None = None) -> list[RunRecord]:
        return self._read(reading.runs, sweep_id, project)

    def keys(self, run_id: str) -> list[SeriesInfo]:
        return self._read(reading.keys, run_id)

    def series(self, run_id: str, key: str, start: int = 0, stop: int | None = None) -> Points:
        return self._read(reading.series, run_id, key, start, stop)

    def sample(self, run_id: str, key: str, points: int = 2000, start: int = 0, stop: int | None = None) -> Points:
        return self._read(sampling.sample, run_id, key, points, start, stop)

    def heads(self, run_ids: Sequence[str], key: str, count: int) -> dict[str, list[float]]:
        return self._read(reading.heads, run_ids, key, count)

    def console(self, run_id: str, start: int = 0, limit: int = 1 << 20) -> bytes:
        return self._read(reading.read_console, run_id, start, limit)

    def delete_runs(self, run_ids: Sequence[str]) -> None:
        self._write(reading.delete_runs, list(run_ids))

    def close(self) -> None:
        self._database.close()
