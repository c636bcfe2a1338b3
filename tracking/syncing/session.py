"""One sync: looks at every folder, ships those that have something to ship, several at once, and cleans up."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from tracking.errors import RunNotFound, StoreUnavailable
from tracking.home import Home
from tracking.shipping.folders import RunFolder
from tracking.store.contract import RunStore
from tracking.syncing.cleaning import remove, sweep_out, why_kept
from tracking.syncing.shipping import FolderShipping, Shipped
from tracking.syncing.standing import Holder, Report, Standing, look

ALERT_PATIENCE_S = 60.0
_TICK_S = 0.2


class View(Protocol):
    """What shows a sync. Called by several threads."""

    def begin(self, report: Report) -> None:
        """A folder is shipped from now on."""

    def advance(self, report: Report, size: int) -> None:
        """The store has taken so many bytes of it."""

    def end(self, result: Result) -> None:
        """A folder is done, or was passed over."""


@dataclass(slots=True)
class Result:
    """What came of one folder."""

    report: Report
    shipped: Shipped = field(default_factory=Shipped)
    removed: bool = False
    kept: str = ""
    """Why it was not removed although that was asked for."""

    @property
    def failed(self) -> bool:
        """Whether something could not be shipped that should have been."""
        return bool(self.shipped.problems)


class Sync:
    """`run` may be interrupted by KeyboardInterrupt: what is in the store stays, the same call goes on from there."""

    def __init__(
        self,
        store: RunStore,
        home: Home,
        view: View,
        holder: Holder,
        *,
        jobs: int = 4,
        follow: bool = False,
        clean: bool = False,
    ) -> None:
        self._store, self._home, self._view, self._holder = store, home, view, holder
        self._jobs, self._follow, self._clean = jobs, follow, clean
        self._stop = threading.Event()

    def run(self, folders: Sequence[RunFolder]) -> list[Result]:
        """What came of each folder, in their order. Raises StoreUnavailable when not even looking is possible."""
        reports = [look(folder, self._store, self._holder) for folder in folders]
        # Runs that go on are followed beside the others, never instead of them.
        live = sum(self._is_followed(report) for report in reports)
        with ThreadPoolExecutor(self._jobs + live, thread_name_prefix="sweep-sync") as pool:
            futures = [pool.submit(self._handle, report) for report in reports]
            try:
                _await(futures)
            except BaseException:
                self._stop.set()
                for future in futures:
                    future.cancel()
                raise
        results = [future.result() for future in futures]
        if self._clean:
            sweep_out({folder.path.parent for folder in folders})
        self._send_alerts(results)
        return results

    def _is_followed(self, report: Report) -> bool:
        return self._follow and report.standing is Standing.LIVE

    def _handle(self, report: Report) -> Result:
        result = Result(report)
        if report.standing is Standing.MISSING or self._is_followed(report):
            self._view.begin(report)
            shipping = FolderShipping(
                report.folder, self._store, self._home, lambda size: self._view.advance(report, size), self._stop
            )
            result.shipped = shipping.ship(follow=self._is_followed(report))
        result.shipped.state = self._state(report.folder)
        if self._clean and not result.failed:
            self._remove(result)
        self._view.end(result)
        return result

    def _state(self, folder: RunFolder) -> str:
        try:
            return self._store.run(folder.run_id).state.value
        except (RunNotFound, StoreUnavailable):
            return ""

    def _remove(self, result: Result) -> None:
        try:
            result.kept = why_kept(result.report.folder, self._store, self._home, self._holder)
            if not result.kept:
                remove(result.report.folder)
                result.removed = True
        except StoreUnavailable as error:
            result.kept = f"the store is away: {error}"
        except OSError as error:
            result.kept = f"it cannot be removed: {error.strerror or error}"

    def _send_alerts(self, results: Iterable[Result]) -> None:
        """Those that are still news; the others are marked as too old."""
        run_ids = [result.report.folder.run_id for result in results if result.shipped.alerts]
        if not run_ids:
            return
        from tracking.alerts.sending import Sender  # few runs raise alerts

        told: list[str] = []
        sender = Sender(self._store, told.append)
        for run_id in run_ids:
            sender.look(run_id)
        sender.close(ALERT_PATIENCE_S)


def _await(futures: Sequence[Future[Result]]) -> None:
    """Until all are done; in short waits, because a thread that waits for a lock hears no Ctrl-C on some systems."""
    left = set(futures)
    while left:
        done, left = wait(left, timeout=_TICK_S, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
