"""The Python API: create sweeps, run them, steer them, read them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.about import About
from sweeps.api import steering
from sweeps.api.asking import asker_of
from sweeps.api.creating import Labels, create_sweep
from sweeps.api.running import find_runner
from sweeps.api.told import Told, understand
from sweeps.api.trial import Trial, trial_of
from sweeps.control.ranking import rank
from sweeps.records import SweepRecord
from sweeps.spec import SweepSpec, load
from sweeps.states import SweepState
from sweeps.store import open_store as open_sweep_store
from sweeps.store.contract import SweepStore
from tracking.errors import UsageError
from tracking.home import Home
from tracking.store import open_store as open_run_store
from tracking.store.contract import RunStore

if TYPE_CHECKING:
    import pandas

Config = str | Path | Mapping[str, Any]
Train = Callable[[], Any]


def create(config: Config, *, project: str | None = None, entity: str | None = None, name: str | None = None) -> Sweep:
    """Create a sweep from a mapping or the path of a YAML file, in the store of `$SWEEP_STORE` (default: the home's).

    `project`, `entity` and `name` win over what the config says. Nothing runs yet.
    Raises SpecInvalid with every fault of the config, StoreUnavailable, HomeUnwritable.
    """
    loaded = load(config)
    for warning in loaded.warnings:
        warnings.warn(warning, UserWarning, stacklevel=2)
    store = open_sweep_store()
    record = create_sweep(store, loaded, Labels(project, entity, name))
    return Sweep(record.id, store=store)


def sweep(config: Config, entity: str | None = None, project: str | None = None) -> str:
    """W&B's spelling of `create`: the same, and returns the id."""
    return create(config, project=project, entity=entity).id


def get(sweep_id: str) -> Sweep:
    """The sweep with this id, unique beginning of an id, or `entity/project/id`. Raises SweepNotFound, AmbiguousId."""
    store = open_sweep_store()
    return Sweep(store.find_sweep(sweep_id).id, store=store)


def agent(
    sweep_id: str,
    function: Train | None = None,
    entity: str | None = None,
    project: str | None = None,
    count: int | None = None,
    *,
    slots: int = 1,
) -> None:
    """Run trials of a sweep in this process until it is over or `count` trials (default: no limit) have ended.

    `function` is called once per trial, without arguments; inside it `tracking.init()` gives the run and
    `tracking.config` the parameters. An exception that it raises fails that trial only. Without a function the sweep's
    program is run. `slots` trials run at a time (default 1). `entity` and `project` are accepted for W&B's sake.
    Raises SweepNotFound, AmbiguousId, NoRunner.
    """
    get(sweep_id).run(function, trials=count, slots=slots)


class Sweep:
    """One sweep in the store. Cheap to make: every property and method reads the store when it is called.

    Every call may raise SweepNotFound (it was deleted) and StoreUnavailable.
    """

    def __init__(self, sweep_id: str, *, store: SweepStore | None = None) -> None:
        self.id = sweep_id
        """The whole id."""
        self._opened = store
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"Sweep({self.id!r})"

    # -- looking --------------------------------------------------------------------------------

    @property
    def spec(self) -> SweepSpec:
        """The checked specification."""
        return self._about.spec

    @property
    def state(self) -> SweepState:
        """A string as well: `sweep.state == "running"`."""
        return self._record.state

    @property
    def name(self) -> str:
        """Its name, "" when it has none."""
        return self._record.name

    @property
    def project(self) -> str:
        """The project of its runs."""
        return self._record.project

    @property
    def reason(self) -> str:
        """Why it is in this state, for people."""
        return self._record.reason

    def trials(self) -> list[Trial]:
        """All trials in the order of their numbers."""
        space = self.spec.space
        return [trial_of(record, space) for record in self._store.trials(self.id)]

    def best(self) -> Trial | None:
        """The best complete trial; a pruned one when no trial is complete; None when no trial has a value."""
        about = self._about
        ranked = rank(self._store.trials(self.id), about.goal)
        return trial_of(ranked[0], about.spec.space) if ranked else None

    def to_pandas(self) -> pandas.DataFrame:
        """One row per trial: number, state, value, duration, run_id, reason, and `params.NAME` for each parameter.

        Raises ImportError with the line that installs pandas when it is not there.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas: pip install 'sweepwright[pandas]'") from error
        records = self._store.trials(self.id)
        space = self.spec.space
        rows = [
            {
                **{name: getattr(trial, name) for name in ("number", "value", "duration", "run_id", "reason")},
                "state": trial.state.value,
                **{f"params.{name}": value for name, value in record.params.items()},
            }
            for record, trial in ((record, trial_of(record, space)) for record in records)
        ]
        fixed = ["number", "state", "value", "duration", "run_id", "reason"]
        frame = pandas.DataFrame(rows, columns=[*fixed, *(f"params.{name}" for name in space.names)])
        return frame.astype({"value": "float64", "duration": "float64"})

    # -- running --------------------------------------------------------------------------------

    def run(self, train: Train | None = None, trials: int | None = None, slots: int = 1) -> Sweep:
        """Run trials here until the sweep is over or `trials` of them (default: no limit) have ended; returns itself.

        `train` is called once per trial, see `sweeps.agent`; without it the sweep's program is run.
        Raises UsageError for a `trials` or `slots` below 1, NoRunner.
        """
        for what, count in (("trials", trials), ("slots", slots)):
            if count is not None and count < 1:
                raise UsageError(f"{what} must be at least 1, not {count}")
        find_runner()(self.id, function=train, count=trials, slots=slots)
        return self

    def ask(self) -> Trial:
        """Take the next trial, for a loop of your own. It is yours while this process lives; then `tell` its end.

        A process that ends without telling hands the trial back; a killed one loses it after a minute.
        Raises NothingToRun when the sweep is over, paused, or has nothing left to try.
        """
        return trial_of(asker_of(self.id).ask(), self.spec.space)

    def tell(self, trial: Trial | int, value: Told = None, *, state: str | None = None, reason: str = "") -> None:
        """End a trial that `ask` gave.

        `value` is the metric, or a list with its curve, or a mapping of metric names to numbers or lists; they become
        the history of the trial's run. `state` is "complete" (default), "pruned", "failed" or "canceled"; only a
        complete one needs a value. Raises UsageError, and LeaseLost when the trial is no longer this process's.
        """
        telling = understand(value, state, self.spec.metric)
        telling.reason = reason or telling.reason
        asker_of(self.id).tell(trial if isinstance(trial, int) else trial.number, telling)

    # -- steering -------------------------------------------------------------------------------

    def pause(self) -> None:
        """No new trials; running ones go on. Raises IllegalMove."""
        steering.pause(self._store, self.id)

    def resume(self, trials: int | None = None) -> None:
        """Go on after a pause; a finished sweep goes on only with a budget of `trials` trials in all that is larger.

        Raises BudgetTooSmall, IllegalMove.
        """
        steering.resume(self._store, self.id, trials)

    def stop(self) -> None:
        """No new trials; running ones finish, then the sweep is finished. Raises IllegalMove."""
        steering.stop(self._store, self.id)

    def cancel(self) -> None:
        """No new trials; running ones are ended. Raises IllegalMove."""
        steering.cancel(self._store, self.id)

    def delete(self) -> None:
        """Delete the sweep, the runs of its trials and their folders here. Raises IllegalMove while trials run."""
        steering.delete(self._store, self._runs, self.id, Home.find())

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _record(self) -> SweepRecord:
        return self._store.sweep(self.id)

    @property
    def _about(self) -> About:
        return About.of(self._record)

    @property
    def _store(self) -> SweepStore:
        self._forget_after_fork()
        if self._opened is None:
            self._opened = open_sweep_store()
        return self._opened

    @cached_property
    def _opened_runs(self) -> RunStore:
        return open_run_store()

    @property
    def _runs(self) -> RunStore:
        self._forget_after_fork()
        return self._opened_runs

    def _forget_after_fork(self) -> None:
        """Connections do not survive a fork, and the parent's leases are not the child's."""
        if self._pid == os.getpid():
            return
        self._pid, self._opened = os.getpid(), None
        self.__dict__.pop("_opened_runs", None)
