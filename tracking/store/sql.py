"""The run store on SQLite and PostgreSQL: each call of the contract is one transaction of one function."""

from __future__ import annotations

from collections.abc import Sequence

from tracking.database.engine import Database
from tracking.states import RunState
from tracking.store import applying, editing, kept, reading, sampling
from tracking.store.contract import (
    AlertRecord,
    AlertState,
    FileRecord,
    Points,
    RunBatch,
    RunChanges,
    RunRecord,
    RunStore,
    SeriesInfo,
)
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

    def parts(self, run_id: str) -> list[RunRecord]:
        return self._read(reading.parts, run_id)

    def keys(self, run_id: str) -> list[SeriesInfo]:
        return self._read(reading.keys, run_id)

    def series(self, run_id: str, key: str, start: int = 0, stop: int | None = None) -> Points:
        return self._read(reading.series, run_id, key, start, stop)

    def sample(self, run_id: str, key: str, points: int = 2000, start: int = 0, stop: int | None = None) -> Points:
        return self._read(sampling.sample, run_id, key, points, start, stop)

    def samples(self, run_ids: Sequence[str], key: str, points: int = 500) -> dict[str, Points]:
        from tracking.store import many  # brings numpy, which nobody needs who ships

        return self._read(many.samples, run_ids, key, points)

    def heads(self, run_ids: Sequence[str], key: str, count: int) -> dict[str, list[float]]:
        return self._read(reading.heads, run_ids, key, count)

    def console(self, run_id: str, start: int = 0, limit: int = 1 << 20) -> bytes:
        return self._read(reading.read_console, run_id, start, limit)

    def files(self, run_id: str) -> list[FileRecord]:
        return self._read(kept.files, run_id)

    def alerts(self, run_id: str) -> list[AlertRecord]:
        return self._read(kept.alerts, run_id)

    def waiting_alerts(self, limit: int = 100, run_ids: Sequence[str] | None = None) -> list[AlertRecord]:
        return self._read(kept.waiting, limit, None if run_ids is None else list(run_ids))

    def claim_alert(self, alert: AlertRecord, sender: str, seconds: float = 60.0) -> bool:
        return self._write(kept.claim, alert, sender, seconds)

    def mark_alert(
        self, alert: AlertRecord, sender: str, sent: AlertState, reason: str = "", retry_in: float = 0.0
    ) -> bool:
        return self._write(kept.mark, alert, sender, sent, reason, retry_in)

    def update_run(self, run_id: str, changes: RunChanges) -> RunRecord:
        return self._write(editing.update_run, run_id, changes)

    def delete_runs(self, run_ids: Sequence[str]) -> None:
        self._write(editing.delete_runs, list(run_ids))

    def close(self) -> None:
        self._database.close()
