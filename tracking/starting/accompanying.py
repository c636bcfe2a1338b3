"""Gives a run what goes with it where no agent does that: a shipper, the capture of its console output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracking.home import console_path
from tracking.live.console import ConsoleCapture
from tracking.live.run import Run
from tracking.notices import warn
from tracking.shipping.child import ShipperChild
from tracking.starting.endings import Ending
from tracking.starting.resuming import LastRun
from tracking.starting.settings import Settings
from tracking.states import RunState

_OFF = ("off", "false", "0", "no")


def accompany(run: Run, settings: Settings, run_dir: Path, attempt: int, last_run: LastRun | None = None) -> None:
    """Start the shipper and the capture. Without them the run still records."""
    console = shipper = None
    if str(settings.console or "").lower() not in _OFF:
        try:
            console = ConsoleCapture(console_path(run_dir, attempt))
        except OSError as error:
            warn(f"the console output is not kept: {error}")
    if settings.mode == "online":
        try:
            shipper = ShipperChild.start(run_dir, run.id, attempt)
        except OSError as error:
            warn(f"no shipper could be started ({error}): run {run.id} stays in its journal in {run_dir}")
    if last_run is not None:
        last_run.write(run.id)
    run.attach(shipper, console, _forgetting(last_run))


def _forgetting(last_run: LastRun | None) -> Any:
    def at_end(ending: Ending) -> None:
        if last_run is not None and ending.state is RunState.FINISHED:
            last_run.clear()

    return at_end
