"""The glue between store and controller: makes trials ahead of need while it holds the role of the suggester."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from sweeps.control.controller import Batch, Controller
from sweeps.errors import LeaseLost
from sweeps.records import SweepRecord
from sweeps.spec.model import SweepSpec
from sweeps.states import SweepState, TrialState
from sweeps.store.contract import SweepStore
from tracking.errors import IllegalMove

TTL = 30.0
"""Seconds for which the role is taken: far longer than suggestions take, short enough when a suggester dies."""


class Suggester:
    """Fills one sweep with waiting trials. It keeps its controller between calls and tells it only what has changed."""

    def __init__(self, store: SweepStore, sweep_id: str, owner: str, ttl: float = TTL) -> None:
        self._store, self._sweep_id, self._owner, self._ttl = store, sweep_id, owner, ttl
        self._document: Mapping[str, object] | None = None
        self._controller: Controller | None = None

    @property
    def lookahead(self) -> int | None:
        """How many suggestions the search makes ahead of need without loss; None before the first was made here."""
        return self._controller.lookahead if self._controller is not None else None

    def fill(self, need: int, welcome: int = 0) -> int:
        """See to it that at least `need` trials wait; how many wait now, made by this call or found.

        `welcome` trials (default: `need`) would be run at once too, but only a search that loses nothing by looking
        ahead makes more than `need`: the others learn from the ends that are still to come.

        0 when nothing can be claimed: another has the role (try again soon), the sweep is not RUNNING, or no further
        suggestion comes, in which case the sweep was marked as exhausted and settled.
        Raises SweepNotFound, StoreUnavailable.
        """
        if self._store.sweep(self._sweep_id).exhausted:
            return self._waiting()
        if not self._store.acquire_suggesting(self._sweep_id, self._owner, self._ttl):
            return 0
        try:
            return self._fill(need, max(need, welcome))
        except LeaseLost:
            self._forget()
            return 0
        finally:
            self._store.release_suggesting(self._sweep_id, self._owner)

    def settle(self) -> SweepRecord:
        """End the sweep if its budget is spent or its space is used up and no trial is open; the sweep as it is then.

        Raises SweepNotFound, StoreUnavailable.
        """
        sweep = self._store.sweep(self._sweep_id)
        spent = sweep.state is SweepState.RUNNING and not sweep.exhausted and _may_be_spent(sweep)
        if spent and self._store.acquire_suggesting(self._sweep_id, self._owner, self._ttl):
            try:
                self._note_end()
            finally:
                self._store.release_suggesting(self._sweep_id, self._owner)
        return self._store.settle(self._sweep_id)

    def _note_end(self) -> None:
        """Ask for one more; a search that has none says why, what it suggests else is not kept."""
        batch = self._up_to_date(self._store.sweep(self._sweep_id)).suggest(1)
        self._forget()
        if batch.exhausted and not batch.suggestions:
            self._end(batch)

    def _fill(self, need: int, welcome: int) -> int:
        sweep = self._store.sweep(self._sweep_id)
        waiting = self._waiting()  # another may have filled it since the caller found nothing
        if waiting >= welcome or sweep.exhausted:
            return waiting
        controller = self._up_to_date(sweep)
        wanted = welcome if controller.lookahead > 1 else need
        if waiting >= wanted:
            return waiting
        batch = controller.suggest(self._count(controller, wanted - waiting))
        if batch.suggestions:
            self._add(batch)
        if batch.exhausted:
            self._end(batch)
        return waiting + len(batch.suggestions)

    def _waiting(self) -> int:
        return self._store.counts(self._sweep_id).get(TrialState.WAITING, 0)

    def _count(self, controller: Controller, missing: int) -> int:
        """Ahead of need, but never more than there are trials already: a short sweep leaves few that nobody runs."""
        return max(missing, min(controller.lookahead, controller.next_number))

    def _up_to_date(self, sweep: SweepRecord) -> Controller:
        if self._controller is None or sweep.document != self._document:
            self._controller = Controller(SweepSpec.from_document(sweep.document))
            self._document = sweep.document
        known = self._controller
        known.tell(self._store.changes(self._sweep_id, known.next_number, known.seen))
        return known

    def _add(self, batch: Batch) -> None:
        try:
            self._store.add_trials(self._sweep_id, self._owner, batch.first_number, batch.seen, batch.suggestions)
        except BaseException:
            self._forget()  # the controller counts them as made
            raise

    def _end(self, batch: Batch) -> None:
        self._store.set_exhausted(self._sweep_id, batch.exhausted)
        if batch.target_reached:  # what waits would only be run for nothing
            with contextlib.suppress(IllegalMove):  # somebody has ended it meanwhile
                self._store.move_sweep(self._sweep_id, SweepState.STOPPING, batch.exhausted)
        self._store.settle(self._sweep_id)

    def _forget(self) -> None:
        self._controller = None
        self._document = None


def _may_be_spent(sweep: SweepRecord) -> bool:
    """Whether as many trials were made as budget or space have: then only the search can say that none follows."""
    spec = SweepSpec.from_document(sweep.document)
    limits = [limit for limit in (spec.max_trials, spec.space.size) if limit is not None]
    return bool(limits) and sweep.next_number >= min(limits)
