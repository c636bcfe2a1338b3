"""What of W&B's API is not there yet: its names, so that the error says so instead of looking like a typing mistake."""

from __future__ import annotations

from typing import NoReturn


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULE = _names(
    "Image Audio Video Html Object3D Molecule Histogram Plotly Table JoinedTable plot Artifact AlertLevel Api Graph "
    "alert log_artifact use_artifact link_artifact log_model use_model link_model save restore watch unwatch "
    "mark_preempting log_code"
)
RUN = _names(
    "alert link_artifact link_model log_artifact log_code log_model mark_preempting restore save status to_html "
    "unwatch use_artifact use_model watch write_logs"
)
ELSEWHERE = {"sweep": "sweeps.sweep", "agent": "sweeps.agent"}


def refuse(owner: str, name: str, known: frozenset[str]) -> NoReturn:
    """Raise the AttributeError for a name that is missing."""
    if name in known:
        raise AttributeError(f"{owner}.{name} is not there yet: media, artifacts and alerts come with a later version")
    if owner == "tracking" and name in ELSEWHERE:
        raise AttributeError(f"tracking.{name}: sweeps live in their own package; call {ELSEWHERE[name]}()")
    raise AttributeError(f"{owner} has no attribute {name!r}")
