"""Names of files: whatever a key is called, its file stays in its folder and can be written anywhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.media.keeping.naming import MAX_NAME, MAX_PART, distinct_name, safe_name

DIGEST = "0123456789abcdef" * 4
HOSTILE = ["../../etc/passwd", "a\0b", "x" * 3000, "/".join(["y" * 60] * 40), "CON", "nul.txt", "com1/a.", "..",
           "", "/", "a//b", "C:\\x", "ü" * 300, "\ud800", "a:b*c?", "trailing. ", "~", "-rf", "\u202eexe"]  # fmt: skip


def is_harmless(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return (
        not PurePosixPath(name).is_absolute()
        and not PureWindowsPath(name).is_absolute()
        and not PureWindowsPath(name).drive
        and ".." not in parts
        and all(0 < len(part.encode()) <= 255 for part in parts)
        and not set(name) & set('\0\\:*?"<>|')
        and not any(part.endswith((".", " ")) for part in parts)
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_become_harmless(name: str, tmp_path: Path) -> None:
    found = distinct_name(f"media/images/{name}_3.png", DIGEST)
    assert is_harmless(found)
    assert found.startswith("media/images/")
    assert found.endswith(f"_{DIGEST[:20]}.png")
    target = tmp_path / found
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"")
    assert target.resolve().is_relative_to(tmp_path.resolve())


@given(st.text(max_size=400))
def test_any_text_becomes_a_harmless_name(text: str) -> None:
    found = safe_name(text)
    assert is_harmless(found)
    assert len(found.encode()) <= MAX_NAME + MAX_PART + 1
    assert safe_name(found) == found


def test_usual_names_stay_readable() -> None:
    assert distinct_name("media/images/train/größe_3.png", DIGEST) == f"media/images/train/größe_3_{DIGEST[:20]}.png"
    assert distinct_name("media/object3D/a_0.pts.json", DIGEST).endswith(".pts.json")


def test_long_names_that_differ_late_stay_apart() -> None:
    one, two = ("k" * 300 + end for end in "ab")
    assert safe_name(one) != safe_name(two)


@pytest.mark.parametrize("name", ["con", "PRN.png", "aux.tar.gz", "Com7", "lpt9.x"])
def test_names_that_windows_reserves_get_an_underscore(name: str) -> None:
    assert safe_name(name) == f"_{name}"
    assert safe_name(f"console/x{name}") == f"console/x{name}"
