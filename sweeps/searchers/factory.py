"""Which searcher a specification asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sweeps.searchers.bayes import BayesSearcher
from sweeps.searchers.contract import Searcher
from sweeps.searchers.grid import GridSearcher
from sweeps.searchers.uniform import RandomSearcher
from sweeps.spec.model import SweepSpec

_METHODS: Mapping[str, Callable[[SweepSpec], Searcher]] = {
    "grid": GridSearcher,
    "random": RandomSearcher,
    "bayes": BayesSearcher,
}


def make_searcher(spec: SweepSpec) -> Searcher:
    """The searcher of `spec.method`, which was told nothing yet."""
    return _METHODS[spec.method](spec)
