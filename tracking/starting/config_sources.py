"""The forms in which a config comes: mappings, argparse and absl flags, dataclasses, pydantic models, YAML files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracking import environment
from tracking.errors import UsageError
from tracking.notices import warn

DEFAULTS_FILE = "config-defaults.yaml"


def as_mapping(source: Any) -> dict[str, Any]:
    """The keys and values of any config source. Raises UsageError which says what is accepted."""
    if source is None:
        return {}
    if isinstance(source, Mapping):
        return {str(key): value for key, value in source.items()}
    if isinstance(source, (str, os.PathLike)):
        return from_file(Path(source))
    if hasattr(type(source), "__dataclass_fields__"):
        from dataclasses import asdict  # its import costs 10 ms, and who passes a dataclass has paid them

        return asdict(source)
    if callable(getattr(source, "model_dump", None)):  # pydantic
        return dict(source.model_dump())
    if callable(getattr(source, "flag_values_dict", None)):  # absl
        return dict(source.flag_values_dict())
    if hasattr(source, "__dict__") and not callable(source):  # argparse.Namespace and its like
        return {key: value for key, value in vars(source).items() if not key.startswith("_")}
    if isinstance(source, (list, tuple)):
        return _from_pairs(source)
    raise UsageError(
        f"config is a {type(source).__name__}; "
        "pass a dict, an argparse.Namespace, a dataclass or the path of a YAML file"
    )


def from_file(path: Path) -> dict[str, Any]:
    """The values of a YAML (or JSON) file, plain or in the form `key: {desc: …, value: …}`. Raises UsageError."""
    from tracking.starting.yaml_file import read_yaml  # yaml is slow to import and seldom needed

    document = read_yaml(path)
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise UsageError(f"{path}: a config file holds keys and values, this one a {type(document).__name__}")
    return {str(key): _unwrapped(value) for key, value in document.items() if key != "wandb_version"}


def defaults(paths: Any = None) -> dict[str, Any]:
    """What config files bring without being named in the code: config-defaults.yaml, then SWEEP_CONFIG_PATHS.

    `paths` (of Settings.config_paths, a list or comma-separated text) stands in for SWEEP_CONFIG_PATHS.
    """
    values: dict[str, Any] = {}
    if os.path.exists(DEFAULTS_FILE):
        values.update(from_file(Path(DEFAULTS_FILE)))
    given = environment.read(environment.CONFIG_PATHS) or "" if paths is None else paths
    for name in given.split(",") if isinstance(given, str) else given:
        if str(name).strip():
            values.update(_from_named(Path(str(name).strip())))
    return values


def chosen(values: Mapping[str, Any], include: Any, exclude: Any) -> dict[str, Any]:
    """The keys that config_include_keys and config_exclude_keys leave. Raises UsageError when both are given."""
    if include and exclude:
        raise UsageError("config_include_keys and config_exclude_keys exclude each other: pass one")
    if include:
        return {key: values[key] for key in include if key in values}
    return {key: value for key, value in values.items() if key not in (exclude or ())}


def _from_named(path: Path) -> dict[str, Any]:
    if path.exists():
        return from_file(path)
    warn(f"the config file {path} of SWEEP_CONFIG_PATHS does not exist; it is left out")
    return {}


def _unwrapped(value: Any) -> Any:
    wrapped = isinstance(value, Mapping) and "value" in value and set(value) <= {"desc", "value"}
    return value["value"] if wrapped else value


def _from_pairs(source: list[Any] | tuple[Any, ...]) -> dict[str, Any]:
    try:
        return {str(key): value for key, value in source}
    except (TypeError, ValueError):
        raise UsageError("config is a list which is not made of (key, value) pairs") from None
