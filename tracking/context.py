"""Which run and which trial the calling code belongs to: context variables first, then the one run of the process."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tracking.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tracking.live.run import Run


class TrialStopped(BaseException):
    """Raised by `log()` inside a function trial that was asked to stop; no `except Exception` catches it."""


def _never() -> str:
    return ""


class TrialContext:
    """What `init()` needs to know of the trial that it runs in.

    No dataclass: importing those costs every training process 10 ms.
    """

    __slots__ = ("attempt", "entity", "params", "project", "run_dir", "run_id", "stop_reason", "sweep_id", "trial")

    def __init__(
        self,
        run_id: str,
        sweep_id: str,
        trial: int,
        attempt: int,
        params: Mapping[str, Any],
        run_dir: Path,
        stop_reason: Callable[[], str] = _never,
        project: str = "",
        entity: str = "",
    ) -> None:
        """`params` are nested, as config shows them; their keys are locked. `stop_reason` tells why the trial should
        end, "" while it may go on; every `log()` of a function calls it, so it must be cheap."""
        self.run_id, self.sweep_id, self.trial, self.attempt = run_id, sweep_id, trial, attempt
        self.params, self.run_dir, self.stop_reason = params, run_dir, stop_reason
        self.project, self.entity = project, entity


_trial: ContextVar[TrialContext | None] = ContextVar("tracking_trial", default=None)
_run: ContextVar[Run | None] = ContextVar("tracking_run", default=None)
_active: list[Run] = []
_aside: list[Run] = []
"""Runs of `reinit="create_new"` beside others: `tracking.log()` does not mean them."""
_at_exit: list[Callable[[], None]] = []
_lock = threading.Lock()


def current_trial() -> TrialContext | None:
    """The function trial that the calling code runs in."""
    return _trial.get()


@contextmanager
def entered(trial: TrialContext) -> Iterator[None]:
    """Make `init()` inside the block open the run of this trial; a run left open is finished when the block ends."""
    trial_token, run_token = _trial.set(trial), _run.set(None)
    code = 1
    try:
        yield
        code = 0
    finally:
        run = _run.get()
        if run is not None and not run.finished:
            run.finish(exit_code=code)
        _run.reset(run_token)
        _trial.reset(trial_token)


def current_run() -> Run | None:
    """The run of this context, else the only active run of the process (threads start with an empty context)."""
    run = _run.get()
    if run is not None and not run.finished:
        return run
    # A function trial that has not called init() yet must not log into its neighbour's run.
    if _trial.get() is not None:
        return None
    candidates = _active if len(_active) == 1 else [run for run in _active if run not in _aside]
    return candidates[0] if len(candidates) == 1 else None


def require_run(what: str) -> Run:
    """The current run. Raises UsageError which says to call init(), naming what was called."""
    run = current_run()
    if run is None:
        if len(_active) > 1:
            raise UsageError(f"{what}: {len(_active)} runs are active, none of this thread; use the Run object")
        raise UsageError(f"call tracking.init() before {what}")
    return run


def active_runs() -> list[Run]:
    """Every run of this process that has not ended."""
    return list(_active)


def add_run(run: Run, aside: bool = False) -> None:
    """Make a run the current one; `aside`: leave that to the one which is, if there is one."""
    aside = aside and current_run() is not None
    with _lock:
        _active.append(run)
        if aside:
            _aside.append(run)
    if not aside:
        _run.set(run)


def after_fork() -> list[Run]:
    """In a forked child: the runs of the parent, which stay known here but record nothing."""
    global _lock
    _lock = threading.Lock()
    return list(_active)


def remove_run(run: Run) -> None:
    """Forget a run which has ended."""
    with _lock:
        if run in _active:
            _active.remove(run)
        if run in _aside:
            _aside.remove(run)
    if _run.get() is run:
        _run.set(None)


def at_exit(action: Callable[[], None]) -> None:
    """Call `action` when the interpreter ends, after whatever was registered since `import tracking`.

    Functions run at exit in reverse order. Ours is registered with the import, so that those of the user, which may
    log, come before it.
    """
    if action not in _at_exit:
        _at_exit.append(action)


def _exiting() -> None:
    for action in _at_exit:
        action()


atexit.register(_exiting)
