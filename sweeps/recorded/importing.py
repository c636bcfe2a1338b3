"""Bring runs of other trackers into the store: W&B offline folders, MLflow, TensorBoard, Optuna studies."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from sweeps.views.wording import clean, plural
from tracking.home import Home
from tracking.importing.contract import Runs
from tracking.importing.writing import import_run
from tracking.store import open_store

KINDS = ("wandb", "mlflow", "tensorboard", "optuna")


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("sources", nargs=-1, required=True)
@click.option("--project", default="", help="The project to import into; default: what the source says.")
@click.option("--study", default="", help="For optuna: one study of several.")
@click.option("--dry-run", is_flag=True, help="Only list what would be imported.")
def command(kind: str, sources: tuple[str, ...], project: str, study: str, dry_run: bool) -> int:
    """Bring runs of other trackers into the store: `sweep import wandb ./wandb`. Importing twice changes nothing."""
    new = old = 0
    home = Home.find()
    if dry_run:
        for source in sources:
            for run in _runs(kind, source, project, study):
                click.echo(f"{run.id}  {clean(run.project)}  {clean(run.name)}")
        return 0
    home.create()
    store = open_store()
    try:
        for source in sources:
            for run in _runs(kind, source, project, study):
                imported = import_run(run, home, store)
                new, old = new + imported, old + (not imported)
                click.echo(f"{run.id}  {clean(run.project)}  {clean(run.name)}{'' if imported else '  (was there)'}")
    finally:
        store.close()
    was_there = f", {plural(old, 'run')} had been imported before" if old else ""
    click.echo(f"Imported {plural(new, 'run')}{was_there}.")
    return 0


def _runs(kind: str, source: str, project: str, study: str) -> Runs:
    importer = import_module(f"tracking.importing.{kind}")
    found: Runs
    if kind == "optuna":
        found = importer.runs(source, project, study)
    elif kind == "mlflow":
        found = importer.runs(source, project)
    else:
        found = importer.runs(Path(source), project)
    return found
