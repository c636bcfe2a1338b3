"""Which stopper a specification asks for."""

from __future__ import annotations

from sweeps.spec.model import SweepSpec
from sweeps.spec.parts import Goal, HyperbandSpec, MetricSpec
from sweeps.stoppers.bands import Bands, bands_from_max, bands_from_min
from sweeps.stoppers.contract import Stopper
from sweeps.stoppers.hyperband import Hyperband


def make_stopper(spec: SweepSpec) -> Stopper | None:
    """The stopper of `spec.early_terminate`; None when trials are never ended early."""
    if spec.early_terminate is None or spec.metric is None:
        return None
    return _hyperband(spec.early_terminate, spec.metric)


def _hyperband(options: HyperbandSpec, metric: MetricSpec) -> Hyperband:
    return Hyperband(
        bands=bands_of(options),
        eta=options.eta,
        strict=options.strict,
        maximize=metric.goal is Goal.MAXIMIZE,
        metric=metric.name,
    )


def bands_of(options: HyperbandSpec) -> Bands:
    """The bands of `max_iter` and `s` where they are given, as in W&B, else those of `min_iter`."""
    if options.max_iter is not None and options.s is not None:
        return bands_from_max(options.max_iter, options.s, options.eta)
    assert options.min_iter is not None, "the parser asks for min_iter, or max_iter and s"
    return bands_from_min(options.min_iter, options.eta)
