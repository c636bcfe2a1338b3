"""Print the best trial, or the command line that repeats it."""

from __future__ import annotations

import click
from rich.console import Group
from rich.text import Text

from sweeps.about import About
from sweeps.api.repeating import repeat_line
from sweeps.cli.arguments import sweep_id
from sweeps.cli.output import console, print_json
from sweeps.cli.stores import existing_stores
from sweeps.control.ranking import rank
from sweeps.errors import TrialNotFound
from sweeps.records import SweepRecord, TrialRecord
from sweeps.states import OPEN_TRIALS, TrialState
from sweeps.views.json_forms import plain, trial_json
from sweeps.views.summary import parameter_grid
from sweeps.views.wording import clean, number


@click.command("best")
@sweep_id
@click.option("--yaml", "form", flag_value="yaml", help="The parameters as YAML, nested as the run sees them.")
@click.option("--json", "form", flag_value="json", help="The trial as JSON; null while there is none.")
@click.option("--command", "form", flag_value="command", help="The command line that repeats it, nothing else.")
def command(sweep_id: str, form: str | None) -> None:
    """Print the best trial, or the command line that repeats it."""
    with existing_stores(sweep_id) as stores:
        record = stores.sweeps.find_sweep(sweep_id)
        trials = stores.sweeps.trials(record.id)
    about = About.of(record)
    ranked = rank(trials, about.goal)
    if not ranked and form == "json":
        print_json(None)
        return
    if not ranked:
        raise TrialNotFound(_why_none(record, about, trials))
    if form == "json":
        nested = {"config": about.spec.space.nest(ranked[0].params), "command": repeat_line(record, about, ranked[0])}
        print_json({**trial_json(ranked[0]), "metric": about.metric, "goal": about.goal, **nested})
    elif form == "yaml":
        click.echo(_yaml(about.spec.space.nest(ranked[0].params)), nl=False)
    elif form == "command":
        click.echo(_command(record, about, ranked[0]))
    else:
        _print(record, about, ranked[0])


def _print(record: SweepRecord, about: About, best: TrialRecord) -> None:
    head = Text.assemble((f"{clean(about.metric)} = ", ""), (number(best.value), "bold green"))
    head.append(f"   trial {best.number} of sweep {record.id}", "bright_black")
    if best.state is TrialState.PRUNED:
        head.append("  (stopped early; no trial is complete)", "yellow")
    out = console()
    out.print(Group(head, parameter_grid(best.params)))
    line = repeat_line(record, about, best)
    if line:
        out.print(Text("Repeat it:", "bold"))
        click.echo(f"  {line}")


def _yaml(params: dict[str, object]) -> str:
    import yaml

    return str(yaml.safe_dump(plain(params), sort_keys=False, allow_unicode=True))


def _command(record: SweepRecord, about: About, best: TrialRecord) -> str:
    line = repeat_line(record, about, best)
    if not line:
        raise click.ClickException(
            "the sweep names no program, so there is no command line; --yaml prints the parameters"
        )
    return line


def _why_none(record: SweepRecord, about: About, trials: list[TrialRecord]) -> str:
    if not about.metric:
        return f"sweep {record.id} has no metric, so no trial is the best"
    ended = sum(trial.state not in OPEN_TRIALS for trial in trials)
    if not ended:
        return f"sweep {record.id} has no best trial yet: no trial has ended"
    have = "trial has" if ended == 1 else "trials have"
    return f"sweep {record.id} has no best trial: {ended} {have} ended, none with a finite value of {about.metric!r}"
