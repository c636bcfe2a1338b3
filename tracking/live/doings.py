"""What a Run can do beside recording rows: media aside, each is one call into the package that owns it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact
    from tracking.live.run import Run

Path = str | PathLike[str]


class Doings:
    """The part of `Run` whose work is done elsewhere, so that a run which does none of it imports none of it."""

    # Artifacts

    def log_artifact(
        self,
        artifact_or_path: Artifact | Path,
        name: str | None = None,
        type: str | None = None,
        aliases: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> Artifact:
        """Record an artifact as an output of this run; a path is wrapped in one. See `tracking.Artifact`."""
        from tracking.artifacts import recording

        return recording.log_artifact(_run(self), artifact_or_path, name, type, aliases, tags)

    def use_artifact(
        self,
        artifact_or_name: Artifact | str,
        type: str | None = None,
        aliases: Sequence[str] | None = None,
        use_as: str | None = None,
    ) -> Artifact:
        """An artifact by `[[entity/]project/]name:alias`, recorded as an input of this run."""
        from tracking.artifacts import recording

        return recording.use_artifact(_run(self), artifact_or_name, type, aliases, use_as)

    def link_artifact(
        self, artifact: Artifact, target_path: str | None = None, aliases: Sequence[str] | None = None
    ) -> Artifact:
        """Link an artifact into a collection such as `registry-models/best`."""
        from tracking.artifacts import recording

        return recording.link_artifact(_run(self), artifact, target_path, aliases)

    def log_model(self, path: Path, name: str | None = None, aliases: Sequence[str] | None = None) -> Artifact:
        """Record a file or folder as an artifact of type "model"."""
        from tracking.artifacts import recording

        return recording.log_model(_run(self), path, name, aliases)

    def use_model(self, name: str) -> str:
        """Download a model artifact; the path of its file, or of its folder when it has several."""
        from tracking.artifacts import recording

        return recording.use_model(_run(self), name)

    def link_model(
        self, path: Path, registered_model_name: str, name: str | None = None, aliases: Sequence[str] | None = None
    ) -> Artifact:
        """Record a model and link it into a collection."""
        from tracking.artifacts import recording

        return recording.link_model(_run(self), path, registered_model_name, name, aliases)

    # Files

    def save(self, glob_str: Path | None = None, base_path: Path | None = None, policy: str = "live") -> list[str]:
        """Keep files with the run: at once ("now"), whenever they change ("live") or at its end ("end")."""
        from tracking.files import saving

        return saving.save(_run(self), glob_str, base_path, policy)

    def restore(self, name: str, run_path: str | None = None, replace: bool = False, root: str | None = None) -> Any:
        """Bring a saved file of this run (or of `run_path`) back; an open file, or None when there is no such file."""
        from tracking.files import saving

        return saving.restore(_run(self), name, run_path, replace, root)

    def log_code(
        self,
        root: str | None = ".",
        name: str | None = None,
        include_fn: Callable[..., bool] | None = None,
        exclude_fn: Callable[..., bool] | None = None,
    ) -> Artifact | None:
        """Record the source files below `root` as an artifact of type "code"; None when there are none."""
        from tracking.provenance import code

        return code.log_code(_run(self), root, name, include_fn, exclude_fn)

    # Alerts

    def alert(self, title: str, text: str = "", level: Any = None, wait_duration: Any = None) -> None:
        """Ask for an alert; the shipper or the agent sends it. See docs/alerts.md."""
        from tracking.alerts import raising

        raising.alert(_run(self), title, text, level, wait_duration)

    # Models

    def watch(
        self,
        models: Any,
        criterion: Any = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> Any:
        """Record histograms of gradients and/or parameters of torch modules every `log_freq` backward passes."""
        from tracking.watching import hooks

        return hooks.watch(_run(self), models, criterion, log, log_freq, idx, log_graph)

    def unwatch(self, models: Any = None) -> None:
        """Take the hooks of `watch` away; from all models when none is named."""
        from tracking.watching import hooks

        hooks.unwatch(_run(self), models)

    # The run itself

    def mark_preempting(self) -> None:
        """Say that this machine is about to be taken away: the run will be continued elsewhere."""
        from tracking.live import marking

        marking.mark_preempting(_run(self))

    def status(self) -> Any:
        """Whether everything logged so far is in the store: `.synced`, `.behind_bytes`."""
        from tracking.live import marking

        return marking.status(_run(self))

    def write_logs(self, text: str) -> None:
        """Add a line to the run's console output without printing it."""
        from tracking.live import marking

        marking.write_logs(_run(self), text)

    def to_html(self, height: int = 420, hidden: bool = False) -> str:
        """The run as a small HTML table, for notebooks."""
        from tracking.live import marking

        return marking.to_html(_run(self), height, hidden)


def _run(doings: Doings) -> Run:
    """The whole of which this is a part."""
    return cast("Run", doings)
