"""SweepSpec: the checked, frozen form of a user's sweep.yaml."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sweeps.spec.parser import parse
from sweeps.spec.parts import Goal, HyperbandSpec, MetricSpec, Settings
from sweeps.spec.report import Report
from sweeps.spec.source.node import from_plain

__all__ = ["Goal", "HyperbandSpec", "MetricSpec", "Settings", "SweepSpec", "new_seed"]


@dataclass(frozen=True, kw_only=True)
class SweepSpec(Settings):
    """A specification without faults."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str = "sweep") -> Self:
        """Check a plain mapping, such as `document` of another spec, which gives an equal one.

        A seed is drawn when the document has none. Raises SpecInvalid with every fault.
        """
        return cls.from_settings(parse(from_plain(document, source), Report(source), new_seed()))

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The same values as a SweepSpec."""
        return cls(**vars(settings))


def new_seed() -> int:
    """A seed for a sweep whose document names none: 31 bits, short enough to be read aloud."""
    return secrets.randbits(31)
