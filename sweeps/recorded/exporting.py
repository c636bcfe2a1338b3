"""Writes tables of runs and histories row by row as Parquet, CSV or JSON lines; a file appears when it is whole."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sweeps.recorded.run_views import flat
from sweeps.views.json_forms import plain
from tracking.errors import UsageError
from tracking.public.run import Run, plain_facts
from tracking.tables.frames import write_parquet

FORMATS = ("parquet", "csv", "jsonl")
_ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_STEP = "_step"

Row = Mapping[str, Any]
Rows = Iterable[Row]


def format_of(path: Path, wanted: str | None) -> str | None:
    """The format that a file name asks for; None for a folder. Raises UsageError when `wanted` says otherwise."""
    found = _ENDINGS.get(path.suffix.lower())
    if found is None and path.suffix and not path.is_dir():
        raise UsageError(f"{path}: a file ends with {', '.join(_ENDINGS)}; anything else is a folder, without a dot")
    if found is not None and wanted is not None and found != wanted:
        raise UsageError(f"{path} is named as {found}, but --format says {wanted}")
    return found


def write(path: Path, kind: str, columns: Sequence[str], rows: Rows) -> int:
    """Write the rows; how many there were. Raises ExtraMissing for Parquet without pyarrow, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return _WRITERS[kind](path, columns, rows)


def run_columns(runs: Iterable[Run]) -> list[str]:
    """The columns of the table of runs: what each is, then every config and summary value of any."""
    facts: dict[str, None] = {}
    config: set[str] = set()
    summary: set[str] = set()
    for run in runs:
        facts |= dict.fromkeys(plain_facts(run))
        config |= {f"config.{name}" for name in flat(run.config)}
        summary |= {f"summary.{name}" for name in flat(run.summary_metrics)}
    return [*facts, *sorted(config), *sorted(summary)]


def run_rows(runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
    """The rows of the table of runs."""
    for run in runs:
        config = {f"config.{name}": value for name, value in flat(run.config).items()}
        yield {**plain_facts(run), **config, **{f"summary.{k}": v for k, v in flat(run.summary_metrics).items()}}


def history_columns(runs: Iterable[Run], stream: str, *, with_run: bool) -> list[str]:
    """The columns of histories: the run (if there are several), the step, every key."""
    keys = {info.key for run in runs for info in run.logged_keys(stream)}
    first = ["run_id", _STEP] if with_run else [_STEP]
    return [*first, *sorted(keys, key=lambda key: (key.startswith("_"), key))]


def history_rows(runs: Iterable[Run], stream: str, *, with_run: bool) -> Iterator[dict[str, Any]]:
    """The rows of histories, exactly, one run after the other."""
    for run in runs:
        for row in run.scan_history(stream=stream):  # type: ignore[arg-type]
            yield {"run_id": run.id, **row} if with_run else row


def _write_parquet(path: Path, columns: Sequence[str], rows: Rows) -> int:
    return write_parquet(path, columns, ([row.get(name) for name in columns] for row in rows))


def _write_csv(path: Path, columns: Sequence[str], rows: Rows) -> int:
    count = 0
    with _unfinished(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_csv_cell(row.get(name)) for name in columns])
            count += 1
    return count


def _write_jsonl(path: Path, columns: Sequence[str], rows: Rows) -> int:
    count = 0
    with _unfinished(path) as file:
        for row in rows:
            file.write(json.dumps(plain(row), ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    return count


def _csv_cell(value: Any) -> Any:
    return json.dumps(plain(value), ensure_ascii=False) if isinstance(value, dict | list | tuple) else value


@contextmanager
def _unfinished(path: Path) -> Iterator[IO[str]]:
    """A file that takes its name when the block ends without an error."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield file
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


_WRITERS: dict[str, Callable[[Path, Sequence[str], Rows], int]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "jsonl": _write_jsonl,
}
