"""Imports W&B's offline folders: history, config, summary, declared metrics, system metrics, media and console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.importing.contract import Ending, ForeignRow, ForeignRun, Runs
from tracking.importing.protobuf import Message
from tracking.importing.wandb_file import records
from tracking.states import RunState

# Field numbers of wandb_internal.proto: https://github.com/wandb/wandb/blob/main/wandb/proto/wandb_internal.proto
_HISTORY, _SUMMARY, _CONFIG, _STATS, _METRIC, _RUN, _EXIT, _ENVIRONMENT = 2, 3, 5, 7, 12, 17, 18, 26
_KEY, _NESTED, _VALUE = 1, 2, 16
_AGGREGATES = {1: "min", 2: "max", 3: "mean", 4: "best", 5: "last", 6: "none", 7: "copy", 8: "first"}
_GOALS = {1: "minimize", 2: "maximize"}
_KEPT = ("_step", "_timestamp", "_runtime")


def runs(source: Path, project: str = "") -> Runs:
    """The runs below a folder (a run folder, a `wandb` folder, anything above), or of one file. Raises UsageError."""
    files = [source] if source.is_file() else sorted(source.rglob("*.wandb"))
    if not files:
        raise UsageError(f"no .wandb file is in {source}: give a run folder such as wandb/offline-run-…, or one above")
    for file in files:
        found = _Reading(file).run(project)
        if found is not None:
            yield found


class _Reading:
    """One file, read twice: first for what a run is as a whole, then row by row."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._config: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._metrics: list[dict[str, Any]] = []
        self._rows: set[str] = set()
        self._run: Message | None = None
        self._exit: Message | None = None
        self._environment: dict[str, Any] = {}
        self._last = 0.0

    def run(self, project: str) -> ForeignRun | None:
        """The run; None for a file that does not say which it is."""
        for record in records(self._file):
            self._take(record)
        run = self._run
        if run is None:
            return None
        return ForeignRun(
            id=run.text(1),
            project=project or run.text(3) or "uncategorized",
            entity=run.text(2),
            name=run.text(8),
            notes=run.text(9),
            group=run.text(6),
            job_type=run.text(7),
            tags=tuple(run.texts(10)),
            config=self._config,
            metadata={"imported_from": "wandb", **self._environment},
            host=run.text(13) or str(self._environment.get("host", "")),
            started_at=_seconds(run.message(17)),
            rows=self._history(),
            metrics=self._metrics,
            system=self._system(),
            files=list(self._files()),
            console=self._file.parent / "files" / "output.log",
            ending=self._ending(),
            # What the history says by itself is left to it: only values set by hand are explicit.
            summary={key: value for key, value in self._summary.items() if key not in self._rows and key[:1] != "_"},
        )

    def _take(self, record: Message) -> None:
        if _RUN in record:
            self._run = record.message(_RUN)
            self._configure(self._run.message(4))
        elif _CONFIG in record:
            self._configure(record.message(_CONFIG))
        elif _SUMMARY in record:
            _merge(self._summary, record.message(_SUMMARY))
        elif _METRIC in record:
            self._metrics.append(_metric(record.message(_METRIC)))
        elif _EXIT in record:
            self._exit = record.message(_EXIT)
        elif _HISTORY in record:
            row = _row(record.message(_HISTORY))
            self._rows.update(key.partition(".")[0] for key in row)
            self._last = float(row.get("_timestamp") or self._last)
        elif _ENVIRONMENT in record:
            self._describe(record.message(_ENVIRONMENT))

    def _configure(self, change: Message) -> None:
        _merge(self._config, change)
        self._config.pop("_wandb", None)
        for removed in change.messages(2):
            self._config.pop(removed.text(_KEY), None)

    def _describe(self, environment: Message) -> None:
        names = {1: "os", 2: "python", 6: "program", 7: "codePath", 11: "root", 12: "host", 14: "executable"}
        self._environment |= {name: environment.text(field) for field, name in names.items() if field in environment}
        if 5 in environment:
            self._environment["args"] = environment.texts(5)

    def _ending(self) -> Ending | None:
        if self._exit is None:
            return None
        code = self._exit.whole(1)
        return Ending(RunState.FAILED if code else RunState.FINISHED, code, self._last)

    def _history(self) -> Iterator[ForeignRow]:
        step = -1
        for record in records(self._file):
            if _HISTORY not in record:
                continue
            history = record.message(_HISTORY)
            row = _row(history)
            step = int(row.get("_step", history.message(2).whole(1) if 2 in history else step + 1))
            values = {key: value for key, value in row.items() if key not in _KEPT}
            if values:
                yield ForeignRow(step, float(row.get("_timestamp") or 0.0), values)

    def _system(self) -> Iterator[ForeignRow]:
        number = 0
        for record in records(self._file):
            if _STATS not in record:
                continue
            stats = record.message(_STATS)
            values = {f"system/{item.text(_KEY)}": _value(item) for item in stats.messages(3)}
            yield ForeignRow(number, _seconds(stats.message(2)), values)
            number += 1

    def _files(self) -> Iterator[tuple[str, Path]]:
        folder = self._file.parent / "files"
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink() and path.name != "output.log":
                yield path.relative_to(folder).as_posix(), path


def _row(history: Message) -> dict[str, Any]:
    """The values of a row: media stay mappings, other nested keys are joined with a dot."""
    nested: dict[str, Any] = {}
    for item in history.messages(1):
        _place(nested, item)
    return dict(_flat(nested, ""))


def _flat(values: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value and "_type" not in value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _merge(target: dict[str, Any], change: Message) -> None:
    for item in change.messages(1):
        _place(target, item)


def _place(target: dict[str, Any], item: Message) -> None:
    path = item.texts(_NESTED) or [item.text(_KEY)]
    for key in path[:-1]:
        inner = target.get(key)
        if not isinstance(inner, dict):
            inner = target[key] = {}
        target = inner
    target[path[-1]] = _value(item)


def _value(item: Message) -> Any:
    try:
        return json.loads(item.text(_VALUE))
    except ValueError:
        return item.text(_VALUE)


def _metric(metric: Message) -> dict[str, Any]:
    """A METRIC record of ours."""
    options, modes = metric.message(6), metric.message(7)
    summary = [name for field, name in _AGGREGATES.items() if modes.whole(field)]
    said = {
        "name": metric.text(2) or metric.text(1),
        "step_metric": metric.text(4) or None,
        "step_sync": bool(options.whole(1)) or None,
        "hidden": bool(options.whole(2)) or None,
        "summary": summary or None,
        "goal": _GOALS.get(metric.whole(8)),
    }
    return {key: value for key, value in said.items() if value is not None}


def _seconds(timestamp: Message) -> float:
    return timestamp.whole(1) + timestamp.whole(2) / 1e9
