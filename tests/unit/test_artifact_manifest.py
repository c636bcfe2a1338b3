"""What an artifact holds, and the digest that follows from it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.artifacts.manifest import Entry, Manifest, decoded, digest_of
from tracking.errors import ArtifactDamaged, ArtifactError

ONE, TWO = "1" * 64, "2" * 64


def entry(path: str, digest: str = ONE, **more: object) -> Entry:
    return Entry(path, digest, 3, **more)  # type: ignore[arg-type]


def test_the_order_of_adding_does_not_matter() -> None:
    there, back = Manifest([entry("a"), entry("b/c", TWO)]), Manifest([entry("b/c", TWO), entry("a")])
    assert there.encoded() == back.encoded()
    assert digest_of("model", there.encoded()) != digest_of("dataset", there.encoded())
    assert json.loads(there.encoded()) == {"a": {"digest": ONE, "size": 3}, "b/c": {"digest": TWO, "size": 3}}


def test_a_manifest_is_read_back_as_it_was() -> None:
    whole = Manifest([entry("a"), entry("r", ref="s3://b/r", extra={"etag": "x"})], ["gone"])
    again = decoded(whole.encoded())
    assert again.encoded() == whole.encoded()
    assert (again.entries["r"].ref, again.entries["r"].extra, again.removed) == ("s3://b/r", {"etag": "x"}, {"gone"})


@given(st.dictionaries(st.text(st.characters(codec=None), min_size=1, max_size=20), st.integers(0, 2**60)))
def test_any_names_that_are_allowed_survive(files: dict[str, int]) -> None:
    allowed = {}
    for name, size in files.items():
        try:
            manifest = decoded(Manifest([Entry(name, ONE, size)]).encoded())
        except ArtifactDamaged:
            continue
        allowed[name] = size
        assert manifest.entries[name].size == size
    assert all(".." not in name.split("/") and not name.startswith("/") for name in allowed)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "a\x00", ""])
def test_names_that_lead_elsewhere_are_damage(path: str) -> None:
    with pytest.raises(ArtifactDamaged):
        decoded(json.dumps({path: {"digest": ONE, "size": 1}}).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b'{"a": 3}', b'{"a": {"size": 1}}', b"\xff"])
def test_what_is_no_manifest_is_damage(data: bytes) -> None:
    with pytest.raises(ArtifactDamaged, match="cannot be read"):
        decoded(data)


def test_a_name_takes_another_content_only_when_told_to() -> None:
    manifest = Manifest([entry("a")])
    manifest.add(entry("a"))
    with pytest.raises(ArtifactError, match="overwrite=True"):
        manifest.add(entry("a", TWO))
    manifest.add(entry("a", TWO), overwrite=True)
    assert manifest.entries["a"].digest == TWO


def test_a_file_cannot_be_a_folder() -> None:
    manifest = Manifest([entry("a/b")])
    with pytest.raises(ArtifactError, match="a folder 'a'"):
        manifest.add(entry("a"))
    with pytest.raises(ArtifactError, match="a file 'a/b'"):
        manifest.add(entry("a/b/c"))
    manifest.remove("a")
    manifest.add(entry("a"))


def test_files_and_folders_are_removed() -> None:
    manifest = Manifest([entry("a"), entry("d/x"), entry("d/e/y"), entry("dd")])
    manifest.remove("d")
    assert sorted(manifest.entries) == ["a", "dd"]
    with pytest.raises(FileNotFoundError, match="no 'd'"):
        manifest.remove("d")


def test_changes_are_laid_over_their_base() -> None:
    base = Manifest([entry("a"), entry("b"), entry("c")])
    whole = base.overlaid(Manifest([entry("b", TWO), entry("d")], ["c"]))
    assert {path: one.digest for path, one in whole.entries.items()} == {"a": ONE, "b": TWO, "d": ONE}
    assert (len(whole), whole.size) == (3, 9)
