"""Imports TensorBoard event files: scalars, histograms, images, texts and hyperparameters, a run per folder."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tracking.errors import UsageError
from tracking.extras import require
from tracking.importing.contract import Ending, ForeignRow, ForeignRun, Runs
from tracking.importing.tensorboard_events import hyperparameters, image_of, values_of
from tracking.states import RunState

_PATTERN = "*tfevents*"


def runs(source: Path, project: str = "") -> Runs:
    """One run for each folder below `source` that holds event files. Raises ExtraMissing, UsageError."""
    require("tensorboard", what="the TensorBoard importer")
    files = [source] if source.is_file() else sorted(source.rglob(_PATTERN))
    if not files:
        raise UsageError(f"no event file (…tfevents…) is in {source}")
    folders: dict[Path, list[Path]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file)
    root = source if source.is_dir() else source.parent
    for folder, group in folders.items():
        # Pictures are written out one by one while the rows are read, and taken over right after.
        with tempfile.TemporaryDirectory(prefix="sweepwright-import-") as pictures:
            yield _foreign(folder, group, root, project, Path(pictures))


def _foreign(folder: Path, files: list[Path], root: Path, project: str, pictures: Path) -> ForeignRun:
    name = folder.relative_to(root).as_posix() if folder != root else folder.absolute().name
    config: dict[str, Any] = {}
    started = ended = 0.0
    for event in _events(files):
        started = started or event.wall_time
        ended = max(ended, event.wall_time)
        config.update(hyperparameters(event))
    run = ForeignRun(
        id=f"tb-{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:12]}",
        project=project or root.absolute().name,
        name=name,
        config=config,
        metadata={"imported_from": "tensorboard", "logdir": str(folder.absolute())},
        started_at=started,
        ending=Ending(RunState.FINISHED, 0, ended),
    )
    kept: list[tuple[str, Path]] = []
    run.rows, run.files = _rows(files, pictures, kept), kept
    return run


def _events(files: list[Path]) -> Iterator[Any]:
    loader = require("tensorboard.backend.event_processing.event_file_loader")
    for file in files:
        yield from loader.EventFileLoader(str(file)).Load()


def _rows(files: list[Path], pictures: Path, kept: list[tuple[str, Path]]) -> Iterator[ForeignRow]:
    """A row per stretch of events with the same step. Files of one folder may go over the same steps again."""
    row: dict[str, Any] = {}
    step, at = 0, 0.0
    for event in _events(files):
        if row and event.step != step:
            yield ForeignRow(max(0, step), at, row)
            row = {}
        step, at = event.step, event.wall_time
        row.update(values_of(event))
        for tag, data, suffix in image_of(event):
            row[tag] = _kept_image(tag, step, data, suffix, pictures, kept)
    if row:
        yield ForeignRow(max(0, step), at, row)


def _kept_image(tag: str, step: int, data: bytes, suffix: str, folder: Path, kept: list[tuple[str, Path]]) -> Any:
    digest = hashlib.sha256(data).hexdigest()
    path = folder / f"{digest}.{suffix}"
    path.write_bytes(data)
    name = f"media/images/{tag}_{step}_{digest[:20]}.{suffix}"
    kept.append((name, path))
    return {"_type": "image-file", "path": name, "sha256": digest, "size": len(data), "format": suffix}
