"""Print the completion script of a shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
from click.shell_completion import get_completion_class

_INSTALL = {
    "bash": "echo 'eval \"$(sweep completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(sweep completion zsh)\"' >> ~/.zshrc",
    "fish": "sweep completion fish > ~/.config/fish/completions/sweep.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_INSTALL)), required=False)
@click.pass_context
def command(ctx: click.Context, shell: str | None) -> None:
    """Print the completion script of a shell (default: the one in $SHELL): verbs, options and sweep ids."""
    name = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(name) if name in _INSTALL else None
    if kind is None:
        raise click.UsageError(f"Say which shell: {', '.join(_INSTALL)}.")
    click.echo(kind(ctx.find_root().command, {}, "sweep", "_SWEEP_COMPLETE").source())
    if sys.stdout.isatty():
        click.echo(f"\n# To install it: {_INSTALL[name]}", err=True)
