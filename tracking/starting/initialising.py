"""init(): from arguments, environment and what is already there to a Run that records."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tracking import context
from tracking.context import TrialContext
from tracking.live.run import Run
from tracking.notices import warn
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
    save_code: bool | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
) -> Run:
    """Start a run, or continue one, and make it the current run of this process.

    `config` is a dict, an argparse.Namespace, a dataclass or the path of a YAML file. `mode` is online (default),
    offline (only the journal is written) or disabled (nothing is). `resume` is allow, must, never or auto and goes with
    `id`. In a sweep no argument is needed: the agent says which run this is. `force` and `save_code` have no effect.

    Raises UsageError for arguments that make no sense, HomeUnwritable when the journal cannot be written.
    """
    arguments = {
        "entity": entity, "project": project, "dir": dir, "id": id, "name": name, "notes": notes, "tags": tags,
        "group": group, "job_type": job_type, "mode": mode, "reinit": reinit, "resume": resume,
        "allow_val_change": allow_val_change,
    }  # fmt: skip
    holds = resolve(arguments, settings)
    previous_run = _settle_previous(holds.reinit)
    if previous_run is not None:
        if config is not None:
            previous_run.config.update(config, allow_val_change=True)
        return previous_run
    values = config_sources.defaults()
    values.update(config_sources.chosen(config_sources.as_mapping(config), config_include_keys, config_exclude_keys))
    trial = handshake.trial()
    if trial is not None:
        _warn_of_ignored(arguments, trial)
    return opening.open_run(holds, trial, values)


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
    for name, value in ours.items():
        given = arguments.get(name)
        if given and value and given != value:
            warn(f"init({name}={given!r}) gives way in a sweep: the {name} is {value!r}")
