"""`init(sync_tensorboard=True)`: what a SummaryWriter of this process writes is recorded in the run as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tracking.extras import require
from tracking.importing.tensorboard_events import values_of
from tracking.notices import warn_once

if TYPE_CHECKING:
    from tracking.live.run import Run

# The writers of tensorboard (which torch.utils.tensorboard uses) and of tensorboardX have the same methods.
_WRITERS = (
    ("tensorboard.summary.writer.event_file_writer", "EventFileWriter"),
    ("tensorboardX.event_file_writer", "EventFileWriter"),
)
GLOBAL_STEP = "global_step"


class _Live:
    """Turns events into rows: events of one step become one row, `global_step` is their x axis."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._folders: list[str] = []
        self._step: int | None = None

    def take(self, folder: str, event: Any) -> None:
        """Record an event. It never stops the training."""
        if self.run.finished or not event.HasField("summary"):
            return
        try:
            row = {f"{self._prefix(folder)}{tag}": value for tag, value in values_of(event)}
        except Exception as error:  # noqa: BLE001  boundary: an odd event must not end the training
            warn_once("tensorboard", f"an event of TensorBoard is not recorded: {error}")
            return
        if not row:
            return
        if self._step is not None and event.step != self._step:
            self.run.log({}, commit=True)
        self._step = event.step
        self.run.log({**row, GLOBAL_STEP: event.step}, commit=False)

    def _prefix(self, folder: str) -> str:
        """ "" for the first log folder, a relative path for the others: `train` and `val` are kept apart."""
        if folder not in self._folders:
            self._folders.append(folder)
        if folder == self._folders[0]:
            return ""
        name = os.path.relpath(folder, self._folders[0]).replace(os.sep, "/")
        while name.startswith("../"):
            name = name[3:]
        return f"{name}/"


_live: list[_Live] = []
_patched: set[type] = set()


def attach(run: Run) -> None:
    """Record what writers in this process write from now on. Raises ExtraMissing when there is no TensorBoard."""
    if "tensorboardX" not in sys.modules:
        require("tensorboard.summary.writer.event_file_writer", what="sync_tensorboard")
    for module, name in _WRITERS:
        writer = getattr(sys.modules.get(module), name, None)
        if writer is not None and writer not in _patched:
            _patched.add(writer)
            _patch(writer)
    _live[:] = [live for live in _live if not live.run.finished]
    _live.append(_Live(run))
    run.define_metric(GLOBAL_STEP)
    run.define_metric("*", step_metric=GLOBAL_STEP, step_sync=True)


def _patch(writer: Any) -> None:
    add_event: Callable[..., Any] = writer.add_event

    def recorded(self: Any, event: Any, *arguments: Any, **options: Any) -> Any:
        for live in _live:
            live.take(os.path.abspath(str(self.get_logdir())), event)
        return add_event(self, event, *arguments, **options)

    writer.add_event = recorded
