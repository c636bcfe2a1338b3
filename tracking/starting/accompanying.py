"""Gives a run what goes with it where no agent does that: a companion process, the capture of its console output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracking.home import console_path
from tracking.live import farewell
from tracking.live.console import ConsoleCapture
from tracking.live.run import Run
from tracking.notices import warn
from tracking.shipping.child import ShipperChild, variables_of
from tracking.starting.endings import Ending
from tracking.starting.settings import Settings
from tracking.states import RunState

if TYPE_CHECKING:
    from tracking.starting.past.resuming import LastRun

_OFF = ("off", "false", "0", "no")


def accompany(run: Run, settings: Settings, run_dir: Path, attempt: int, last_run: LastRun | None = None) -> None:
    """Greet, and start the companion and the capture. Without them the run still records."""
    farewell.greet(run)
    console = companion = None
    if not run.part and str(settings.console or "").lower() not in _OFF:
        try:
            console = ConsoleCapture(console_path(run_dir, attempt), settings.console)
        except OSError as error:
            warn(f"the console output is not kept: {error}")
    online = settings.mode == "online"
    try:
        companion = ShipperChild.start(run_dir, run.id, attempt, run.part, online, variables_of(settings))
    except OSError as error:
        what = f"run {run.id} stays in its journal in {run_dir}" if online else "its machine is not watched"
        warn(f"no companion could be started ({error}): {what}")
    if last_run is not None:
        last_run.write(run.id)
    run.attach(companion, console, _forgetting(last_run))


def _forgetting(last_run: LastRun | None) -> Any:
    def at_end(ending: Ending) -> None:
        if last_run is not None and ending.state is RunState.FINISHED:
            last_run.clear()

    return at_end
