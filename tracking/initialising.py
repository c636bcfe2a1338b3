"""init(): from arguments, environment and what is already there to a Run that records."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking import config_sources, context, endings, handshake, ids, resuming
from tracking.config import Config
from tracking.console import ConsoleCapture
from tracking.context import TrialContext
from tracking.errors import HomeUnwritable, UsageError
from tracking.home import Home, console_path, journal_path
from tracking.journal.records import RecordType
from tracking.journal.silent import SilentWriter
from tracking.journal.writer import JournalBusy, JournalWriter
from tracking.notices import forget, inform, warn
from tracking.recorder import Recorder, Writer
from tracking.resuming import LastRun, Previous
from tracking.run import Run
from tracking.settings import Settings, resolve
from tracking.shipping.child import ShipperChild, forget_children
from tracking.store.contract import RunStart

DEFAULT_PROJECT = "uncategorized"


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: str | os.PathLike[str] | None = None,  # noqa: A002  W&B's name
    id: str | None = None,  # noqa: A002  W&B's name
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
    if resume is not None and id is None and isinstance(resume, str) and resume not in ("allow", "must", "never", "auto"):
        id, resume = resume, "allow"  # noqa: A001  W&B once took the id here
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
    trial = handshake.trial()
    values = config_sources.defaults()
    values.update(config_sources.chosen(config_sources.as_mapping(config), config_include_keys, config_exclude_keys))
    return _open(_Opening(holds, trial, values, arguments))
