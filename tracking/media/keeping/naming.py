"""Names of files that are safe on every file system: never outside their folder, never too long, never reserved."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

MAX_PART = 100
"""Bytes of one part of a name, in UTF-8; file systems end at 255 with whatever others add."""
MAX_NAME = 200
"""Bytes of the folders of a name together; Windows ends at 260 characters for the whole path."""
DIGITS = 20
"""How much of a digest a name carries: enough that no two files of a run ever meet."""
_BAD = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_name(name: str) -> str:
    """The name with slashes as folders, every part harmless: no `..`, no NUL, nothing that Windows reserves."""
    parts = [safe_part(part) for part in name.split("/") if part not in ("", ".")]
    return _joined(parts[:-1], parts[-1] if parts else "_")


def distinct_name(name: str, digest: str) -> str:
    """A safe name with a part of the digest before its extension: `a/b_0.png` becomes `a/b_0_<20 digits>.png`."""
    folder, _, file = name.rpartition("/")
    stem, extension = split_extension(file)
    extension = safe_part(extension)[:24].rstrip(". ") if extension else ""
    folders = [safe_part(part) for part in folder.split("/") if part not in ("", ".")]
    return _joined(folders, f"{safe_part(stem)}_{digest[:DIGITS]}{extension}")


def safe_part(part: str) -> str:
    """One part of a name, without a slash in it; a long one keeps its start and gets a digest of the whole."""
    clean = _BAD.sub("_", unicodedata.normalize("NFC", part)).replace("/", "_").rstrip(". ").lstrip(" ")
    if not clean.strip("."):
        return "_" * max(1, len(clean))
    if _RESERVED.fullmatch(clean):
        clean = f"_{clean}"
    return clean if len(clean.encode()) <= MAX_PART else _cut(clean, MAX_PART)


def split_extension(file: str) -> tuple[str, str]:
    """Stem and extension; the double ones of ours (`.pts.json`) stay together."""
    for double in (".pts.json", ".plotly.json", ".boxes2D.json", ".table.parquet", ".mask.png"):
        if file.endswith(double):
            return file[: -len(double)], double
    stem, dot, extension = file.rpartition(".")
    return (stem, dot + extension) if dot and stem and "/" not in extension else (file, "")


def _joined(folders: list[str], file: str) -> str:
    path = "/".join(folders)
    if len(path.encode()) > MAX_NAME:
        path = _cut(path, MAX_NAME).strip("/")
    return f"{path}/{file}" if path else file


def _cut(text: str, size: int) -> str:
    """The start of a text and a digest of all of it, `size` bytes at most; no character is cut in two."""
    mark = f"~{sha256(text.encode()).hexdigest()[:8]}"
    return text.encode()[: size - len(mark)].decode("utf-8", "ignore").rstrip(". /") + mark
