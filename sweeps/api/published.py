"""Sweeps as `tracking.Api` shows them: their runs, the best one, and everything by which a sweep is steered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeps.about import About
from sweeps.api import steering
from sweeps.control.ranking import rank
from sweeps.errors import BudgetTooSmall
from sweeps.records import SweepRecord
from sweeps.spec import SweepSpec
from sweeps.states import SweepState
from sweeps.store import open_store
from sweeps.store.contract import SweepStore
from tracking.errors import UsageError
from tracking.public.api import Api
from tracking.public.contract import Query
from tracking.public.filtering.parsing import parse_order
from tracking.public.published import PublishedSweeps
from tracking.public.run import Run
from tracking.public.run_files import iso
from tracking.public.runs import Runs

_EDITABLE = ("run_cap", "trials")


class Floor(PublishedSweeps):
    """The sweeps of the store that an Api reads."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._opened: SweepStore | None = None

    @property
    def store(self) -> SweepStore:
        if self._opened is None:
            self._opened = open_store(self._api.session.url)
        return self._opened

    def sweep(self, path: str) -> Sweep:
        return Sweep(self._api, self.store, self.store.find_sweep(path))

    def sweeps(self, project: str | None) -> list[Sweep]:
        return [Sweep(self._api, self.store, record) for record in self.store.sweeps(project=project)]

    def stop_trial(self, sweep_id: str, number: int, reason: str) -> bool:
        return self.store.request_stop(sweep_id, number, reason)


class Sweep:
    """One sweep, as it was when it was read; `load()` reads it again. Every call may raise SweepNotFound."""

    def __init__(self, api: Api, store: SweepStore, record: SweepRecord) -> None:
        self._api, self._store, self._record = api, store, record

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def name(self) -> str:
        """Its name, or its id when it has none."""
        return self._record.name or self._record.id

    @property
    def project(self) -> str:
        return self._record.project

    @property
    def entity(self) -> str:
        return self._record.entity

    @property
    def path(self) -> list[str]:
        return [part for part in (self.entity, self.project, self.id) if part]

    @property
    def state(self) -> str:
        """ "running", "paused", "stopping", "canceling", "finished" or "canceled"."""
        return self._record.state.value

    @property
    def reason(self) -> str:
        """Why it is in this state, for people."""
        return self._record.reason

    @property
    def config(self) -> dict[str, Any]:
        """The checked specification."""
        return dict(self._record.document)

    @property
    def created_at(self) -> str:
        """ISO text in UTC."""
        return iso(self._record.created_at)

    @property
    def url(self) -> None:
        """None: no web page shows it."""
        return None

    @property
    def order(self) -> str | None:
        """How its runs are ordered from best to worst, None when the sweep has no metric."""
        about = About.of(self._record)
        if not about.metric:
            return None
        return f"{'-' if about.goal == 'maximize' else '+'}summary_metrics.{about.metric}"

    @property
    def expected_run_count(self) -> int | None:
        """How many trials it will have in all, None when it has no end of its own."""
        return About.of(self._record).budget

    @property
    def runs(self) -> Runs:
        """The runs of its trials, oldest first."""
        return Runs(self._api, Query(sweep_id=self.id))

    def best_run(self, order: str | None = None) -> Run | None:
        """The run of the best trial, or the first one in an order of yours; None when there is none."""
        if order is not None:
            found = Runs(self._api, Query(sweep_id=self.id, order=parse_order(order)))[:1]
            return found[0] if found else None
        ranked = rank(self._store.trials(self.id), About.of(self._record).goal)
        rows = self._api.session.queries.load([ranked[0].run_id]) if ranked else []
        return Run(self._api, rows[0]) if rows else None

    def load(self, force: bool = False) -> Sweep:
        """Read it again; returns itself."""
        self._record = self._store.sweep(self.id)
        return self

    def __repr__(self) -> str:
        return f"<Sweep {'/'.join(self.path)} ({self.state})>"

    # -- steering -------------------------------------------------------------------------------

    def pause(self) -> None:
        """No new trials; running ones go on. Raises IllegalMove."""
        self._record = steering.pause(self._store, self.id)

    def resume(self, trials: int | None = None) -> None:
        """Go on after a pause; after its end only with a larger budget of `trials` in all.

        Raises BudgetTooSmall, NothingToRun, IllegalMove.
        """
        self._record = steering.resume(self._store, self.id, trials)

    def stop(self) -> None:
        """No new trials; running ones finish. Raises IllegalMove."""
        self._record = steering.stop(self._store, self.id)

    def cancel(self) -> None:
        """No new trials; running ones are ended. Raises IllegalMove."""
        self._record = steering.cancel(self._store, self.id)

    def delete(self) -> None:
        """Delete it with its trials, their runs and their folders here. Raises IllegalMove while trials run."""
        session = self._api.session
        steering.delete(self._store, session.store, self.id, session.home)

    def edit(self, changes: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Change the budget: `edit(run_cap=40)`. What a suggestion follows from cannot change under a sweep.

        Raises UsageError for anything else, BudgetTooSmall for fewer trials than were suggested.
        """
        given = {**(changes or {}), **more}
        unknown = [key for key in given if key not in _EDITABLE]
        if unknown or not given:
            what = f"{unknown[0]!r} cannot be edited" if unknown else "nothing to edit"
            raise UsageError(
                f"sweep {self.id}: {what}; run_cap can. Suggestions follow from the rest: create another sweep for it"
            )
        self._set_budget(given.get("run_cap", given.get("trials")))

    def _set_budget(self, trials: Any) -> None:
        if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
            raise UsageError(f"sweep {self.id}: run_cap={trials!r} must be a whole number of at least 1")
        record = self._store.sweep(self.id)
        if record.state in (SweepState.FINISHED, SweepState.CANCELED):
            raise UsageError(f"sweep {self.id} is {record.state.value}: resume(trials={trials}) lets it go on")
        if trials < record.next_number:
            raise BudgetTooSmall(
                f"sweep {self.id} has suggested {record.next_number} trials already, so its budget cannot be {trials}"
            )
        changed = steering.with_budget(record.document, trials)
        SweepSpec.from_document(changed)  # what nobody could read again must not get into the store
        self._record = self._store.replace_document(self.id, changed)
