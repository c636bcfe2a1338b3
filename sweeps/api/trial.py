"""The trial that the Python API hands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweeps.records import TrialRecord
from sweeps.space import SearchSpace
from sweeps.states import TrialState


@dataclass(frozen=True, slots=True)
class Trial:
    """One assignment of parameters and what became of it; a value, which does not change by itself."""

    number: int
    """Its number in the sweep, from 0."""
    params: Mapping[str, Any]
    """The parameters as a run sees them: nested ones are mappings."""
    state: TrialState
    """A string as well: `trial.state == "complete"`."""
    value: float | None
    """The metric that orders trials; None while there is none, and when it was never finite."""
    run_id: str
    """The id of its run, `<sweep>-<number>`."""
    duration: float | None
    """Seconds from its start to its end; None until then."""
    reason: str = ""
    """Why it ended as it did, for people."""
    attempt: int = 0
    """How often it was started."""

    @property
    def id(self) -> str:
        """The same as `run_id`."""
        return self.run_id


def trial_of(record: TrialRecord, space: SearchSpace) -> Trial:
    """The public face of a stored trial."""
    ended = record.started_at is not None and record.finished_at is not None
    return Trial(
        number=record.number,
        params=space.nest(record.params),
        state=record.state,
        value=record.value,
        run_id=record.run_id,
        duration=record.finished_at - record.started_at if ended else None,  # type: ignore[operator]
        reason=record.reason,
        attempt=record.attempt,
    )
