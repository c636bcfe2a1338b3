"""Numbers, durations, sparklines and JSON as people and scripts see them."""

from __future__ import annotations

import json
import math

import pytest

from sweeps.views.json_forms import dumps
from sweeps.views.sparkline import BARS, sparkline
from sweeps.views.tables import short_names
from sweeps.views.wording import ago, clean, duration, number, params_text, plural, value_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (42.4, "0:42"), (3785, "1:03:05"), (3 * 86400 + 7200, "3d 2h"), (-1, "0:00"), (None, "–")],
)
def test_durations_read_like_a_clock(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456789, "0.12346"), (1e-7, "1e-07"), (3.0, "3"), (None, "–"), (math.nan, "nan"), (1e300, "1e+300")],
)
def test_metrics_have_five_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "True"), (None, "None"), (0.00312345, "0.003123"), ([1, "a"], '[1, "a"]'), ("", "''"), ("a\nb", "a b")],
)
def test_parameters_are_one_short_text(value: object, text: str) -> None:
    assert value_text(value) == text


def test_only_named_parameters_are_written() -> None:
    assert params_text({"a": 1, "b": 2}, ["b", "absent"]) == ["b=2"]


def test_small_words() -> None:
    assert plural(1, "trial") == "1 trial"
    assert plural(2, "retry", "retries") == "2 retries"
    assert ago(5) == "5 s ago"
    assert ago(7200) == "2 h ago"
    assert clean("\x1b[31mred\x00") == "[31mred"


def test_a_sparkline_goes_from_the_lowest_to_the_highest_bar() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == BARS


def test_a_long_series_ends_with_its_last_value() -> None:
    line = sparkline([*range(1000), -1.0], 10)
    assert len(line) == 10
    assert line[-1] == BARS[0]


def test_a_sparkline_survives_odd_values() -> None:
    assert sparkline([], 10) == ""
    assert sparkline([math.nan, math.inf], 10) == "  "
    assert len(set(sparkline([2.0, 2.0, 2.0], 10))) == 1
    assert sparkline([-1.7e308, 1.7e308], 10) == BARS[0] + BARS[-1]
    assert sparkline([1.0, 2.0], 0) == ""


def test_json_has_null_where_numbers_are_not_finite() -> None:
    given = {"a": math.nan, "b": [math.inf, 1.5], "c": {"d": -math.inf}, "e": True, "f": {1}}
    assert json.loads(dumps(given)) == {"a": None, "b": [None, 1.5], "c": {"d": None}, "e": True, "f": "{1}"}


def test_dotted_names_are_shortened_where_that_is_unambiguous() -> None:
    assert short_names(["opt.lr", "width"]) == {"opt.lr": "lr", "width": "width"}
    assert short_names(["a.lr", "b.lr"]) == {"a.lr": "a.lr", "b.lr": "b.lr"}
