"""Check a sweep.yaml: shows the space, its size and sample commands.

Writes nothing, not even the home folder.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sweeps.api.creating import program_warning
from sweeps.cli.output import console
from sweeps.errors import SpaceExhausted, SpecInvalid, SweepsError
from sweeps.searchers.contract import Observation, Searcher
from sweeps.searchers.grid import GridSearcher
from sweeps.searchers.uniform import RandomSearcher
from sweeps.space import Categorical, Parameter, Quantized
from sweeps.spec import Loaded, SweepSpec, expand, load, shell_line
from sweeps.states import TrialState
from sweeps.stoppers.factory import bands_of

_SAMPLES = 3
_BANDS = 6


@click.command("check")
@click.argument("file", metavar="SWEEP.YAML", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.pass_context
def command(ctx: click.Context, file: str, as_json: bool) -> None:
    """Check a sweep.yaml: shows the space, its size and sample commands. Writes nothing."""
    try:
        loaded = load(file)
    except SpecInvalid as error:
        if not as_json:
            raise
        click.echo(json.dumps({"valid": False, "source": error.source, "faults": _faults(error)}, indent=2))
        ctx.exit(1)
    points = _sample_points(loaded.spec)
    lines, doubts = _sample_lines(loaded.spec, points)
    warnings = [*loaded.warnings, *filter(None, [program_warning(loaded)]), *doubts]
    if as_json:
        click.echo(json.dumps(_as_json(loaded, points, lines, warnings), indent=2))
    else:
        _print(loaded, points, lines, warnings)


def _faults(error: SpecInvalid) -> list[dict[str, Any]]:
    return [
        {"where": f.where, "line": f.line, "column": f.column, "message": f.message, "hint": f.hint}
        for f in error.faults
    ]


def _sample_points(spec: SweepSpec) -> list[Mapping[str, Any]]:
    """The first points of a grid or a random search; random ones for bayes, whose own need an engine."""
    searcher: Searcher = GridSearcher(spec) if spec.method == "grid" else RandomSearcher(spec)
    points: list[Mapping[str, Any]] = []
    for number in range(_SAMPLES):
        try:
            points.append(searcher.ask(number).params)
        except SpaceExhausted:
            break
        searcher.tell([Observation(number, points[-1], TrialState.RUNNING)])
    return points


def _sample_lines(spec: SweepSpec, points: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Command lines, and why there are none."""
    if spec.program is None and spec.command is None:
        return [], []
    try:
        argvs = [
            expand(spec, point, interpreter=sys.executable, param_file="params.json", environ=os.environ)
            for point in points
        ]
    except SweepsError as error:
        return [], [str(error)]
    return [shell_line(argv) for argv in argvs], []


def _bands(spec: SweepSpec) -> tuple[list[int], bool]:
    """The first bands, and whether there are more."""
    if spec.early_terminate is None:
        return [], False
    found = bands_of(spec.early_terminate).first(_BANDS + 1)
    return found[:_BANDS], len(found) > _BANDS


def _as_json(
    loaded: Loaded, points: Sequence[Mapping[str, Any]], lines: Sequence[str], warnings: Sequence[str]
) -> dict[str, Any]:
    spec = loaded.spec
    metric = spec.metric
    return {
        "valid": True,
        "source": loaded.source,
        "method": spec.method,
        "metric": {"name": metric.name, "goal": metric.goal.value, "target": metric.target} if metric else None,
        "parameters": [
            {
                "name": parameter.name,
                "distribution": parameter.distribution.family,
                "values": parameter.distribution.extent(),
                "alternatives": _alternatives(parameter),
            }
            for parameter in spec.space
        ],
        "size": spec.space.size,
        "grid_size": spec.space.grid_size,
        "max_trials": spec.max_trials,
        "seed": spec.document.get("seed"),
        "bands": _bands(spec)[0],
        "samples": [dict(point) for point in points],
        "commands": list(lines),
        "warnings": list(warnings),
    }


def _alternatives(parameter: Parameter) -> int | None:
    grid = parameter.distribution.grid()
    return None if grid is None else len(grid)


def _print(loaded: Loaded, points: Sequence[Mapping[str, Any]], lines: Sequence[str], warnings: Sequence[str]) -> None:
    out, spec = console(), loaded.spec
    for warning in warnings:
        click.echo(f"{click.style('warning:', fg='yellow')} {warning}", err=True)
    out.print(Text.assemble((loaded.source, "bold"), " is valid: ", _headline(spec)))
    out.print(_table(spec))
    for line in _facts(spec):
        out.print(Text(line))
    if lines:
        out.print(Text("\nSample commands:", "bold"))
        for line in lines:
            click.echo(f"  {line}")  # unwrapped, to be pasted
    elif points:
        out.print(Text("\nSample points:", "bold"))
        for point in points:
            click.echo(f"  {json.dumps(spec.space.nest(point), ensure_ascii=False)}")


def _headline(spec: SweepSpec) -> str:
    count = len(spec.space)
    parts = [f"{spec.method} over {count} parameter{'s' if count != 1 else ''}"]
    if spec.metric:
        parts.append(f"{spec.metric.goal} {spec.metric.name}")
    if spec.max_trials is not None:
        parts.append(f"at most {_grouped(spec.max_trials)} trial{'s' if spec.max_trials != 1 else ''}")
    return ", ".join(parts)


def _table(spec: SweepSpec) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for title in ("parameter", "distribution", "values"):
        table.add_column(title, overflow="fold")
    table.add_column("on a grid", justify="right", no_wrap=True)
    for parameter in spec.space:
        distribution = parameter.distribution
        table.add_row(*map(Text, (parameter.name, distribution.family, distribution.extent(), _on_grid(parameter))))
    return table


def _on_grid(parameter: Parameter) -> str:
    """How many alternatives a grid has, or why it has none."""
    alternatives = _alternatives(parameter)
    if alternatives is not None:
        return _grouped(alternatives)
    if isinstance(parameter.distribution, Categorical):
        return "weighted"
    return "non-uniform" if isinstance(parameter.distribution, Quantized) else "continuous"


def _facts(spec: SweepSpec) -> list[str]:
    facts: list[str] = []
    if spec.space.grid_size is not None:
        facts.append(f"Grid size: {_grouped(spec.space.grid_size)} points")
    elif spec.method != "grid" and spec.space.size is not None:
        facts.append(f"Space: {_grouped(spec.space.size)} points")
    bands, more = _bands(spec)
    if bands:
        facts.append(f"Early stopping: judged after {', '.join(map(str, bands))}{', …' if more else ''} logged values")
    if spec.metric and spec.metric.target is not None:
        facts.append(f"Ends when {spec.metric.name} reaches {spec.metric.target:g}")
    return facts


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
