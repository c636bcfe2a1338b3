"""Experiment tracking: `init()` starts a run, `log()` records, `finish()` ends it.

Names are loaded on first use, so importing this package costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tracking import context

if TYPE_CHECKING:
    from tracking.context import TrialStopped as TrialStopped
    from tracking.errors import ConfigLocked as ConfigLocked
    from tracking.errors import SweepError as SweepError
    from tracking.errors import TrackingError as TrackingError
    from tracking.errors import UsageError as UsageError
    from tracking.live.config import Config
    from tracking.live.metrics import MetricDefinition
    from tracking.live.run import Run as Run
    from tracking.live.summary import Summary
    from tracking.starting.initialising import init as init
    from tracking.starting.settings import Settings as Settings

    run: Run | None
    config: Config
    summary: Summary

__all__ = [
    "ConfigLocked",
    "Run",
    "Settings",
    "SweepError",
    "TrackingError",
    "TrialStopped",
    "UsageError",
    "config",
    "define_metric",
    "finish",
    "init",
    "log",
    "login",
    "run",
    "summary",
]

_HOMES = {
    "init": "tracking.starting.initialising",
    "Run": "tracking.live.run",
    "Settings": "tracking.starting.settings",
    "TrialStopped": "tracking.context",
    "ConfigLocked": "tracking.errors",
    "SweepError": "tracking.errors",
    "TrackingError": "tracking.errors",
    "UsageError": "tracking.errors",
    "Image": "tracking.media.image",
    "Audio": "tracking.media.audio",
    "Video": "tracking.media.video",
    "Html": "tracking.media.html",
    "Histogram": "tracking.media.histogram",
    "Object3D": "tracking.media.object3d",
    "Molecule": "tracking.media.molecule",
    "Plotly": "tracking.media.figures",
    "Classes": "tracking.media.classes",
    "Table": "tracking.tables.table",
    "JoinedTable": "tracking.tables.joined",
    "plot_table": "tracking.plot.chart",
    "Artifact": "tracking.artifacts.artifact",
    "ArtifactTTL": "tracking.artifacts.lifetime",
    "AlertLevel": "tracking.alerts.levels",
    "Api": "tracking.public.api",
}
_DOINGS = frozenset(
    (
        "alert",
        "link_artifact",
        "link_model",
        "log_artifact",
        "log_code",
        "log_model",
        "mark_preempting",
        "restore",
        "save",
        "unwatch",
        "use_artifact",
        "use_model",
        "watch",
        "write_logs",
    )
)
_ELSEWHERE = {"sweep": "sweeps.sweep", "agent": "sweeps.agent"}
_PACKAGES = frozenset(("plot", "integrations"))
"""Packages of ours that are reached as attributes: `tracking.plot.line(…)`."""


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, sync: bool | None = None) -> None:
    """Record a row in the current run: see `Run.log`. Raises UsageError before init()."""
    context.require_run("log()").log(data, step, commit)


def define_metric(
    name: str,
    step_metric: str | MetricDefinition | None = None,
    step_sync: bool | None = None,
    hidden: bool | None = None,
    summary: str | None = None,
    goal: str | None = None,
    overwrite: bool | None = None,
) -> MetricDefinition:
    """Declare a metric of the current run: see `Run.define_metric`. Raises UsageError before init()."""
    current = context.require_run("define_metric()")
    return current.define_metric(name, step_metric, step_sync, hidden, summary, goal, overwrite)


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """End the current run, if there is one."""
    current = context.current_run()
    if current is not None:
        current.finish(exit_code, quiet)


def login(*args: Any, **options: Any) -> bool:
    """True: there is no account to log in to. Here so that scripts which call it run unchanged."""
    return True


class _Later:
    """`tracking.config` or `tracking.summary` before init(): every use asks for the run again."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def _now(self) -> Any:
        name = object.__getattribute__(self, "_name")
        return getattr(context.require_run(f"tracking.{name}"), name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # what inspect and copy ask of any object
        return getattr(self._now(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._now(), name, value)

    def __getitem__(self, key: str) -> Any:
        return self._now()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._now()[key] = value

    def __contains__(self, key: object) -> bool:
        return key in self._now()

    def __iter__(self) -> Any:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


def __getattr__(name: str) -> Any:
    if name == "run":
        return context.current_run()
    if name in ("config", "summary"):
        current = context.current_run()
        return _Later(name) if current is None else getattr(current, name)
    if name in _HOMES:
        return _loaded(name)
    if name in _DOINGS:
        return _doing(name)
    if name in _PACKAGES:
        return _package(name)
    if name.startswith("__") and name != "__version__":
        raise AttributeError(name)
    if name == "__version__":
        from importlib.metadata import version  # slow to import, seldom asked for

        return version("sweepwright")
    if name in _ELSEWHERE:
        raise AttributeError(f"tracking.{name}: sweeps live in their own package; call {_ELSEWHERE[name]}()")
    raise AttributeError(f"module 'tracking' has no attribute {name!r}")


def _doing(name: str) -> Any:
    """A method of whatever run is current when it is called, such as `tracking.log_artifact`."""

    def call(*args: Any, **options: Any) -> Any:
        return getattr(context.require_run(f"{name}()"), name)(*args, **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`Run.{name}` of the current run. Raises UsageError before init()."
    globals()[name] = call
    return call


def _package(name: str) -> Any:
    from importlib import import_module

    return import_module(f"tracking.{name}")


def _loaded(name: str) -> Any:
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
