"""What `sweep artifact` shows: tables of artifacts, versions and files, and the bar of a transfer."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from sweeps.cli.output import console, print_json
from sweeps.views.wording import ago, clean

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact
    from tracking.artifacts.contract import ArtifactRecord, CollectionRecord

_UNITS = ("B", "KB", "MB", "GB", "TB")


def show_collections(found: Sequence[CollectionRecord], *, as_json: bool) -> None:
    """All artifacts, one line each."""
    if as_json:
        print_json([asdict(record) for record in found])
        return
    if not found:
        click.echo("No artifacts yet. Store one with: sweep artifact put PATH --name NAME")
        return
    table = _table("name", "type", "versions", "aliases", "size")
    for record in found:
        newest = [f"{alias} (v{version})" for alias, version in record.aliases.items()]
        size = readable(record.size)
        table.add_row(record.path.collection, clean(record.type), str(record.versions), clean(", ".join(newest)), size)
    console().print(table)


def show_versions(found: Sequence[ArtifactRecord], *, as_json: bool) -> None:
    """The versions of one artifact, newest first."""
    if as_json:
        print_json([{**asdict(record), "path": str(record.path)} for record in found])
        return
    table = _table("version", "aliases", "files", "size", "logged", "by run", "expires")
    now = time.time()
    for record in found:
        expires = "" if record.expires_at is None else datetime.fromtimestamp(record.expires_at, UTC).date().isoformat()
        aliases, by = clean(", ".join(record.aliases)), clean(record.run_id)
        age = ago(max(0.0, now - record.created_at))
        table.add_row(f"v{record.version}", aliases, f"{record.count:,}", readable(record.size), age, by, expires)
    console().print(table)


def show_files(artifact: Artifact, *, as_json: bool) -> None:
    """The files of one version."""
    entries = artifact.files()
    if as_json:
        print_json([{"path": entry.path, **entry.as_json()} for entry in entries])
        return
    table = _table("file", "size", "digest or reference")
    for entry in entries:
        size = "" if entry.size is None else readable(entry.size)
        table.add_row(clean(entry.path), size, clean(entry.ref or entry.digest[:16]))
    console().print(table)


@contextmanager
def bar(what: str, files: int, size: int) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; gives the function that moves it, for any thread."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    lock, done = threading.Lock(), [0]
    with Progress(*columns, console=Console(file=sys.stderr, markup=False), transient=True) as progress:
        task = progress.add_task(what, total=max(size, 1))

        def move(more_files: int, more_bytes: int) -> None:
            with lock:
                done[0] += more_files
                progress.update(task, advance=more_bytes, description=f"{what} {done[0]:,} of {files_text(files)}")

        yield move


def files_text(count: int) -> str:
    """Such as "1 file"."""
    return "1 file" if count == 1 else f"{count:,} files"


def readable(size: int) -> str:
    """Bytes for people."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def _table(*names: str) -> Any:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, justify="right" if name in ("versions", "files", "size") else "left", overflow="fold")
    return table
