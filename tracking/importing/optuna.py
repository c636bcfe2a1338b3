"""Imports Optuna studies: each trial becomes a run with its parameters, values and intermediate values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.importing.contract import Ending, ForeignRow, ForeignRun, Runs
from tracking.states import RunState


def runs(source: str, project: str = "", study: str = "") -> Runs:
    """The trials of the studies in a storage: a SQLite file, an Optuna journal file (.log) or a database URL.

    The project is the study's name unless one is given; the group always is. `study` chooses one. Waiting trials are
    left out. Raises UsageError for a study that is not there.
    """
    optuna = require("optuna", what="the Optuna importer")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = _storage(optuna, source)
    names = sorted(optuna.get_all_study_names(storage))
    if study and study not in names:
        raise UsageError(f"no study {study!r} is in {source}; there are: {', '.join(names) or 'none'}")
    for name in [study] if study else names:
        found = optuna.load_study(study_name=name, storage=storage)
        goals = [direction.name.lower() for direction in found.directions]
        metrics = found.metric_names or (["value"] if len(goals) == 1 else [f"value_{n}" for n in range(len(goals))])
        for trial in found.get_trials(deepcopy=False):
            if trial.state.name != "WAITING":
                yield _foreign(source, name, project or name, trial, metrics, goals)


def _storage(optuna: Any, source: str) -> Any:
    if "://" in source:
        return source
    path = Path(source)
    if not path.is_file():
        raise UsageError(f"{source} is neither a file nor a database URL such as sqlite:///study.db")
    with path.open("rb") as file:
        if file.read(16).startswith(b"SQLite format 3"):
            return f"sqlite:///{path.absolute()}"
    storages = optuna.storages
    return storages.JournalStorage(storages.journal.JournalFileBackend(str(path)))


def _foreign(source: str, study: str, project: str, trial: Any, metrics: list[str], goals: list[str]) -> ForeignRun:
    # The study's place is in the id: two studies of one name in two files are not the same.
    mark = hashlib.sha256(f"{source if '://' in source else Path(source).absolute()}\n{study}".encode()).hexdigest()[:8]
    started = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
    return ForeignRun(
        id=f"optuna-{mark}-{trial.number}",
        project=project,
        name=f"{study}-{trial.number}",
        group=study,
        job_type="optuna",
        config=dict(trial.params),
        metadata={
            "imported_from": "optuna",
            "optuna": {
                "number": trial.number,
                "state": trial.state.name,
                "distributions": {name: repr(distribution) for name, distribution in trial.distributions.items()},
                "user_attrs": dict(trial.user_attrs),
            },
        },
        started_at=started,
        rows=_rows(trial, metrics[0], started),
        metrics=[{"name": name, "goal": goal} for name, goal in zip(metrics, goals, strict=True)],
        ending=_ending(trial),
        summary=dict(zip(metrics, trial.values, strict=True)) if trial.values else {},
    )


def _rows(trial: Any, metric: str, started: float) -> Iterator[ForeignRow]:
    for step, value in sorted(trial.intermediate_values.items()):
        if step >= 0:
            yield ForeignRow(step, started, {metric: float(value)})


def _ending(trial: Any) -> Ending | None:
    """Pruned is finished, as it is for a trial of ours whose run was stopped early."""
    if not trial.state.is_finished():
        return None
    failed = trial.state.name == "FAIL"
    ended = trial.datetime_complete.timestamp() if trial.datetime_complete else 0.0
    return Ending(RunState.FAILED if failed else RunState.FINISHED, int(failed), ended)
