"""Imports the runs of an MLflow tracking store: parameters, metrics with their steps, tags, artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.importing.contract import Ending, ForeignRow, ForeignRun, Runs
from tracking.states import RunState

_STATES = {"FINISHED": RunState.FINISHED, "FAILED": RunState.FAILED, "KILLED": RunState.KILLED}
_NAME, _NOTE, _PARENT = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"


def runs(source: str, project: str = "") -> Runs:
    """The runs of a tracking URI: a folder `mlruns`, sqlite:///…, http://…. Raises ExtraMissing, UsageError.

    The project is the experiment's name unless one is given. Nested runs are grouped under their parent's id.
    """
    mlflow = require("mlflow", what="the MLflow importer")
    uri = Path(source).absolute().as_uri() if "://" not in source else source
    client = mlflow.MlflowClient(tracking_uri=uri)
    found = False
    for experiment in _all(client.search_experiments, view_type=mlflow.entities.ViewType.ACTIVE_ONLY):
        for run in _all(client.search_runs, [experiment.experiment_id], order_by=["attributes.start_time"]):
            found = True
            yield _foreign(client, run, project or experiment.name)
    if not found:
        raise UsageError(f"MLflow has no runs at {source}")


def _all(search: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(*arguments, page_token=token, **options)
        yield from page
        token = page.token
        if not token:
            return


def _foreign(client: Any, run: Any, project: str) -> ForeignRun:
    tags, info = dict(run.data.tags), run.info
    state = _STATES.get(info.status)
    ending = Ending(state, int(state is not RunState.FINISHED), (info.end_time or 0) / 1000) if state else None
    return ForeignRun(
        id=info.run_id,
        project=project,
        name=tags.get(_NAME) or getattr(info, "run_name", "") or "",
        notes=tags.get(_NOTE, ""),
        group=tags.get(_PARENT, ""),
        tags=tuple(f"{key}:{value}" for key, value in sorted(tags.items()) if not key.startswith("mlflow.")),
        config={key: _number(value) for key, value in run.data.params.items()},
        metadata={
            "imported_from": "mlflow",
            **{key: value for key, value in tags.items() if key.startswith("mlflow.")},
        },
        started_at=(info.start_time or 0) / 1000,
        rows=_rows(client, run),
        files=_files(client, info.run_id, ""),
        ending=ending,
    )


def _rows(client: Any, run: Any) -> Iterator[ForeignRow]:
    """The histories of all metrics as rows, one per step: MLflow hands out a metric at a time."""
    points = sorted(
        (point.step, point.timestamp / 1000, key, point.value)
        for key in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, key)
    )
    for step, of_step in groupby(points, key=lambda point: point[0]):
        rows = list(of_step)
        yield ForeignRow(max(0, step), rows[-1][1], {key: float(value) for _, _, key, value in rows})


def _files(client: Any, run_id: str, folder: str) -> Iterator[tuple[str, Path]]:
    for entry in client.list_artifacts(run_id, folder or None):
        if entry.is_dir:
            yield from _files(client, run_id, entry.path)
        else:
            yield entry.path, Path(client.download_artifacts(run_id, entry.path))


def _number(text: str) -> Any:
    """MLflow keeps every parameter as text: numbers and booleans become what they were."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
