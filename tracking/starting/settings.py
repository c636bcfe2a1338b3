"""What init() was asked for: its arguments, a Settings object and the environment, in that order of strength."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tracking import environment
from tracking.errors import UsageError
from tracking.ids import check_place
from tracking.notices import warn_once

MODES = {
    "online": "online",
    "offline": "offline",
    "disabled": "disabled",
    "shared": "online",
    "dryrun": "offline",
    "run": "online",
}
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
    "resume_from": environment.RESUME_FROM,
    "fork_from": environment.FORK_FROM,
    "save_code": environment.SAVE_CODE,
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


EFFECTIVE = frozenset((
    *_TWINS, *_ALIASES, "allow_val_change", "code_dir", "config_paths", "disable_code", "disable_git", "force", "host",
    "ignore_globs", "monitor_gym", "quiet", "reinit", "show_info", "silent", "sync_tensorboard",
    "x_disable_machine_info", "x_disable_meta", "x_disable_stats", "x_label", "x_primary", "x_start_time",
    "x_stats_sampling_interval",
))  # fmt: skip
"""The options that do something; every other one of W&B's is accepted and does nothing."""
_YES, _NO = frozenset(("1", "true", "yes", "on")), frozenset(("0", "false", "no", "off", ""))


class Settings:
    """Options of init() gathered in one object, read as attributes; what was not said is None.

    Every name of W&B's Settings is accepted; `tracking.starting.settings.EFFECTIVE` lists those that do something.
    """

    def __init__(self, **options: Any) -> None:
        self.__dict__.update(options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def keys(self) -> list[str]:
        """The options that were said, so that `dict(settings)` works."""
        return list(vars(self))

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{key}={value!r}' for key, value in vars(self).items())})"


def resolve(arguments: Mapping[str, Any], settings: Settings | Mapping[str, Any] | None) -> Settings:
    """The settings that hold. Raises UsageError for a mode, a resume or a reinit that does not exist."""
    given = _options(settings)
    holds: dict[str, Any] = {name: environment.read(variable) for name, variable in _TWINS.items()}
    holds |= {_ALIASES.get(name, name): value for name, value in given.items() if value is not None}
    holds |= {name: value for name, value in arguments.items() if value is not None}
    holds["shared"] = str(holds.get("mode")).lower() == "shared"
    holds["mode"] = _mode(holds.get("mode"))
    if holds.get("show_info") is False:
        holds["quiet"] = True
    holds["save_code"] = _flag("save_code", holds.get("save_code"))
    holds["resume"] = _resume(holds.get("resume"))
    holds["reinit"] = _reinit(holds.get("reinit"))
    holds["tags"] = _tags(holds.get("tags"))
    # What an agent says was checked with its sweep.
    for name in ("project", "entity") if environment.read(environment.TRIAL) is None else ():
        if holds.get(name) is not None:
            holds[name] = check_place(name, str(holds[name]))
    return Settings(**holds)


def _options(settings: Any) -> dict[str, Any]:
    """What a Settings object (ours, or W&B's own) or a mapping says. Raises UsageError for anything else."""
    if settings is None:
        return {}
    if isinstance(settings, (Settings, Mapping)):
        given = dict(settings)
    elif callable(getattr(settings, "model_dump", None)):
        given = dict(settings.model_dump(exclude_unset=True))
    else:
        raise UsageError(f"settings is a {type(settings).__name__}; pass tracking.Settings(…) or a mapping")
    for name in given.keys() - EFFECTIVE:
        _look_for_typo(name)
    return given


def _look_for_typo(name: str) -> None:
    """Warn when a name that does nothing is nearly one that does."""
    from difflib import get_close_matches  # only for names that do nothing

    near = get_close_matches(str(name), EFFECTIVE, 1, 0.93)
    if near:
        warn_once(f"settings:{name}", f"Settings({name}=…) does nothing; is {near[0]} meant?")


def _flag(name: str, value: Any) -> bool | None:
    """A yes or no, which the environment says in words. Raises UsageError."""
    if value is None or isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise UsageError(f"{name} {value!r} is neither true nor false")
    return word in _YES


def _mode(value: Any) -> str:
    mode = MODES.get(str(value or "online").lower())
    if mode is None:
        raise UsageError(f"mode {value!r} is none of online, offline, disabled, shared")
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
        return "finish_previous" if value is not False and _in_notebook() else "return_previous"
    if value not in REINITS:
        raise UsageError(f"reinit {value!r} is none of {', '.join(REINITS)}, True, False")
    return str(value)


def _in_notebook() -> bool:
    """Whether a cell of a notebook runs us: run again, it means a new run."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    words = value.split(",") if isinstance(value, str) else list(value)
    return tuple(dict.fromkeys(str(word).strip() for word in words if str(word).strip()))
