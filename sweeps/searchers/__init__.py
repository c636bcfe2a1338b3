"""Searchers: they propose the points of a search space."""

from __future__ import annotations

from sweeps.searchers.factory import make_searcher

__all__ = ["make_searcher"]
