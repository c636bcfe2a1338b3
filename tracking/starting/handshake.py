"""Which trial this process is: the handshake that an agent puts into the environment of the programs it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking import environment
from tracking.context import TrialContext, current_trial
from tracking.errors import UsageError
from tracking.home import Home


def trial() -> TrialContext | None:
    """The trial of the calling code: the function trial that it runs in, else the one that the environment names."""
    return current_trial() or _from_environment()


def agent_ships() -> bool:
    """Whether an agent ships the journal and keeps the console output."""
    return current_trial() is not None or environment.read(environment.SHIPPER) == "agent"


def _from_environment() -> TrialContext | None:
    run_id, number = environment.read(environment.RUN_ID), environment.read(environment.TRIAL)
    attempt = environment.read(environment.ATTEMPT)
    if run_id is None or number is None or attempt is None:
        return None
    return TrialContext(
        run_id=run_id,
        sweep_id=environment.read(environment.SWEEP_ID) or "",
        trial=int(number),
        attempt=int(attempt),
        params=_params(environment.read(environment.PARAM_FILE)),
        run_dir=Home.find().run_dir(run_id),
        project=environment.read(environment.PROJECT) or "",
        entity=environment.read(environment.ENTITY) or "",
    )


def _params(file: str | None) -> Mapping[str, Any]:
    """The parameters in the file. Raises UsageError: without them the trial would train something else."""
    if file is None:
        return {}
    try:
        params = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the parameters of this trial from {file}: {error}") from None
    if not isinstance(params, dict):
        raise UsageError(f"{file} must hold a mapping of parameters, it holds a {type(params).__name__}")
    return params
