"""Export runs and their histories as Parquet, CSV or JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.stores import Stores, store_is_missing
from sweeps.views.wording import plural
from tracking.errors import RunNotFound
from tracking.home import Home

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracking.public.api import Api
    from tracking.public.run import Run


@click.command("export")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option("-p", "--project", help="The runs of this project.")
@click.option("--sweep", "sweep_id", metavar="ID", help="The runs of this sweep.")
@click.option(
    "-f", "--filter", "texts", multiple=True, metavar="FILTER", help="Only those that fit, as in `sweep runs`."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR|FILE", help="Where to.")
@click.option("--format", "kind", type=click.Choice(["parquet", "csv", "jsonl"]), help="Default: by FILE, or parquet.")
@click.option("--history", is_flag=True, help="Into a FILE: the histories, not the table of runs.")
@click.option("--system", is_flag=True, help="What the machine did instead of what the run logged.")
def command(
    runs: tuple[str, ...],
    project: str | None,
    sweep_id: str | None,
    texts: tuple[str, ...],
    output: Path,
    kind: str | None,
    history: bool,
    system: bool,
) -> int:
    """Export runs and their histories as Parquet, CSV or JSON lines.

    A FILE (.parquet, .csv, .jsonl) gets the history of the RUNs that are named, else the table of runs. A DIR gets
    runs.parquet and history/RUN.parquet for every run. Rows are streamed: a long history needs no memory.
    """
    from sweeps.recorded import exporting  # loads what `--help` does not need
    from tracking.public.api import Api

    if runs and (project or sweep_id or texts):
        raise click.UsageError("Name runs, or choose them by --project, --sweep and --filter; not both.")
    file_kind = exporting.format_of(output, kind)
    if store_is_missing():
        raise RunNotFound(f"there are no runs to export: nothing is in {Home.find().store_url} yet")
    with Api() as api:
        found = _chosen(api, runs, project, sweep_id, texts)
        if not len(found):
            raise RunNotFound("no run fits: nothing was exported")
        stream = "system" if system else "default"
        if file_kind is None:
            return _into_folder(found, output, kind or "parquet", stream)
        what = "row"
        if runs or history or system:
            several = len(found) > 1
            columns = exporting.history_columns(found, stream, with_run=several)
            count = exporting.write(output, file_kind, columns, exporting.history_rows(found, stream, with_run=several))
        else:
            count = exporting.write(output, file_kind, exporting.run_columns(found), exporting.run_rows(found))
            what = "run"
        click.echo(f"{output}: {plural(count, what)}")
    return 0


def _chosen(
    api: Api, named: Sequence[str], project: str | None, sweep_id: str | None, texts: Sequence[str]
) -> Sequence[Run]:
    from sweeps.recorded import finding

    if named:
        with Stores() as stores:
            return finding.many_runs(api, stores, named)
    where: dict[str, Any] = finding.filters(texts)
    if sweep_id:
        wanted = {"sweep": api.sweep(sweep_id).id}
        where = {"$and": [wanted, where]} if where else wanted
    return api.runs(project, where, per_page=200)


def _into_folder(found: Sequence[Run], folder: Path, kind: str, stream: str) -> int:
    from sweeps.recorded import exporting

    exporting.write(folder / f"runs.{kind}", kind, exporting.run_columns(found), exporting.run_rows(found))
    rows = 0
    for run in found:
        columns = exporting.history_columns([run], stream, with_run=False)
        # An id has no slash, so the file lies in the folder whatever the run is called.
        path = folder / "history" / f"{run.id}.{kind}"
        rows += exporting.write(path, kind, columns, exporting.history_rows([run], stream, with_run=False))
    click.echo(f"{folder}: {plural(len(found), 'run')}, {plural(rows, 'row')} of history")
    return 0
