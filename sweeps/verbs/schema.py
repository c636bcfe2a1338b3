"""Print the JSON Schema of sweep.yaml, for editors.

`sweep schema > sweep.schema.json`, then in the first line of a sweep.yaml:
`# yaml-language-server: $schema=sweep.schema.json`.
"""

from __future__ import annotations

import json

import click

from sweeps.spec.schema import json_schema


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of sweep.yaml, for editors.

    Write it to a file (`sweep schema > sweep.schema.json`) and start sweep.yaml with
    `# yaml-language-server: $schema=sweep.schema.json`.
    """
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
