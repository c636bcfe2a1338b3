"""Make every suggestion of a sweep again and report whether all are the same.

A suggestion is a function of (specification, seed, number, what had ended by then); the store keeps all four.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from sweeps.cli.arguments import as_json, sweep_id
from sweeps.cli.output import print_json
from sweeps.cli.stores import existing_stores
from sweeps.control.replaying import Replayed, replay
from sweeps.records import Params, SweepRecord
from sweeps.space import identity
from sweeps.spec.model import SweepSpec

_SHOWN = 10


@click.command("replay")
@sweep_id
@as_json
def command(sweep_id: str, as_json: bool) -> int:
    """Make every suggestion of a sweep again and report whether all are the same.

    Exit status 1 when one differs: the specification was changed since, or another version of Optuna is installed.
    """
    with existing_stores(sweep_id) as stores:
        record = stores.sweeps.find_sweep(sweep_id)
        trials = stores.sweeps.trials(record.id)
    replayed = list(replay(SweepSpec.from_document(record.document), trials))
    different = [one for one in replayed if not one.equal]
    if as_json:
        print_json(_json(record, replayed))
    else:
        _report(record, len(replayed), different)
    return 1 if different else 0


def _report(record: SweepRecord, count: int, different: Sequence[Replayed]) -> None:
    if not different:
        click.echo(f"{record.id}: {count} of {count} suggestions made again, all equal")
        return
    click.echo(f"{record.id}: {len(different)} of {count} suggestions differ")
    for one in different[:_SHOWN]:
        click.echo(f"  trial {one.number} ({one.seen} ended before): {_differences(one)}")
    if len(different) > _SHOWN:
        click.echo(f"  … and {len(different) - _SHOWN} more: --json")


def _differences(one: Replayed) -> str:
    if one.again is None:
        return "there is no further suggestion"
    again: Params = one.again
    names = [name for name in {**one.made, **again} if identity(one.made.get(name)) != identity(again.get(name))]
    return ", ".join(f"{name} {one.made.get(name)!r} -> {again.get(name)!r}" for name in names)


def _json(record: SweepRecord, replayed: Sequence[Replayed]) -> dict[str, object]:
    different = [
        {"number": one.number, "seen": one.seen, "made": one.made, "again": one.again}
        for one in replayed
        if not one.equal
    ]
    return {"sweep": record.id, "suggestions": len(replayed), "equal": not different, "different": different}
