"""Check the installation, the home folder and the store."""

from __future__ import annotations

from typing import Any

import click

from sweeps.cli.arguments import as_json
from sweeps.cli.checkups import Finding, Level, examine
from sweeps.cli.output import print_json

_MARKS = {Level.OK: ("ok", "green"), Level.WARNING: ("warn", "yellow"), Level.BROKEN: ("FAIL", "red")}


@click.command("doctor")
@as_json
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Check the installation, the home folder and the store; exit status 1 when something is broken."""
    findings = examine()
    if as_json:
        print_json([_json(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    if any(finding.level is Level.BROKEN for finding in findings):
        ctx.exit(1)


def _json(finding: Finding) -> dict[str, Any]:
    return {
        "topic": finding.topic,
        "level": finding.level.value,
        "text": finding.text,
        "advice": finding.advice,
    }


def _print(finding: Finding) -> None:
    word, color = _MARKS[finding.level]
    click.echo(f"{click.style(word.rjust(4), fg=color, bold=True)}  {finding.topic:<9} {finding.text}")
    if finding.advice:
        click.echo(f"{'':16}{click.style('→', fg=color)} {finding.advice}")
