"""Stoppers: they end trials early."""

from __future__ import annotations

from sweeps.stoppers.factory import make_stopper

__all__ = ["make_stopper"]
