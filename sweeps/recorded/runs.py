"""List, show, compare and remove recorded runs."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from sweeps.cli.arguments import as_json
from sweeps.cli.output import console, print_json
from sweeps.cli.stores import Stores, store_is_missing
from sweeps.views.wording import plural
from tracking.errors import RunNotFound
from tracking.home import Home


class _WithDefault(click.Group):
    """`sweep runs` alone, or with options only, is `sweep runs ls`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        shared = {"-h", "--help", "--store", "--debug"}
        if not args or (args[0].startswith("-") and args[0].partition("=")[0] not in shared):
            args = ["ls", *args]
        return super().parse_args(ctx, args)


@click.group("runs", cls=_WithDefault)
def command() -> None:
    """List, show, compare and remove recorded runs.

    RUN is an id, the unique beginning of one, a name, or SWEEP-NUMBER for a trial. Without a command: ls.
    """


@command.command("ls")
@click.option("-p", "--project", help="Only the runs of this project.")
@click.option(
    "-f", "--filter", "texts", multiple=True, metavar="FILTER",
    help="NAME=VALUE, NAME>VALUE, NAME~PATTERN (state=failed, config.lr>0.1) or JSON; several have to hold together.",
)  # fmt: skip
@click.option("-o", "--order", default="-created_at", show_default=True, help="±FIELD, several with commas.")
@click.option("-c", "--column", "columns", multiple=True, metavar="NAME", help="Show config.NAME or summary.NAME.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=30, show_default=True, help="How many at most.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@as_json
def list_runs(
    project: str | None,
    texts: tuple[str, ...],
    order: str,
    columns: tuple[str, ...],
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """List runs, newest first."""
    from sweeps.recorded import finding, run_views  # these load what `--help` does not need
    from tracking.public.api import Api

    where = finding.filters(texts)
    if store_is_missing():
        _print_none(project, as_json=as_json)
        return
    with Api() as api:
        found = api.runs(project, where, order)
        shown = list(found) if everything else found[:limit]
        if as_json:
            print_json([_json(run) for run in shown])
            return
        if not shown:
            _print_none(project, filtered=bool(where))
            return
        names = list(dict.fromkeys([*columns, *finding.named_fields([*texts, *order.split(",")])]))
        out = console()
        out.print(run_views.runs_table(shown, names, time.time(), with_project=not project))
        total = len(shown) if everything else len(found)
        if total > len(shown):
            out.print(f"… and {total - len(shown)} more: --all", style="bright_black")


@command.command("show")
@click.argument("run", metavar="RUN")
@as_json
def show_run(run: str, as_json: bool) -> None:
    """Show one run: what it is, config, summary with curves, files, artifacts, machine."""
    from sweeps.recorded import run_show

    _need_store(run)
    run_show.show(run, as_json=as_json)


@command.command("compare")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Equal config values, too.")
@as_json
def compare_runs(runs: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Show runs side by side: the config values in which they differ, and their metrics."""
    from sweeps.recorded import run_show

    if len(runs) < 2:
        raise click.UsageError("Name at least two runs to compare.")
    _need_store(runs[0])
    run_show.compare(runs, everything=everything, as_json=as_json)


@command.command("rm")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--artifacts", is_flag=True, help="Also the artifacts that they logged.")
def remove_runs(runs: tuple[str, ...], yes: bool, artifacts: bool) -> int:
    """Remove runs with their history, files and folders. There is no way back. Running ones are refused."""
    from sweeps.recorded import finding  # loads what `--help` does not need
    from tracking.public.api import Api

    _need_store(runs[0])
    with Api() as api, Stores() as stores:
        found = finding.many_runs(api, stores, runs)
        running = [run.id for run in found if run.state == "running"]
        if running:
            click.echo(f"Error: {', '.join(running)} still runs; nothing was removed. Stop it first.", err=True)
            return 1
        named = ", ".join(f"{run.id} ({run.name})" if run.name else run.id for run in found[:8])
        what = f"{plural(len(found), 'run')}: {named}{', …' if len(found) > 8 else ''}"
        if not yes and not _confirm(f"Remove {what}?"):
            return 1
        for run in found:
            run.delete(delete_artifacts=artifacts)
    click.echo(f"Removed {what}.")
    return 0


def _json(run: Any) -> dict[str, Any]:
    from tracking.public.run import plain_facts

    return {**plain_facts(run), "config": dict(run.config), "summary": run.summary_metrics}


def _need_store(wanted: str) -> None:
    """Reading verbs must not make a store. Raises RunNotFound."""
    if store_is_missing():
        raise RunNotFound(f"no run {wanted!r}: there is nothing in {Home.find().store_url} yet")


def _print_none(project: str | None, *, filtered: bool = False, as_json: bool = False) -> None:
    if as_json:
        print_json([])
        return
    where = f" in project {project!r}" if project else ""
    click.echo(f"No runs{where} fit the filter." if filtered else f"No runs yet{where}.")


def _confirm(question: str) -> bool:
    """The answer of a person. Raises click.Abort for Ctrl-C."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            click.echo("\nNot removed.", err=True)
            raise
        click.echo("\nNot removed: nobody is there to answer; --yes removes without asking.", err=True)
        return False
    if not agreed:
        click.echo("Not removed.", err=True)
    return agreed
