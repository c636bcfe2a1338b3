"""init(): from arguments, environment and what is already there to a Run that records."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tracking import context
from tracking.context import TrialContext
from tracking.live.run import Run
from tracking.notices import warn, warn_once
from tracking.starting import config_sources, handshake, opening
from tracking.starting.settings import Settings, resolve


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: str | os.PathLike[str] | None = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Any = None,
    config: Any = None,
    config_exclude_keys: Any = None,
    config_include_keys: Any = None,
    allow_val_change: bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    force: bool | None = None,
    reinit: bool | str | None = None,
    resume: bool | str | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    save_code: bool | None = None,
    monitor_gym: bool | None = None,
    sync_tensorboard: bool | None = None,
    tensorboard: bool | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
) -> Run:
    """Start a run, or continue one, and make it the current run of this process.

    `config` is a dict, an argparse.Namespace, absl flags, a dataclass, a pydantic model or the path of a YAML file.
    `mode` is online (default), offline (only the journal is written), disabled (nothing is) or shared (several
    processes write the run of this `id`). `reinit` says what happens to a run that goes on: return_previous,
    finish_previous (True) or create_new. `resume` is allow, must, never or auto and goes with `id`;
    `resume_from="<id>?_step=n"` continues a run after that step, `fork_from` begins a new one with the history up to
    it. `save_code` keeps the main script. In a sweep no argument is needed: the agent says which run this is.

    `force` and `monitor_gym` have no effect. Raises UsageError for arguments that make no sense, HomeUnwritable when
    the journal cannot be written.
    """
    arguments = {
        "entity": entity, "project": project, "dir": dir, "id": id, "name": name, "notes": notes, "tags": tags,
        "group": group, "job_type": job_type, "mode": mode, "reinit": reinit, "resume": resume,
        "allow_val_change": allow_val_change, "resume_from": resume_from, "fork_from": fork_from,
        "save_code": save_code, "sync_tensorboard": sync_tensorboard or tensorboard, "monitor_gym": monitor_gym,
    }  # fmt: skip
    holds = resolve(arguments, settings)
    previous_run = _settle_previous(holds.reinit)
    if previous_run is not None:
        _warn_of_previous(arguments, previous_run)
        if config is not None:
            previous_run.config.update(config, allow_val_change=True)
        return previous_run
    values = config_sources.defaults(holds.config_paths)
    values.update(config_sources.chosen(config_sources.as_mapping(config), config_include_keys, config_exclude_keys))
    trial = handshake.trial()
    if trial is not None:
        _warn_of_ignored(arguments, trial)
    run = opening.open_run(holds, trial, values)
    if holds.monitor_gym:
        warn_once("monitor_gym", "monitor_gym has no effect: log the videos of an environment with tracking.Video")
    if holds.sync_tensorboard and not run.disabled:
        from tracking.importing import tensorboard_live  # only who writes TensorBoard files needs it

        tensorboard_live.attach(run)
    return run


def _warn_of_previous(arguments: Mapping[str, Any], run: Run) -> None:
    """Say so when somebody asked for another run and gets the one that goes on."""
    other = [name for name in ("id", "project", "name") if arguments.get(name) not in (None, getattr(run, name))]
    if other and not run.disabled:
        asked = ", ".join(f"{name}={arguments[name]!r}" for name in other)
        warn(
            f"init({asked}): run {run.id} goes on and is returned; for another run call finish() before, or say "
            "reinit='finish_previous' or 'create_new'"
        )


def _settle_previous(reinit: str) -> Run | None:
    """Do what `reinit` says with a run that is active; the run when init() shall return it."""
    active = context.current_run()
    if active is None or active.forked:
        return None
    if reinit == "return_previous":
        return active
    if reinit == "finish_previous":
        active.finish()
    return None


def _warn_of_ignored(arguments: Mapping[str, Any], trial: TrialContext) -> None:
    ours = {"id": trial.run_id, "project": trial.project, "entity": trial.entity}
    for name in ("resume_from", "fork_from"):
        if arguments.get(name):
            warn(f"init({name}={arguments[name]!r}) has no effect in a sweep: its trials go on from their checkpoints")
    for name, value in ours.items():
        given = arguments.get(name)
        if given and value and given != value:
            warn(f"init({name}={given!r}) gives way in a sweep: the {name} is {value!r}")
