"""JSON text that any database can search and that brings back everything."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.database.json_text import dumps, escaped_text, loads, plain_text

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=6) | st.sampled_from(
    ["\x00", "\ud800", "\uf8ff", "\uf8ffnan", "\uf8ff0000", "\\u0000", "NaN"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


def strict(text: str) -> Any:
    """As a parser reads it that knows no NaN."""

    def refuse(word: str) -> Any:
        raise AssertionError(word)

    return json.loads(text, parse_constant=refuse)


@given(values)
def test_everything_comes_back_and_the_text_is_strict(value: Any) -> None:
    text = dumps(value)
    strict(text)
    assert "\\u0000" not in text.replace("\\\\", "")
    assert repr(loads(text)) == repr(value)


@given(texts)
def test_a_text_stands_in_the_json_as_it_is_escaped(text: str) -> None:
    assert strict(dumps([text])) == [escaped_text(text)]
    assert plain_text(escaped_text(text)) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_know_come_back(value: float) -> None:
    assert repr(loads(dumps({"a": [value]}))) == repr({"a": [value]})


def test_ordinary_values_are_ordinary_json() -> None:
    assert dumps({"a": [1, 2.0, None, True, "ü"]}) == '{"a":[1,2.0,null,true,"\\u00fc"]}'
