"""YAML as users write it: its traps, its attacks, and messages that say where and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.errors import SpecInvalid
from sweeps.spec.loading import load, load_text
from sweeps.spec.report import Report
from sweeps.spec.source.scalars import resolve
from sweeps.spec.source.yaml_source import compose, read


def plain(text: str) -> Any:
    report = Report("sweep.yaml")
    root = compose(text, report)
    report.raise_if_faulty()
    return root.plain()


def fault(text: str) -> str:
    with pytest.raises(SpecInvalid) as caught:
        plain(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E5", 1e5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 15),
        ("0", 0),
        ("-3", -3),
        ("+3", 3),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("0x_", "0x_"),
        ("0x", "0x"),
        ("08", 8.0),
        ("e5", "e5"),
        ("=", "="),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_an_unquoted_word_means(text: str, value: Any) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@given(st.text())
def test_resolving_a_word_never_raises(text: str) -> None:
    resolve(text)


@pytest.mark.parametrize("text", ['"1e-5"', "'true'", "!!str 12", '!!str "x"', "! 5"])
def test_quoted_words_and_tagged_strings_are_strings(text: str) -> None:
    assert isinstance(plain(f"a: {text}")["a"], str)


def test_plain_tags_are_understood() -> None:
    assert plain("{a: !!float 3, b: !!int '7', c: !!bool true, d: !!null ''}") == {
        "a": 3.0,
        "b": 7,
        "c": True,
        "d": None,
    }


def test_anchors_and_merge_keys_work() -> None:
    text = "base: &b {min: 0, max: 1}\nlr:\n  <<: *b\n  max: 5\nlist: [*b, *b]\nmany: {<<: [*b, {q: 2, min: 9}]}\n"
    found = plain(text)
    assert found["lr"] == {"max": 5, "min": 0}
    assert found["list"] == [{"min": 0, "max": 1}] * 2
    assert found["many"] == {"min": 0, "max": 1, "q": 2}


def test_a_duplicate_key_is_a_fault_with_both_lines() -> None:
    message = fault("a: 1\nb: 2\na: 3\n")
    assert message.startswith("sweep.yaml:3:1: ")
    assert "first in line 1" in message


def test_every_duplicate_is_reported_at_once() -> None:
    assert fault("a: 1\na: 2\nb: {c: 1, c: 2}\n").count("second time") == 2


@pytest.mark.parametrize("key", ["1", "true", "null", "1.5", "~", "[a, b]"])
def test_a_key_that_is_no_string_is_a_fault(key: str) -> None:
    assert "keys must be strings" in fault(f"? {key}\n: x\n")


def test_yes_and_on_are_fine_as_keys() -> None:
    assert plain("on: 1\nyes: 2\n") == {"on": 1, "yes": 2}


def test_a_billion_laughs_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert "aliases repeat" in fault("\n".join(lines))


def test_a_billion_laughs_of_merge_keys_are_refused() -> None:
    base = "b: &b {" + ", ".join(f"k{i}: 1" for i in range(2000)) + "}\n"
    assert "aliases repeat" in fault(base + "".join(f"m{i}: {{<<: *b}}\n" for i in range(100)))


def test_an_alias_inside_of_its_own_anchor_is_refused() -> None:
    assert "inside of its own anchor" in fault("a: &a [*a]")


def test_an_unknown_alias_is_refused_with_its_place() -> None:
    assert fault("a: *nope\n").startswith("sweep.yaml:1:4: ")


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "a: &x [" * 10_000])
def test_deep_nesting_is_refused_and_no_recursion_error(text: str) -> None:
    assert "sweep.yaml" in fault(text)


def test_deep_nesting_by_aliases_is_refused() -> None:
    lines = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 80)]
    assert "nested deeper" in fault("\n".join(lines))


@pytest.mark.parametrize(
    "tag", ["!!python/object:os.system", "!!python/name:os.system", "!custom", "!!binary", "!!set"]
)
def test_hostile_and_foreign_tags_are_refused(tag: str) -> None:
    assert "is not allowed" in fault(f"a: {tag} {{x: 1}}\n")
    assert "is not allowed" in fault(f"a: {tag} x\n")


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("a:\n\tb: 1\n", "sweep.yaml:2:", "no tabs"),
        ("a: 1\n b: 2\n", "sweep.yaml:2:", "quotes"),
        ("a: [1, 2\nb: 3\n", "sweep.yaml:2:", ""),
        ("command: [${env}, ${program}]\n", "sweep.yaml:1:", "put macros in quotes"),
        ("a: @x\n", "sweep.yaml:1:4:", "needs quotes"),
        ("a: *\n", "sweep.yaml:1:", "quotes"),
        ('a: "open\n', "sweep.yaml:", ""),
        ("a: b: c\n", "sweep.yaml:1:", "quotes"),
        ("a\nb: 1\n", "sweep.yaml:2:", "colon"),
    ],
)
def test_malformed_yaml_says_where_and_what_to_do(text: str, place: str, hint: str) -> None:
    message = fault(text)
    assert message.startswith(place)
    assert "malformed YAML" in message
    assert hint in message


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\n\n"])
def test_an_empty_file_says_so(text: str) -> None:
    with pytest.raises(SpecInvalid, match=r"is empty|found nothing"):
        load_text(text)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n", "3\n"])
def test_a_file_that_is_no_mapping_says_so(text: str) -> None:
    with pytest.raises(SpecInvalid, match="must be a mapping with the keys method and parameters"):
        load_text(text)


def test_a_second_document_is_refused() -> None:
    assert fault("a: 1\n---\nb: 2\n").startswith("sweep.yaml:2:1: a second document")


@pytest.mark.parametrize("text", ["a: \x00", "a: \x07", "a: \ud800"])
def test_control_characters_are_refused(text: str) -> None:
    assert "sweep.yaml" in fault(text)


def test_an_escaped_nul_is_refused() -> None:
    assert "cannot be stored" in fault('a: "x\\0y"\n')


def test_a_file_larger_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text("# " + "x" * 1_000_001)
    with pytest.raises(SpecInvalid, match="larger than 1 MB"):
        read(path)
    with pytest.raises(SpecInvalid, match="larger than 1 MB"):
        plain("# " + "x" * 1_000_001)


def test_text_that_is_not_utf_8_says_where(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_bytes(b"name: a\nprogram: caf\xe9.py\n")
    with pytest.raises(SpecInvalid, match=r"sweep\.yaml:2:13: is not UTF-8"):
        read(path)


def test_a_byte_order_mark_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_bytes(b"\xef\xbb\xbfmethod: random\nparameters: {a: {value: 1}}\n")
    assert load(path).spec.method == "random"


def test_windows_line_ends_are_no_harm() -> None:
    assert plain("a: 1\r\nb: [2,\r\n 3]\r\n") == {"a": 1, "b": [2, 3]}


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("method: random")
    with pytest.raises(SpecInvalid, match=r"no such file \(did you mean sweep\.yaml\?\)"):
        load(tmp_path / "swep.yaml")


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="is not there"):
        load(tmp_path / "no" / "sweep.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpecInvalid, match="is a folder"):
        load(tmp_path)


def test_a_path_with_a_nul_is_refused() -> None:
    with pytest.raises(SpecInvalid, match="cannot be read"):
        load("a\0b")


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@#,? \n\t1.<~e"), max_size=40))
def test_random_text_is_a_tree_or_a_fault(text: str) -> None:
    try:
        plain(text)
    except SpecInvalid as error:
        faults = error.faults
    else:
        return
    assert faults
