"""Show where alerts go, or send one to try it."""

from __future__ import annotations

import socket

import click

from sweeps.cli.arguments import as_json
from sweeps.cli.output import console, print_json
from tracking.home import Home


@click.group("alerts")
def command() -> None:
    """Show where alerts go, or send one to try it.

    Channels are set up in alerts.yaml in the home folder (which only you may read: chmod 600) or by the variables
    SWEEP_ALERT_SLACK, SWEEP_ALERT_WEBHOOK and SWEEP_ALERT_SMTP; see docs/alerts.md.
    """


@command.command("show")
@as_json
def show_channels(as_json: bool) -> None:
    """The channels, the least level that each takes, and the events of sweeps that are told."""
    from rich.table import Table  # these load what only this verb needs

    from tracking.alerts.setup import FILE_NAME, load

    setup, events = load(), load().events
    told = {name: getattr(events, name) for name in ("finished", "first_failure", "new_best", "stalled")}
    if as_json:
        channels = [
            {"name": channel.name, "level": channel.minimum.value, "to": channel.place()} for channel in setup.channels
        ]
        print_json({"channels": channels, "events": told, "sources": list(setup.sources)})
        return
    if not setup.channels:
        click.echo(f"No channel is set up: write {Home.find().root / FILE_NAME}, or set SWEEP_ALERT_SLACK.")
        return
    table = Table("channel", "from level", "to", box=None, pad_edge=False, header_style="bold")
    for channel in setup.channels:
        table.add_row(channel.name, channel.minimum.value, channel.place())
    console().print(table)
    click.echo("from    " + ", ".join(setup.sources))
    click.echo("events  " + (", ".join(_worded(name, value) for name, value in told.items() if value) or "none"))


@command.command("test")
@click.argument("names", metavar="[CHANNEL]...", nargs=-1)
@click.option("--title", default="A test of sweepwright", show_default=True, help="The title of the alert.")
@click.option("--text", default="This is what an alert looks like here.", help="Its text.")
@click.option(
    "--level",
    type=click.Choice(["INFO", "WARN", "ERROR"], case_sensitive=False),
    default="ERROR",
    show_default=True,
    help="Its level.",
)
def send_test(names: tuple[str, ...], title: str, text: str, level: str) -> int:
    """Send an alert over every channel, or over those that are named, and say what came of it."""
    from tracking.alerts.delivering import deliver  # these load what only this verb needs
    from tracking.alerts.levels import level_of
    from tracking.alerts.message import Message
    from tracking.alerts.setup import FILE_NAME, load

    channels = load().channels
    unknown = [name for name in names if name not in {channel.name for channel in channels}]
    if unknown:
        there = ", ".join(channel.name for channel in channels) or "none"
        raise click.UsageError(f"there is no channel {unknown[0]!r}; there are: {there}")
    wanted = [channel for channel in channels if not names or channel.name in names]
    if not wanted:
        click.echo(f"No channel is set up: write {Home.find().root / FILE_NAME}, or set SWEEP_ALERT_SLACK.", err=True)
        return 1
    message = Message(title, text, level_of(level), host=socket.gethostname())
    failed = 0
    for channel in wanted:
        delivery = deliver(message, [channel], lambda _: None, pauses=())
        why = delivery.failed.get(channel.name)
        failed += why is not None
        click.echo(f"{channel.name}: " + (f"not sent: {why}" if why else f"sent to {channel.place()}"), err=bool(why))
    return 1 if failed else 0


def _worded(name: str, value: object) -> str:
    word = name.replace("_", " ")
    return word if value is True else f"{word} for {value:g} s"
