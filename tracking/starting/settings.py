"""What init() was asked for: its arguments, a Settings object and the environment, in that order of strength."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking import environment
from tracking.errors import UsageError

MODES = {"online": "online", "offline": "offline", "disabled": "disabled", "dryrun": "offline", "run": "online"}
RESUMES = ("allow", "must", "never", "auto")
REINITS = ("return_previous", "finish_previous", "create_new")

_TWINS = {
    "project": environment.PROJECT,
    "entity": environment.ENTITY,
    "name": environment.NAME,
    "notes": environment.NOTES,
    "group": environment.RUN_GROUP,
    "job_type": environment.JOB_TYPE,
    "id": environment.RUN_ID,
    "mode": environment.MODE,
    "resume": environment.RESUME,
    "dir": environment.DIR,
    "tags": environment.TAGS,
    "console": environment.CONSOLE,
}
_ALIASES = {
    "run_id": "id",
    "run_name": "name",
    "run_notes": "notes",
    "run_group": "group",
    "run_job_type": "job_type",
    "run_tags": "tags",
    "root_dir": "dir",
}


class Settings:
    """Options of init() gathered in one object. Options that mean nothing here are kept and have no effect."""

    def __init__(self, **options: Any) -> None:
        self.__dict__.update(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{key}={value!r}' for key, value in vars(self).items())})"


def resolve(arguments: Mapping[str, Any], settings: Settings | Mapping[str, Any] | None) -> Settings:
    """The settings that hold. Raises UsageError for a mode, a resume or a reinit that does not exist."""
    given = dict(settings) if isinstance(settings, Mapping) else dict(vars(settings)) if settings is not None else {}
    holds: dict[str, Any] = {name: environment.read(variable) for name, variable in _TWINS.items()}
    holds |= {_ALIASES.get(name, name): value for name, value in given.items() if value is not None}
    holds |= {name: value for name, value in arguments.items() if value is not None}
    holds["mode"] = _mode(holds.get("mode"))
    holds["resume"] = _resume(holds.get("resume"))
    holds["reinit"] = _reinit(holds.get("reinit"))
    holds["tags"] = _tags(holds.get("tags"))
    return Settings(**holds)


def _mode(value: Any) -> str:
    mode = MODES.get(str(value or "online").lower())
    if mode is None:
        raise UsageError(f"mode {value!r} is none of online, offline, disabled")
    return mode


def _resume(value: Any) -> str:
    if value is None or value is False or value == "":
        return ""
    if value is True or str(value).lower() in ("true", "1"):
        return "auto"
    if str(value).lower() not in RESUMES:
        raise UsageError(f"resume {value!r} is none of {', '.join(RESUMES)}, True, False")
    return str(value).lower()


def _reinit(value: Any) -> str:
    if value is True:
        return "finish_previous"
    if value is None or value is False or value == "default":
        return "return_previous"
    if value not in REINITS:
        raise UsageError(f"reinit {value!r} is none of {', '.join(REINITS)}, True, False")
    return str(value)


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    words = value.split(",") if isinstance(value, str) else list(value)
    return tuple(dict.fromkeys(str(word).strip() for word in words if str(word).strip()))
