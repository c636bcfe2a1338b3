"""What artifacts, aliases and the files in them may be called, and how a path of an artifact is read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from tracking.artifacts.contract import ArtifactPath
from tracking.errors import UsageError

LATEST = "latest"
REGISTRY = "registry-"
MODEL_REGISTRY = "registry-model"
MAX_NAME = 128
MAX_COMPONENT = 255
"""Bytes of one component of a file's path: more fits no file system."""
MAX_PATH = 4000

_NAME = re.compile(r"[A-Za-z0-9_.\-]+")
_VERSION = re.compile(r"v(0|[1-9]\d{0,17})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_WINDOWS = re.compile(r'(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|.*[<>:"|?*].*|.*[. ]')


def check_name(name: object) -> str:
    """The name of an artifact. Raises UsageError: it becomes a folder on every system."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"artifact name {name!r}: a name has letters, digits, '-', '_' and '.' only (a version or an alias is no "
            "part of it)"
        )
    if len(name) > MAX_NAME:
        raise UsageError(f"artifact name {name[:40]!r}… has {len(name)} characters; at most {MAX_NAME} are allowed")
    if not name.strip("."):
        raise UsageError(f"artifact name {name!r} is nothing but dots")
    return name


def check_type(kind: object) -> str:
    """The type of an artifact. Raises UsageError."""
    return _checked_word("artifact type", kind)


def check_alias(alias: object) -> str:
    """An alias. Raises UsageError for one that reads as a version or a digest."""
    word = _checked_word("alias", alias)
    if _VERSION.fullmatch(word) or _DIGEST.fullmatch(word):
        raise UsageError(f"alias {word!r} reads as a version; versions are numbered by the store")
    return word


def check_aliases(aliases: Iterable[str] | None) -> list[str]:
    """Aliases, each once, in order. Raises UsageError, also for a single string."""
    if isinstance(aliases, str):
        raise UsageError(f"aliases={aliases!r}: aliases are a list of strings, such as [{aliases!r}]")
    return list(dict.fromkeys(check_alias(alias) for alias in aliases or ()))


def check_tags(tags: Iterable[str] | None) -> list[str]:
    """Tags, each once, in order. Raises UsageError."""
    if isinstance(tags, str):
        raise UsageError(f"tags={tags!r}: tags are a list of strings, such as [{tags!r}]")
    return list(dict.fromkeys(_checked_word("tag", tag) for tag in tags or ()))


def check_path(name: object) -> str:
    """The path of a file inside an artifact: relative, with forward slashes, never upwards. Raises UsageError."""
    try:
        text = os.fspath(name).replace(os.sep, "/")  # type: ignore[call-overload]
    except TypeError:
        raise UsageError(f"file name {name!r} is no text") from None
    why = _fault_of(text)
    if why:
        raise UsageError(f"file name {text[:80]!r} {why}; a name in an artifact is a relative path such as data/a.csv")
    return "/".join(part for part in text.split("/") if part not in ("", "."))


def is_portable(path: str) -> bool:
    """Whether Windows could have a file of this path, too."""
    return not any(_WINDOWS.fullmatch(part) for part in path.split("/")) and "\\" not in path


def version_of(alias: str) -> int | None:
    """The number that "v3" names; None for anything else."""
    found = _VERSION.fullmatch(alias)
    return int(found[1]) if found else None


def is_digest(alias: str) -> bool:
    return _DIGEST.fullmatch(alias) is not None


def is_registry(project: str) -> bool:
    return project.startswith(REGISTRY)


def parse(text: str, project: str = "", entity: str = "") -> ArtifactPath:
    """Read `[[entity/]project/]name[:alias]`; what is not said is `project`, `entity` and "latest".

    Raises UsageError.
    """
    if not isinstance(text, str) or not text:
        raise UsageError(f"{text!r} names no artifact; write [[entity/]project/]name[:alias]")
    place, colon, alias = text.partition(":")
    parts = place.split("/")
    if len(parts) > 3 or not all(parts) or (colon and not alias):
        raise UsageError(f"{text!r} names no artifact; write [[entity/]project/]name[:alias]")
    name = check_name(parts.pop())
    if parts:
        project = parts.pop()
        entity = parts.pop() if parts else entity
    return registered(ArtifactPath(entity, project, name, alias or LATEST))


def registered(path: ArtifactPath) -> ArtifactPath:
    """The path with the name of a registry as ours (`wandb-registry-…` and `model-registry` are W&B's), and without
    its entity."""
    project = path.project
    if project.startswith(f"wandb-{REGISTRY}"):
        project = project.removeprefix("wandb-")
    elif project == "model-registry":
        project = MODEL_REGISTRY
    return ArtifactPath("" if is_registry(project) else path.entity, project, path.name, path.alias)


def _checked_word(what: str, word: object) -> str:
    if not isinstance(word, str) or not word.strip():
        raise UsageError(f"{what} {word!r}: it must be a text with something in it")
    if len(word) > MAX_NAME or "/" in word or ":" in word or _CONTROL.search(word):
        raise UsageError(f"{what} {word[:80]!r}: at most {MAX_NAME} characters, none of them '/', ':' or a control one")
    return word


def _fault_of(text: str) -> str:
    """Why a text is no path inside an artifact, "" when it is one."""
    parts = text.split("/")
    if "\x00" in text:
        return "holds a NUL"
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        return "is absolute"
    if ".." in parts or ".." in text.split("\\"):
        return "leads upwards ('..')"
    if not any(part not in ("", ".") for part in parts):
        return "is empty"
    sizes = [len(part.encode("utf-8", "surrogateescape")) for part in parts] if _encodes(text) else [MAX_PATH]
    if max(sizes) > MAX_COMPONENT:
        return f"has a component longer than {MAX_COMPONENT} bytes"
    return "is too long" if sum(sizes) > MAX_PATH else ""


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
