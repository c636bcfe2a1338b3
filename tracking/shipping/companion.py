"""The companion of a run: ships its journals, watches the machine, sends alerts; what fails of these stops no other."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import tracking.store
from tracking.blobs.adopting import FOLDER, adopt
from tracking.blobs.store import Blobs
from tracking.errors import StoreError, StoreUnavailable
from tracking.home import Home, console_path
from tracking.journal.parts import SYSTEM, journals_in, parts_of
from tracking.live.capturing.ending import await_output
from tracking.shipping.child import DONE, READY, Companionship
from tracking.shipping.company import Parts, abandoned, is_complete, open_shipper, ship_to_end
from tracking.shipping.duty import Duty
from tracking.shipping.loop import FIRST_BACKOFF_S, MAX_BACKOFF_S, PATIENCE_S, Outcome, Shipping, write_log
from tracking.shipping.writers import LockedWriter, ParentWriter
from tracking.store.contract import RunBatch, RunEnd, RunStore

if TYPE_CHECKING:
    from tracking.alerts.sending import Sender
    from tracking.shipping.journal_shipper import JournalShipper
    from tracking.shipping.machine_watch import MachineWatch

FIRST_SAMPLE_S = 0.1
ALERT_PATIENCE_S = 120.0
"""How long the end waits for alerts that are on their way; what is not sent then stays in the store."""

T = TypeVar("T")


class Companion:
    """Accompanies one attempt of a run, or one part of it, until all of it is in the store.

    The training process waits a moment for the answer, so its own journal comes first; the rest follows after it.
    """

    def __init__(self, options: Companionship, writer: ParentWriter | LockedWriter) -> None:
        self._options, self._writer = options, writer
        self._duty = Duty(options.run_dir, options.attempt, options.part)
        self._watch: MachineWatch | None = None
        self._sender: Sender | None = None
        self._store: RunStore | None = None
        self._patience = Patience(writer)
        self.problem = ""
        """What the user should read, "" while all is well."""

    def run(self) -> Outcome:
        """Accompany the run to its end. Raises TrackingError for a store that can never be used."""
        if self._options.online:
            self._duty.take()
        if not self._options.part and isinstance(self._writer, ParentWriter):
            self._start_watch(self._writer)
        try:
            return self._ship() if self._options.online else self._wait()
        finally:
            self._close_watch(None)
            if self._store is not None:
                with contextlib.suppress(StoreError):
                    self._store.close()
            self._duty.leave()

    # -- the machine ----------------------------------------------------------------------------

    def _start_watch(self, writer: ParentWriter) -> None:
        from tracking.shipping.machine_watch import MachineWatch  # parts of shared runs need nothing of it

        options = self._options
        pid = 0 if writer.has_ended else writer.pid
        blobs = blobs_of(options.run_dir, online=options.online)
        self._watch = MachineWatch(options.run_dir, options.run_id, options.attempt, pid, blobs, write_log)
        self._watch.start()
        if self._options.online:
            self._watch.await_sample(FIRST_SAMPLE_S)  # loading the database would hold it up for half a second

    def _close_watch(self, end: RunEnd | None) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close(end)

    def _wait(self) -> Outcome:
        """Offline: nothing is shipped."""
        self._writer.answer(READY)
        while not self._writer.has_ended:
            self._writer.wait(1.0)
        self._writer.answer(DONE)
        return Outcome.SHIPPED

    # -- the journals ---------------------------------------------------------------------------

    def _ship(self) -> Outcome:
        options = self._options
        opened = self._patience.keep(self._open)
        if opened is None:
            return Outcome.GAVE_UP
        store, shipper = opened
        self._store = store
        self._writer.answer(READY)
        if shipper.offset:
            self._look_for_alerts()  # those that an earlier companion left behind
        names = [] if options.part else [SYSTEM]
        parts = Parts(store, options.run_dir, options.run_id, options.attempt, names)
        outcome = Shipping(
            shipper,
            store,
            self._writer,
            company=parts,
            settle=self._await_output,
            before=self._adopt,
            after=self._after,
        ).run()
        self.problem = self._problem_of(outcome, shipper)
        if outcome is not Outcome.GAVE_UP:
            self._writer.answer(f"{self.problem}\n".encode() if self.problem else DONE)
            self._follow_up(store, shipper, parts)
        return outcome

    def _open(self) -> tuple[RunStore, JournalShipper]:
        """The store, with what earlier attempts left behind shipped, and a shipper that goes on where it is."""
        options = self._options
        if self._store is None:
            self._store = tracking.store.open_store()  # here the database is loaded, so that no offline run does
        if options.attempt > 1 and not options.part:
            catch_up(self._store, options.run_dir, options.run_id, options.attempt)
        return self._store, open_shipper(self._store, options.run_dir, options.run_id, options.attempt, options.part)

    def _follow_up(self, store: RunStore, shipper: JournalShipper, parts: Parts) -> None:
        """What nobody waits for: the last of the machine, parts that were left behind, alerts."""
        options = self._options
        self._close_watch(shipper.ended)

        def finish() -> bool:
            ship_to_end(parts.shippers(), store, self._adopt, self._after)
            names = [] if options.part else parts_of(options.run_dir, options.attempt)
            for name in abandoned(options.run_dir, options.attempt, [name for name in names if name != SYSTEM]):
                late = open_shipper(store, options.run_dir, options.run_id, options.attempt, name)
                ship_to_end([late], store, self._adopt, self._after)
            return True

        self._patience.keep(finish)
        if self._sender is not None and not self._sender.close(ALERT_PATIENCE_S):
            write_log("some alerts could not be sent in time; they stay in the store")

    def _await_output(self) -> None:
        """A process that was killed may have printed what has not reached the console file yet."""
        await_output(console_path(self._options.run_dir, self._options.attempt))

    def _problem_of(self, outcome: Outcome, shipper: JournalShipper) -> str:
        run_id, attempt = self._options.run_id, self._options.attempt
        if outcome is Outcome.STALE:
            return f"run {run_id}: a newer attempt owns the run, so attempt {attempt} is not recorded any further"
        if outcome is Outcome.UNREADABLE and not shipper.problem:
            return f"run {run_id}: the journal of attempt {attempt} is missing or empty"
        if shipper.problem and not shipper.is_damaged:
            write_log(shipper.problem)  # a torn last record: what any sudden end leaves is no news for the user
            return ""
        return shipper.problem

    # -- what batches bring ---------------------------------------------------------------------

    def _adopt(self, batch: RunBatch) -> None:
        """Files of a run with a folder of its own must be where the store says, before it says so."""
        folder = self._options.run_dir / FOLDER
        if (batch.files or batch.artifacts) and folder.is_dir():
            for problem in adopt(self._options.run_dir, Blobs(Home.find().files), verify=False).problems:
                write_log(problem)

    def _after(self, batch: RunBatch) -> None:
        if batch.alerts:
            self._look_for_alerts()

    def _look_for_alerts(self) -> None:
        if self._sender is None and self._store is not None:
            from tracking.alerts.sending import Sender  # most runs raise no alert

            self._sender = Sender(self._store, write_log)
        if self._sender is not None:
            self._sender.look(self._options.run_id)


def blobs_of(run_dir: Path, *, online: bool) -> Blobs:
    """Where the files of a run go: into the home, or with a run that may be carried elsewhere into its own folder."""
    home = Home.find()
    return Blobs(home.files if online and run_dir.parent == home.runs else run_dir / FOLDER)


class Patience:
    """Tries again while the store is away: as long as the run goes on, and PATIENCE_S after its end."""

    def __init__(self, writer: ParentWriter | LockedWriter) -> None:
        self._writer = writer
        self._ended_at: float | None = None

    def keep(self, act: Callable[[], T]) -> T | None:
        """What `act` returns; None when the store stayed away for too long."""
        backoff = FIRST_BACKOFF_S
        while True:
            try:
                return act()
            except StoreUnavailable as error:
                if self._is_over():
                    write_log(f"gave up: {error}")
                    return None
                write_log(f"the store is away, next try in {backoff:g} s: {error}")
                time.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)

    def _is_over(self) -> bool:
        if not self._writer.has_ended:
            return False
        self._ended_at = self._ended_at or time.monotonic()
        return time.monotonic() - self._ended_at > PATIENCE_S


def catch_up(store: RunStore, run_dir: Path, run_id: str, attempt: int) -> None:
    """Ship what the attempts before this one left behind, so that the history which it continues is there.

    Raises StoreUnavailable. What is still written, or shipped by somebody else, is left alone.
    """
    for earlier in sorted({journal.attempt for journal in journals_in(run_dir) if journal.attempt < attempt}):
        for part in abandoned(run_dir, earlier, ["", *parts_of(run_dir, earlier)]):
            if not is_complete(store, run_dir, run_id, earlier, part):
                ship_to_end([open_shipper(store, run_dir, run_id, earlier, part)], store)
