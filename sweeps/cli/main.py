"""The command `sweep`: a thin group that imports only the verb that runs."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import click
from click.shell_completion import CompletionItem

from sweeps.cli import search_path, verbs
from sweeps.cli.failures import FAILED, report

EPILOG = "`sweep VERB --help` explains one verb. A sweep's ID may be shortened as long as it is unique."


class LazyGroup(click.Group):
    """A group whose verbs come from the entry-point group `sweep.commands` and are imported when they run."""

    @cached_property
    def verbs(self) -> dict[str, verbs.Verb]:
        return verbs.find_verbs()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for _, names in verbs.grouped(set(self.verbs)) for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        try:
            command = verb.load()
        except ImportError as error:
            if _Debug.on:
                raise
            raise click.ClickException(f"the verb {cmd_name!r} cannot be loaded: {error}") from error
        if not isinstance(command, click.Command):
            raise click.ClickException(f"the verb {cmd_name!r} is no click command: {verb.target}")
        return _with_shared_options(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.verbs and not ctx.resilient_parsing and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.verbs, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no verb {name!r}.{hint} `sweep --help` lists them all.", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max((len(name) for name in self.verbs), default=0)
        for title, names in verbs.grouped(set(self.verbs)):
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), self.verbs[name].help_line()) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names and help lines without importing any verb; click's own way would import them all."""
        found = [
            CompletionItem(name, help=self.verbs[name].help_line())
            for name in self.list_commands(ctx)
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def _set_debug(_ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        _Debug.on = True


def _set_store(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """The environment carries it, so that stores, agents and their children all see the same URL."""
    if value:
        os.environ["SWEEP_STORE"] = value


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"sweepwright {version('sweepwright')} (Python {sys.version.split()[0]})")
    ctx.exit()


class _Debug:
    """Whether --debug was given; the context is gone by the time an error is reported."""

    on = False


def _shared_options(*, hidden: bool) -> list[click.Option]:
    return [
        click.Option(
            ["--store"],
            metavar="URL",
            expose_value=False,
            callback=_set_store,
            hidden=hidden,
            help="Store to use (default: $SWEEP_STORE, else SQLite in ~/.sweepwright).",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_set_debug,
            is_eager=True,
            hidden=hidden,
            help="Show the traceback of a failure.",
        ),
    ]


def _with_shared_options(command: click.Command) -> click.Command:
    """`--store` and `--debug` are understood after the verb too, unless it has its own."""
    taken = {name for param in command.params for name in param.opts}
    command.params.extend(option for option in _shared_options(hidden=True) if not taken.intersection(option.opts))
    return command


group = LazyGroup(
    name="sweep",
    help="Hyperparameter sweeps that you own: YAML spaces, agents on any box, full tracking.",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[
        *_shared_options(hidden=False),
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_show_version,
            help="Show the version.",
        ),
    ],
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    search_path.clean()  # again for who calls this without the console script
    _Debug.on = False
    try:
        result: Any = group.main(list(argv) if argv is not None else None, prog_name="sweep", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as leaving:  # click's shell completion, and verbs that leave by themselves
        if isinstance(leaving.code, str):
            click.echo(leaving.code, err=True)
            return FAILED
        return leaving.code or 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the named boundary of the command line
        return report(error, debug=_Debug.on)
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
