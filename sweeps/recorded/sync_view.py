"""What `sweep sync` shows: progress bars on a terminal, one line per run elsewhere, a table for a dry run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table

from sweeps.cli.output import console
from sweeps.views.wording import clean, plural
from tracking.syncing.session import Result
from tracking.syncing.standing import Report, Standing

_SHOWN_BARS = 12


class Lines:
    """One line per run, as it is done. `quiet` says nothing."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._lock = threading.Lock()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, report: Report) -> None:
        """Nothing is said before there is something to say."""

    def advance(self, report: Report, size: int) -> None:
        """Bytes are for bars."""

    def end(self, result: Result) -> None:
        line = line_of(result)
        if line and not self._quiet:
            with self._lock:
                self.say(line)

    def say(self, line: str) -> None:
        click.echo(line)


class Bars(Lines):
    """A bar per run that is being shipped; the lines of those that are done scroll by above."""

    def __init__(self, *, live: bool) -> None:
        super().__init__(quiet=False)
        self._live = live
        self._tasks: dict[int, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console(),
            transient=True,
        )

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, report: Report) -> None:
        total = None if self._live and report.standing is Standing.LIVE else max(report.behind, 1)
        with self._lock:
            visible = len(self._tasks) < _SHOWN_BARS
            self._tasks[id(report)] = self._bars.add_task(_named(report), total=total, visible=visible)

    def advance(self, report: Report, size: int) -> None:
        with self._lock:
            self._bars.advance(self._tasks[id(report)], size)

    def end(self, result: Result) -> None:
        with self._lock:
            task = self._tasks.pop(id(result.report), None)
            if task is not None:
                self._bars.remove_task(task)
        super().end(result)

    def say(self, line: str) -> None:
        self._bars.console.print(line)


def make_view(*, live: bool, quiet: bool) -> Lines:
    """Bars where somebody sees them."""
    return Bars(live=live) if sys.stdout.isatty() and not quiet else Lines(quiet=quiet)


def line_of(result: Result) -> str:
    """What people read of one run; "" for one that was in the store already and stays here."""
    name, shipped, standing = _named(result.report), result.shipped, result.report.standing
    for problem in shipped.problems[:1]:
        more = f" (and {len(shipped.problems) - 1} more)" if len(shipped.problems) > 1 else ""
        return f"{name}: {clean(problem)}{more}"
    removed = ", folder removed" if result.removed else f", folder kept: {result.kept}" if result.kept else ""
    if standing in (Standing.HELD, Standing.ACCOMPANIED) or (standing is Standing.LIVE and not shipped.size):
        return f"{name}: skipped, {result.report.why}"
    if standing is Standing.COMPLETE:
        return f"{name}: in the store already{removed}" if removed else ""
    files = f", {plural(shipped.files, 'file')}" if shipped.files else ""
    torn = ", its last record is torn" if shipped.torn else ""
    return f"{name}: shipped {readable(shipped.size)}{files}, {shipped.state or 'no state'}{torn}{removed}"


def tell_sum(results: Sequence[Result], *, clean: bool) -> None:
    """The last line."""
    shipped = sum(result.shipped.size > 0 and not result.failed for result in results)
    there = sum(result.report.standing is Standing.COMPLETE and not result.failed for result in results)
    failed = sum(result.failed for result in results)
    skipped = len(results) - shipped - there - failed
    parts = [f"{plural(shipped, 'run')} shipped"]
    parts += [f"{there} in the store already"] if there else []
    parts += [f"{skipped} skipped"] if skipped > 0 else []
    parts += [f"{failed} with problems"] if failed else []
    parts += [f"{plural(sum(result.removed for result in results), 'folder')} removed"] if clean else []
    click.echo(", ".join(parts) + ".")


def dry_run_table(reports: Sequence[Report], *, live: bool) -> Table:
    """What a sync would do, one row a run."""
    table = Table("run", "project", "what", "size", "folder", box=None, pad_edge=False, header_style="bold")
    table.columns[3].justify = "right"
    for report in reports:
        start = report.folder.start
        what = report.standing.value
        if report.standing is Standing.LIVE:
            what = "would be followed" if live else f"{what}: skipped"
        elif report.standing in (Standing.HELD, Standing.ACCOMPANIED):
            what = f"skipped: {report.why}"
        size = readable(report.behind) if report.standing is not Standing.COMPLETE else ""
        table.add_row(_named(report), clean(start.project) if start else "", what, size, clean(str(report.folder.path)))
    return table


def json_of(report: Report, result: Result | None = None) -> dict[str, Any]:
    """One run for scripts."""
    found: dict[str, Any] = {
        "run": report.folder.run_id,
        "folder": str(report.folder.path),
        "standing": report.standing.name.lower(),
        "why": report.why,
        "bytes": report.behind,
    }
    if result is not None:
        found |= {
            "shipped_bytes": result.shipped.size,
            "files": result.shipped.files,
            "state": result.shipped.state,
            "problems": result.shipped.problems,
            "removed": result.removed,
            "kept": result.kept,
        }
    return found


def readable(size: int) -> str:
    """`812 B`, `1.4 MB`."""
    value = float(size)
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _named(report: Report) -> str:
    start, run_id = report.folder.start, clean(report.folder.run_id)
    name = clean(start.name) if start is not None else ""
    return f"{name} ({run_id})" if name and name != run_id else run_id
