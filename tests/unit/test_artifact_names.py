"""What artifacts and the files in them may be called."""

from __future__ import annotations

import pytest

from tracking.artifacts.contract import ArtifactPath
from tracking.artifacts.names import (
    check_alias,
    check_aliases,
    check_name,
    check_path,
    check_type,
    is_portable,
    parse,
    version_of,
)
from tracking.errors import UsageError


@pytest.mark.parametrize("name", ["model", "run-x1-model.pt", "a_b.c-D", "CON", "x" * 128])
def test_plain_names_are_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "a:v1", "a b", "a\x00", "ä", "x" * 129, "../x", None, 3])
def test_names_that_could_not_be_folders_are_refused(name: object) -> None:
    with pytest.raises(UsageError, match="artifact name"):
        check_name(name)


@pytest.mark.parametrize("alias", ["", " ", "v3", "v0", "a/b", "a:b", "a\nb", "x" * 129, "0" * 64])
def test_aliases_that_read_as_something_else_are_refused(alias: str) -> None:
    with pytest.raises(UsageError, match="alias"):
        check_alias(alias)


def test_aliases_are_a_list_of_words_each_once() -> None:
    assert check_aliases(["best", "v-3", "best", "Über"]) == ["best", "v-3", "Über"]
    assert check_aliases(None) == []
    with pytest.raises(UsageError, match=r"such as \['best'\]"):
        check_aliases("best")


def test_types_are_words() -> None:
    assert check_type("raw data") == "raw data"
    with pytest.raises(UsageError, match="artifact type"):
        check_type("a/b")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("a.txt", "a.txt"),
        ("./a//b/./c", "a/b/c"),
        ("a/", "a"),
        ("CON", "CON"),
        ("nul.txt", "nul.txt"),
        ("\N{SNOWMAN}/\u4f60", "\N{SNOWMAN}/\u4f60"),
        ("a..b/...", "a..b/..."),
        ("bad\udcff", "bad\udcff"),
        ("x" * 255, "x" * 255),
        ("new\nline", "new\nline"),
    ],
)
def test_relative_paths_are_taken_in_one_form(path: str, kept: str) -> None:
    assert check_path(path) == kept


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "/", "../x", "a/../b", "a/..", "/etc/passwd", "C:\\x", "C:/x", "\\\\host\\x", "a\\..\\b", "a\x00b"),
        *("x" * 256, "ä" * 128, "/".join(["abcdefgh"] * 600), "\ud800", 5),
    ],
)
def test_paths_that_lead_elsewhere_are_refused_with_why(path: object) -> None:
    with pytest.raises(UsageError, match="file name"):
        check_path(path)


@pytest.mark.parametrize("path", ["con", "a/NUL.txt", "com1", "a<b", "x:y", "end.", "end ", "a\\b"])
def test_what_windows_cannot_have_is_known(path: str) -> None:
    assert not is_portable(path)
    assert is_portable("con-fig/a.txt")


def test_paths_of_artifacts_are_read_with_their_defaults() -> None:
    assert parse("model", "p", "e") == ArtifactPath("e", "p", "model", "latest")
    assert parse("q/model:best", "p", "e") == ArtifactPath("e", "q", "model", "best")
    assert parse("f/q/model:v3", "p", "e") == ArtifactPath("f", "q", "model", "v3")
    assert str(parse("f/q/model:v3")) == "f/q/model:v3"


@pytest.mark.parametrize("path", ["org/registry-models/best:prod", "wandb-registry-models/best:prod"])
def test_a_registry_has_no_entity(path: str) -> None:
    assert parse(path, "p", "e") == ArtifactPath("", "registry-models", "best", "prod")
    assert parse("model-registry/best").project == "registry-model"


@pytest.mark.parametrize("path", ["", "a/b/c/d", "a//b", "model:", "/model", "a b/c d"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError):
        parse(path, "p")


def test_versions_are_a_v_and_a_number() -> None:
    assert [version_of(alias) for alias in ("v0", "v12", "v01", "V1", "latest", "v")] == [0, 12, None, None, None, None]
