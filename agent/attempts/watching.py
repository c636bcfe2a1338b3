"""Watches over the metric: says once, in the sweep's notices, when trials end without having logged it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from agent.announcing import Say
from agent.attempts.attempt import Attempt
from sweeps.records import Notice
from sweeps.store.contract import SweepStore

NEVER_LOGGED = "metric-never-logged"
NO_INIT = "no-init"
NOT_A_NUMBER = "metric-not-finite"
_SHOWN_KEYS = 12


class MetricWatch:
    """Judges trials that ended well. One notice of each kind per sweep, whoever comes first."""

    def __init__(self, store: SweepStore, sweep_id: str, metric: str | None, warn: Say) -> None:
        self._store, self._sweep_id, self._metric, self._warn = store, sweep_id, metric, warn
        self._said: set[str] = set()

    def look(self, attempts: Iterable[Attempt]) -> None:
        """Raises StoreUnavailable; the notice then comes with the next trial."""
        for attempt in attempts:
            if attempt.exit is None or attempt.exit.code != 0 or attempt.stop:
                continue
            notice = self._find(attempt)
            if notice is not None and notice.kind not in self._said:
                if self._store.add_notice(self._sweep_id, notice):
                    self._warn(f"notice: {notice.text}")
                self._said.add(notice.kind)

    def _find(self, attempt: Attempt) -> Notice | None:
        curve, number = attempt.curve, attempt.trial.number
        if attempt.shipper.offset == 0:
            return Notice(NO_INIT, self._no_init(number))
        if self._metric is None:
            return None
        if not curve.was_logged:
            return Notice(NEVER_LOGGED, never_logged(self._metric, curve.keys))
        if curve.value is None:
            return Notice(NOT_A_NUMBER, f"{self._metric} was never a finite number in trial {number}: it has no value")
        return None

    def _no_init(self, number: int) -> str:
        lost = f", so {self._metric} was never logged and the search learns nothing" if self._metric else ""
        return f"trial {number} ended without calling tracking.init(){lost}"


def never_logged(metric: str, keys: Iterable[str]) -> str:
    """`val_loss was never logged; did you mean val/loss? logged: epoch, val/loss`."""
    logged = sorted(keys)
    near = nearest_key(metric, logged)
    hint = f"; did you mean {near}?" if near else ";" if logged else ""
    shown = ", ".join(logged[:_SHOWN_KEYS]) + (", …" if len(logged) > _SHOWN_KEYS else "")
    return f"{metric} was never logged{hint}" + (f" logged: {shown}" if shown else " (nothing was logged at all)")


def nearest_key(metric: str, keys: Iterable[str]) -> str:
    """The logged key that the metric most likely means, "" when none is near: separators and case count little."""
    plain = {_plain(key): key for key in keys}
    if _plain(metric) in plain:
        return plain[_plain(metric)]
    found = difflib.get_close_matches(_plain(metric), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else ""


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())
