"""Bring runs that are not in the store yet into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweeps.api.steering import OVER
from sweeps.cli.arguments import as_json
from sweeps.cli.output import console, print_json
from sweeps.cli.stores import Stores, store_is_missing
from sweeps.errors import SweepNotFound, TrialNotFound
from sweeps.states import TrialState
from tracking.home import Home

if TYPE_CHECKING:
    from tracking.shipping.folders import RunFolder


@click.command("sync")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also every run of the home folder and of ./sweepwright.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be shipped, change nothing.")
@click.option("--clean", is_flag=True, help="Remove the folders of ended runs of which the store has everything.")
@click.option("--live", is_flag=True, help="Follow runs that still go on until they end.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Runs shipped at once.")
@as_json
def command(
    paths: tuple[Path, ...], everything: bool, dry_run: bool, clean: bool, live: bool, jobs: int, as_json: bool
) -> int:
    """Bring runs that are not in the store yet into it: offline runs, runs whose machine died, copied run folders.

    PATHS are run folders, folders of them, or journals; without any, the runs of the home folder and of ./sweepwright.
    Running it again does no harm, and goes on where an interrupted sync ended. The exit status is 1 when something
    could not be shipped.
    """
    from sweeps.recorded.sync_view import json_of, make_view, tell_sum  # these load what only this verb needs
    from tracking.syncing.session import Sync

    home = Home.find()
    folders = _folders(paths, home, everything=everything)
    if not folders:
        print_json([]) if as_json else click.echo(f"No runs in {home.runs}.")
        return 0
    if dry_run:
        _show(folders, live=live, as_json=as_json)
        return 0
    with Stores() as stores, make_view(live=live, quiet=as_json) as view:
        sync = Sync(stores.runs, home, view, SweepHolder(stores), jobs=jobs, follow=live, clean=clean)
        results = sync.run(folders)
    if as_json:
        print_json([json_of(result.report, result) for result in results])
    else:
        tell_sum(results, clean=clean)
    return 1 if any(result.failed for result in results) else 0


def _folders(paths: Sequence[Path], home: Home, *, everything: bool) -> list[RunFolder]:
    from tracking.shipping.folders import find_folders

    here = Path.cwd()
    folders = find_folders(paths, home, here)
    if paths and everything:
        known = {folder.path.resolve() for folder in folders}
        folders += [folder for folder in find_folders((), home, here) if folder.path.resolve() not in known]
    return folders


def _show(folders: Sequence[RunFolder], *, live: bool, as_json: bool) -> None:
    """What would be shipped. A store that nobody has made yet stays unmade: it has nothing."""
    from sweeps.recorded.sync_view import dry_run_table, json_of
    from tracking.syncing.standing import look, look_without_store

    if store_is_missing():
        reports = [look_without_store(folder) for folder in folders]
    else:
        with Stores() as stores:
            holder = SweepHolder(stores)
            reports = [look(folder, stores.runs, holder) for folder in folders]
    if as_json:
        print_json([json_of(report) for report in reports])
    else:
        console().print(dry_run_table(reports, live=live))


class SweepHolder:
    """Runs that are trials belong to their sweep while it needs them."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._open: dict[str, str] = {}

    def why_not_ship(self, folder: RunFolder) -> str:
        place = _trial_of(folder)
        if place is None:
            return ""
        try:
            trial = self._stores.sweeps.trial(*place)
        except (SweepNotFound, TrialNotFound):
            return ""  # a sweep of another store: here it is a run like any other
        running = trial.state is TrialState.RUNNING
        return f"an agent drives trial {trial.number} of sweep {trial.sweep_id}, or takes it back" if running else ""

    def why_not_remove(self, folder: RunFolder) -> str:
        place = _trial_of(folder)
        if place is None:
            return ""
        try:
            state = self._stores.sweeps.sweep(place[0]).state
        except SweepNotFound:
            return ""
        return "" if state in OVER else f"its sweep {place[0]} is {state.value}"


def _trial_of(folder: RunFolder) -> tuple[str, int] | None:
    start = folder.start
    return (start.sweep_id, start.trial) if start is not None and start.sweep_id and start.trial is not None else None
