"""Finding sweeps and trials by what people type: whole ids, unique beginnings, `entity/project/id`, `SWEEP-NUMBER`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from sweeps.errors import SweepNotFound, TrialNotFound
from sweeps.records import SweepRecord, TrialRecord
from sweeps.store.contract import SweepStore
from tracking.errors import RunNotFound
from tracking.store.contract import RunRecord, RunStore

_TRIAL = re.compile(r"(?P<sweep>.+)-(?P<number>\d+)")


def find_trial(store: SweepStore, text: str) -> tuple[SweepRecord, TrialRecord]:
    """The trial `SWEEP-NUMBER`, whose sweep may be shortened.

    Raises TrialNotFound (which says how many there are), SweepNotFound, AmbiguousId.
    """
    match = _TRIAL.fullmatch(text)
    if match is None:
        raise TrialNotFound(f"{text!r} names no trial: write SWEEP-NUMBER, such as k3f9x2ab-7")
    sweep = store.find_sweep(match["sweep"])
    number = int(match["number"])
    try:
        return sweep, store.trial(sweep.id, number)
    except TrialNotFound as error:
        known = f"its trials are 0 to {sweep.next_number - 1}" if sweep.next_number else "it has no trial yet"
        raise TrialNotFound(f"sweep {sweep.id} has no trial {number}: {known}") from error


def find_run(sweeps: SweepStore, runs: RunStore, text: str) -> RunRecord:
    """The run of a trial (`SWEEP-NUMBER`) or a plain run by its id or the unique beginning of it.

    Raises RunNotFound, which names the nearest id, TrialNotFound when the sweep is there but not the trial.
    """
    try:
        return runs.run(text)
    except RunNotFound:
        pass
    if _TRIAL.fullmatch(text):
        try:
            _, trial = find_trial(sweeps, text)
            return runs.run(trial.run_id)
        except SweepNotFound:
            pass  # a plain run may have such an id as well
        except RunNotFound as error:
            raise RunNotFound(f"trial {text} has not started, so it has no run yet") from error
    return _by_prefix(runs, text)


def nearest(word: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'x'?` or nothing."""
    near = difflib.get_close_matches(word, list(candidates), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _by_prefix(runs: RunStore, text: str) -> RunRecord:
    records = runs.runs()
    fitting = [record for record in records if text and record.id.startswith(text)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        listed = ", ".join(record.id for record in fitting[:5])
        more = f" and {len(fitting) - 5} more" if len(fitting) > 5 else ""
        raise RunNotFound(f"{text!r} is the beginning of {len(fitting)} runs: {listed}{more}")
    raise RunNotFound(f"no run has the id {text!r}.{nearest(text, (record.id for record in records))}")
