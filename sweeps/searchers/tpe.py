"""Optuna's TPE on an in-memory study that is filled by hand for each suggestion. The one file that imports optuna."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Container, Sequence

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import NopPruner
from optuna.samplers import TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from sweeps.searchers.axes import Axis, Coordinates, Scale
from sweeps.searchers.experience import Experience
from sweeps.states import TrialState

_STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
}
_LONG_AGO = datetime.datetime(2000, 1, 1)  # Optuna wants times; a real one would make suggestions depend on the clock


class Tpe:
    """Multivariate TPE that keeps away from running trials: the defaults of Optuna 5."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._space = {axis.name: _distribution(axis) for axis in axes}
        self._storage = _History()

    def propose(self, number: int, experiences: Sequence[Experience], seed: int) -> Coordinates:
        """See `Engine.propose`."""
        self._storage.trials = [self._trial(experience) for experience in experiences]
        sampler = TPESampler(seed=seed, n_startup_trials=0)
        study = Study(_History.NAME, self._storage, sampler=sampler, pruner=NopPruner())
        asked = _frozen(number, OptunaState.RUNNING, None, {}, {}, {})
        found = sampler.sample_relative(study, asked, self._space)
        return {name: float(coordinate) for name, coordinate in found.items()}

    def _trial(self, experience: Experience) -> FrozenTrial:
        # Without any reported value a pruned trial is the worst of all for TPE, which is what a failed one should be.
        rungs = {experience.length: experience.loss} if experience.loss is not None else {}
        value = experience.loss if experience.state is TrialState.COMPLETE else None
        return _frozen(experience.number, _STATES[experience.state], value, experience.at, self._space, rungs)


class _History(InMemoryStorage):
    """A storage of one study whose trials are what `trials` says."""

    NAME = "sweep"

    def __init__(self) -> None:
        super().__init__()
        logging.getLogger("optuna.storages").setLevel(logging.WARNING)  # it announces every study
        self.create_new_study([StudyDirection.MINIMIZE], self.NAME)
        self.trials: list[FrozenTrial] = []

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[OptunaState] | None = None
    ) -> list[FrozenTrial]:
        return [trial for trial in self.trials if states is None or trial.state in states]

    def set_trial_system_attr(self, trial_id: int, key: str, value: object) -> None:
        """The sampler notes here what it proposed; nobody reads it."""


def _distribution(axis: Axis) -> BaseDistribution:
    if axis.scale is Scale.CATEGORY:
        return CategoricalDistribution([float(position) for position in range(int(axis.high) + 1)])
    if axis.scale is Scale.INTEGER:
        return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return FloatDistribution(float(axis.low), float(axis.high), log=axis.log)


def _frozen(
    number: int,
    state: OptunaState,
    value: float | None,
    params: Coordinates,
    space: dict[str, BaseDistribution],
    rungs: dict[int, float],
) -> FrozenTrial:
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=state,
        value=value,
        datetime_start=_LONG_AGO,
        datetime_complete=None if state is OptunaState.RUNNING else _LONG_AGO,
        params=dict(params),
        distributions=space,
        user_attrs={},
        system_attrs={},
        intermediate_values=rungs,
    )
