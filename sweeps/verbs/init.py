"""Write a starter sweep.yaml from a script's options.

The script is read, never run: argparse, click and typer options, and `init(config={…})`.
"""

from __future__ import annotations

from pathlib import Path

import click

from sweeps.errors import SweepsError
from sweeps.spec.loading import load_text
from sweeps.spec.placeholders import placeholders
from sweeps.starter.document import starter_document
from sweeps.starter.script import read_script


@click.command("init")
@click.argument("script", metavar="TRAIN.PY", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("sweep.yaml"),
    show_default=True,
    help="File to write.",
)
@click.option("--force", is_flag=True, help="Overwrite the file when it is there.")
@click.option("--print", "to_stdout", is_flag=True, help="Print the YAML instead of writing a file.")
def command(script: Path, output: Path, force: bool, to_stdout: bool) -> None:
    """Write a starter sweep.yaml from a script's options; the script is read, never run."""
    text = starter_document(read_script(script), script.as_posix(), str(output))
    loaded = load_text(text, str(output))  # a file that we write passes our own check
    if to_stdout:
        click.echo(text, nl=False)
        return
    _write(output, text, force=force)
    searched = ", ".join(loaded.spec.space.names)
    click.echo(f"Wrote {output}: {loaded.spec.method} over {searched}.")
    gaps = placeholders(loaded.spec)
    if gaps:
        click.echo(f"The script requires what no sweep can guess; fill in: {', '.join(gaps)}")
    click.echo(f"Check the ranges, then: sweep check {output} && sweep run {output}")


def _write(output: Path, text: str, *, force: bool) -> None:
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SweepsError(f"{output} is there already; --force overwrites it, -o writes another file") from None
    except OSError as error:
        raise SweepsError(f"{output} cannot be written: {error.strerror or error}") from None
