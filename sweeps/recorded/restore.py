"""Bring back the code of a run: check out its commit and patch elsewhere, and print the command that runs it."""

from __future__ import annotations

from pathlib import Path

import click

from sweeps.api.lookup import find_run
from sweeps.cli.arguments import trial_id
from sweeps.cli.stores import existing_stores
from sweeps.views.wording import clean
from tracking.blobs.store import Blobs
from tracking.home import Home
from tracking.provenance.restoring import FOLDER, Restored, restore


@click.command("restore")
@trial_id
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where to; default: restored-RUN here.")
@click.option("--no-git", is_flag=True, help="Only saved code and config, no checkout.")
def command(trial: str, folder: Path | None, no_git: bool) -> None:
    """Bring back the code, patch and config of a run in a folder of its own. TRIAL is SWEEP-NUMBER or the id of a run.

    Run it inside the repository of the code. Your working tree stays as it is: the commit is checked out into a new
    worktree on a new branch restore/RUN.
    """
    with existing_stores(trial) as stores:
        run = find_run(stores.sweeps, stores.runs, trial)
        files = stores.runs.files(run.id)
    target = (folder if folder is not None else Path(f"restored-{run.id}")).expanduser().absolute()
    restored = restore(run, files, Blobs(Home.find().files), target, Path.cwd(), use_git=not no_git)
    _print(run.id, restored)


def _print(run_id: str, restored: Restored) -> None:
    code = ""
    if restored.commit:
        patch = " with its patch" if restored.patched else ""
        code = f": commit {restored.commit[:12]}{patch} on the branch {restored.branch}"
    click.echo(f"Restored {click.style(run_id, fg='cyan', bold=True)} in {restored.folder}{code}")
    for note in restored.notes:
        click.echo(f"Note: {clean(note)}", err=True)
    if (restored.folder / FOLDER / "requirements.txt").is_file():
        click.echo(f"Its packages: {FOLDER}/requirements.txt; its config: {FOLDER}/config.json")
    if restored.command:
        click.echo(f"Run it with:\n  {restored.command}")
