"""Reading filters and orders: what they become, and how faults are told."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy
import pytest

from tracking.errors import UsageError
from tracking.public.filtering.conditions import AllHold, Compare, Exists, Field, Matches, Not, OneHolds, OneOf, Order
from tracking.public.filtering.fields import field
from tracking.public.filtering.parsing import parse, parse_order

LR = Field("config.lr", "config", "", (("lr",),))
STATE = Field("state", "text", "state")


@pytest.mark.parametrize(
    ("filters", "condition"),
    [
        ({"state": "failed"}, Compare(STATE, "eq", "failed")),
        ({"config.lr": {"$lt": 0.1}}, Compare(LR, "lt", 0.1)),
        ({"config.lr": {"$gte": 0, "$ne": 3}}, AllHold((Compare(LR, "gte", 0), Not(Compare(LR, "eq", 3))))),
        ({"config.lr": {"$in": [1, None]}}, OneOf(LR, (1, None))),
        ({"config.lr": {"$nin": ["a"]}}, Not(OneOf(LR, ("a",)))),
        ({"config.lr": {"$exists": False}}, Not(Exists(LR))),
        ({"config.lr": {"$not": {"$exists": 1}}}, Not(Exists(LR))),
        ({"state": {"$regex": "^f"}}, Matches(STATE, "^f")),
        ({"$or": [{"state": "a"}]}, OneHolds((Compare(STATE, "eq", "a"),))),
        ({"$nor": [{"state": "a"}]}, Not(OneHolds((Compare(STATE, "eq", "a"),)))),
        ({"$and": []}, AllHold(())),
        ({}, None),
        (None, None),
    ],
)
def test_a_filter_becomes_a_condition(filters: Any, condition: Any) -> None:
    assert parse(filters) == condition


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"config.lr": {"$gtt": 1}}, ["'$gtt'", "did you mean '$gt'", "config.lr"]),
        ({"$orr": []}, ["'$orr'", "did you mean '$or'"]),
        ({"stat": "x"}, ["'stat'", "Did you mean 'state'?"]),
        ({"displayname": "x"}, ["Did you mean 'display_name'?"]),
        ({"confg.lr": 1}, ["Did you mean 'config.lr'?"]),
        ({"lr": 1}, ["config.lr", "summary_metrics.lr"]),
        ({"config": 1}, ["config.NAME"]),
        ({"config.lr": {}}, ["empty mapping", "$gte"]),
        ({"config.lr": [1, 2]}, ["config.lr", "list"]),
        ({"config.lr": {"$in": "abc"}}, ["takes a list"]),
        ({"$or": {"state": "x"}}, ["takes a list of filters"]),
        ({"$and": [{"state": {"$re": 1}}]}, ["filters['$and'][0]['state']['$re']"]),
        ({"config.lr": {"$gt": True}}, ["no order"]),
        ({"config.lr": {"$gt": None}}, ["no order"]),
        ({"duration": "long"}, ["duration is a number"]),
        ({"state": 5}, ["state is a text"]),
        ({"createdAt": "yesterday"}, ["no time", "2026-05-31T12:00:00"]),
        ({"state": {"$regex": "("}}, ["no regular expression"]),
        ({"duration": {"$regex": "1"}}, ["is no text"]),
        (["state"], ["a filter is a mapping"]),
    ],
)
def test_a_fault_is_told_with_its_place_and_the_nearest_name(filters: Any, words: list[str]) -> None:
    with pytest.raises(UsageError) as told:
        parse(filters)
    assert [word for word in words if word not in str(told.value)] == []


def test_a_filter_that_is_nested_too_deep_is_refused() -> None:
    filters: dict[str, Any] = {"state": "a"}
    for _ in range(60):
        filters = {"$and": [filters]}
    with pytest.raises(UsageError, match="deep"):
        parse(filters)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (12, 12.0),
        ("1970-01-01T00:01:00", 60.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-02", 86400.0),
        ("1970-01-01T00:00:01Z", 1.0),
        (datetime(1970, 1, 1, 0, 0, 5), 5.0),
        (datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC), 5.0),
        (date(1970, 1, 3), 172800.0),
    ],
)
def test_times_are_iso_text_datetimes_or_unix_seconds(value: Any, seconds: float) -> None:
    assert parse({"createdAt": {"$gt": value}}) == Compare(Field("createdAt", "time", "created_at"), "gt", seconds)


def test_scalars_of_numpy_and_huge_integers_become_numbers() -> None:
    assert parse({"config.lr": numpy.float32(0.5)}) == Compare(LR, "eq", 0.5)
    assert parse({"config.lr": 2**80}) == Compare(LR, "eq", float(2**80))
    assert parse({"config.lr": -(10**400)}) == Compare(LR, "eq", -math.inf)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("config.a", [("a",)]),
        ("config.a.b", [("a.b",), ("a", "b")]),
        ("config.a.b.c", [("a.b.c",), ("a.b", "c"), ("a", "b.c"), ("a", "b", "c")]),
        ("config.lr.value", [("lr.value",), ("lr", "value"), ("lr",)]),
        ("config.opt.value.lr", [("opt.value.lr",), ("opt.value", "lr"), ("opt", "value.lr"), ("opt", "value", "lr"),
                                 ("opt.lr",), ("opt", "lr")]),
        ("summary_metrics.lr.value", [("lr.value",), ("lr", "value")]),
        ("summary.a.b.c.d.e", [("a.b.c.d.e",), ("a", "b", "c", "d", "e")]),
        ("summary.train/loss", [("train/loss",)]),
    ],
)  # fmt: skip
def test_dots_may_be_part_of_a_name_or_lead_into_a_mapping(name: str, places: list[tuple[str, ...]]) -> None:
    assert list(field(name).paths) == places


def test_an_order_is_words_with_signs() -> None:
    assert parse_order("-config.lr, +createdAt,state") == (
        Order(LR, True), Order(field("createdAt")), Order(STATE)
    )  # fmt: skip
    assert parse_order(["-config.lr"]) == (Order(LR, True),)
    assert parse_order("") == parse_order(None) == ()
    with pytest.raises(UsageError, match="tags"):
        parse_order("tags")
    with pytest.raises(UsageError, match=r"'creatdAt'.*Did you mean 'createdAt'"):
        parse_order("-creatdAt")
