"""Print what a trial printed (-f follows it while it runs)."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import click

from sweeps.about import About
from sweeps.api.lookup import find_run, find_trial
from sweeps.cli.arguments import as_json, trial_id
from sweeps.cli.output import print_json
from sweeps.cli.stores import Stores, existing_stores
from sweeps.errors import SweepNotFound, TrialNotFound
from sweeps.states import OPEN_TRIALS
from tracking.errors import RunNotFound, StoreUnavailable
from tracking.states import RunState
from tracking.store.contract import RunRecord

_CHUNK = 1 << 20
_POLL = 0.3  # seconds between two looks for more
_RETRY = 1.0


@click.command("logs")
@trial_id
@click.option("-f", "--follow", is_flag=True, help="Go on until the trial ends.")
@click.option("-n", "--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines.")
@as_json
def command(trial: str, follow: bool, tail: int | None, as_json: bool) -> None:
    """Print what a trial printed. TRIAL is SWEEP-NUMBER (the sweep may be shortened) or the id of a plain run."""
    if follow and as_json:
        raise click.UsageError("--follow and --json exclude each other.")
    with existing_stores(trial) as stores:
        try:
            run = find_run(stores.sweeps, stores.runs, trial)
        except RunNotFound:
            if not as_json or (unstarted := _unstarted(stores, trial)) is None:
                raise
            print_json(unstarted)
            return
        if as_json:
            print_json(_json(stores, run, tail))
            return
        printer = _Printer(stores, run)
        printer.print_first(tail)
        if follow:
            printer.follow()
        elif not printer.offset:
            click.echo(_why_silent(stores, run), err=True)


def _unstarted(stores: Stores, text: str) -> dict[str, object] | None:
    """What there is to say about a trial that has no run yet; None when it is no trial."""
    try:
        _, trial = find_trial(stores.sweeps, text)
    except (SweepNotFound, TrialNotFound):
        return None
    return {"run_id": trial.run_id, "attempt": trial.attempt, "state": trial.state.value, "text": ""}


def _json(stores: Stores, run: RunRecord, tail: int | None) -> dict[str, object]:
    text = _last_lines(_read_all(stores, run.id), tail).decode("utf-8", "replace")
    return {"run_id": run.id, "attempt": run.attempt, "state": run.state.value, "text": text}


@dataclass(slots=True)
class _Printer:
    """Prints console bytes as they are; the next attempt of a trial begins anew."""

    stores: Stores
    run: RunRecord
    offset: int = 0

    def print_first(self, tail: int | None) -> None:
        if tail is None:
            self._print_new()
        else:
            data = _read_all(self.stores, self.run.id)
            self.offset = len(data)
            _write(_last_lines(data, tail))

    def follow(self) -> None:
        while True:
            try:
                ended = self._has_ended()
                self._print_new()
                if ended:
                    return
                time.sleep(_POLL)
            except StoreUnavailable as error:
                click.echo(f"store away, retrying ({error})", err=True)
                time.sleep(_RETRY)

    def _print_new(self) -> None:
        while data := self.stores.runs.console(self.run.id, self.offset, _CHUNK):
            _write(data)
            self.offset += len(data)

    def _has_ended(self) -> bool:
        """Looked at before the last print, so that nothing which came in between is missed."""
        now = self.stores.runs.run(self.run.id)
        if now.attempt != self.run.attempt:
            click.echo(f"-- attempt {now.attempt} --", err=True)
            self.offset = 0
        self.run = now
        if now.sweep_id and now.trial is not None:
            try:
                return self.stores.sweeps.trial(now.sweep_id, now.trial).state not in OPEN_TRIALS
            except TrialNotFound:  # the sweep was deleted
                return True
        return now.state is not RunState.RUNNING


def _read_all(stores: Stores, run_id: str) -> bytes:
    parts: list[bytes] = []
    while data := stores.runs.console(run_id, sum(map(len, parts)), _CHUNK):
        parts.append(data)
    return b"".join(parts)


def _last_lines(data: bytes, count: int | None) -> bytes:
    if count is None:
        return data
    return b"".join(data.splitlines(keepends=True)[-count:]) if count else b""


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _why_silent(stores: Stores, run: RunRecord) -> str:
    state = "is running and has printed nothing yet" if run.state is RunState.RUNNING else "printed nothing"
    hint = " (the output of functions goes to the terminal of their agent)" if _is_function(stores, run) else ""
    return f"{run.id} {state}{hint}"


def _is_function(stores: Stores, run: RunRecord) -> bool:
    """Whether it is a trial of a sweep that names no program."""
    if not run.sweep_id:
        return False
    try:
        spec = About.of(stores.sweeps.sweep(run.sweep_id)).spec
    except SweepNotFound:  # deleted
        return False
    return spec.program is None and spec.command is None
