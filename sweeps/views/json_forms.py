"""The JSON of `--json`: stable keys, times in Unix seconds, null where a number is not finite."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.about import About, Brief
from sweeps.records import Notice, SweepRecord, TrialRecord
from sweeps.states import DONE_TRIALS, TrialState


def dumps(value: object) -> str:
    """JSON text that every parser reads: NaN and infinities become null, foreign objects their text."""
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The same value of plain JSON types only."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [plain(item) for item in value]
    return str(value)


def trial_json(trial: TrialRecord) -> dict[str, Any]:
    """One trial."""
    return {
        "number": trial.number,
        "run_id": trial.run_id,
        "state": trial.state.value,
        "value": trial.value,
        "params": dict(trial.params),
        "reason": trial.reason,
        "failure": trial.failure.value if trial.failure else None,
        "attempt": trial.attempt,
        "failures": trial.failures,
        "lost": trial.lost,
        "length": trial.length,
        "origin": dict(trial.origin),
        "created_at": trial.created_at,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
    }


def sweep_json(
    record: SweepRecord, about: About | Brief, counts: Mapping[TrialState, int], best: TrialRecord | None
) -> dict[str, Any]:
    """One sweep in short, as `sweep ls --json` lists it."""
    return {
        "id": record.id,
        "name": record.name,
        "project": record.project,
        "entity": record.entity,
        "state": record.state.value,
        "reason": record.reason,
        "method": about.method,
        "metric": {"name": about.metric, "goal": about.goal} if about.metric else None,
        "budget": about.budget,
        "trials": {state.value: counts.get(state, 0) for state in TrialState},
        "done": sum(counts.get(state, 0) for state in DONE_TRIALS),
        "best": {"number": best.number, "value": best.value, "params": dict(best.params)} if best else None,
        "created_at": record.created_at,
        "finished_at": record.finished_at,
    }


def notice_json(notice: Notice) -> dict[str, Any]:
    """One notice."""
    return {"kind": notice.kind, "text": notice.text, "at": notice.at}
