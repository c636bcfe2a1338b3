"""Look at the store, or upgrade its tables after an update."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sweeps.cli.arguments import as_json
from sweeps.cli.output import print_json
from sweeps.cli.stores import store_is_missing
from tracking.home import Home

if TYPE_CHECKING:
    from sweeps.store.upkeep import Version


@click.group("store")
def command() -> None:
    """Look at the store, or upgrade its tables after an update.

    The store is what SWEEP_STORE names, by default the SQLite file in the home folder. A SQLite store is upgraded by
    itself when it is opened; a PostgreSQL store waits for `sweep store upgrade`, because others may still use it.
    """


@command.command("info")
@as_json
def show_info(as_json: bool) -> None:
    """Where the store is, which versions its tables have, and what it holds."""
    if store_is_missing():
        _report_missing(as_json)
        return
    from sweeps.store.upkeep import info  # the database is loaded here, not when a verb is

    found = info()
    if as_json:
        print_json(asdict(found))
        return
    click.echo(f"store   {found.url}")
    click.echo(f"size    {_readable(found.size)}")
    for version in found.versions:
        click.echo(f"tables  {version.name}: {_worded(version)}")
    if found.counts:
        click.echo("holds   " + ", ".join(f"{count} {name}" for name, count in found.counts.items()))


@command.command("upgrade")
def upgrade_tables() -> None:
    """Bring the tables to the newest version. Stop the agents that use the store first."""
    from sweeps.store.upkeep import upgrade  # the database is loaded here, not when a verb is

    for version in upgrade():
        if version.found == version.needed:
            click.echo(f"{version.name}: up to date ({version.needed})")
        else:
            click.echo(f"{version.name}: {version.found or 'no tables'} -> {version.needed}")


def _report_missing(as_json: bool) -> None:
    url = Home.find().store_url
    if as_json:
        print_json({"url": url, "versions": [], "counts": {}, "size": 0})
    else:
        click.echo(f"There is no store at {url} yet; the first `sweep create` or tracked run makes it.")


def _worded(version: Version) -> str:
    if version.found == version.needed:
        return f"{version.found} (up to date)"
    if version.found is None:
        return "none yet, made at first use"
    if not version.is_known:
        return f"{version.found}, newer than this program knows ({version.needed}): upgrade sweepwright"
    return f"{version.found}, this program needs {version.needed}: run `sweep store upgrade`"


def _readable(size: int) -> str:
    value = float(size)
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
