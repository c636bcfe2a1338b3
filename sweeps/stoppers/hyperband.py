"""Hyperband's stopping rule: at each band, trials outside the best 1/eta end."""

from __future__ import annotations

from collections.abc import Mapping

from sweeps.stoppers.bands import Bands
from sweeps.stoppers.contract import Curve, Stop, Stopper

_SHARES = {2.0: "half", 3.0: "third", 4.0: "quarter", 5.0: "fifth", 10.0: "tenth"}


class Hyperband(Stopper):
    """Judges a trial at the largest band that it has reached, against every trial that has reached it.

    It is judged again with each further value: trials that reach the band later may move the threshold.

    `strict` compares the value at the band, otherwise the best value up to it. Ties survive, and so does the first
    trial at a band, whose own value is the threshold.
    """

    def __init__(self, bands: Bands, eta: float, strict: bool, maximize: bool, metric: str) -> None:
        self.bands = bands
        self._eta, self._strict, self._metric = eta, strict, metric
        self._sign = -1.0 if maximize else 1.0

    def due(self, judged: int, length: int) -> int | None:
        return self.bands.at(length) if length > judged else None

    def judge(self, number: int, curves: Mapping[int, Curve]) -> Stop | None:
        own = curves.get(number, ())
        band = self.bands.at(len(own))
        if band is None:
            return None
        rivals = sorted(self._sign * curve[band - 1] for curve in curves.values() if len(curve) >= band)
        threshold = rivals[int(len(rivals) / self._eta)]
        value = self._value(own, band)
        return Stop(self._reason(band, value, threshold, len(rivals))) if value > threshold else None

    def _value(self, curve: Curve, band: int) -> float:
        """What the trial is judged by; smaller is better."""
        if self._strict:
            return self._sign * curve[band - 1]
        return min(self._sign * value for value in curve[:band])

    def _reason(self, band: int, value: float, threshold: float, rivals: int) -> str:
        share = _SHARES.get(self._eta, f"1/{self._eta:g}")
        own, needed = _two_that_differ(self._sign * value, self._sign * threshold)
        trials = "trial" if rivals == 1 else "trials"
        what = self._metric if self._strict else f"the best {self._metric}"
        field = f"the best {share} of {rivals} {trials} at that band"
        return f"stopped at value {band}: {what} {own} is worse than {needed}, {field}"


def _two_that_differ(one: float, other: float) -> tuple[str, str]:
    """Both numbers with as few digits as show that they are not the same."""
    for digits in range(4, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(one), repr(other)
