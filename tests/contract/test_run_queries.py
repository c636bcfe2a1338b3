"""What the public Api finds: filters and orders mean the same on SQLite, on PostgreSQL and in plain Python."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.filter_oracle import Example, holds, in_order
from tests.contract.store_examples import finished, floats, further, started
from tracking.errors import RunNotFound
from tracking.home import part_id
from tracking.public.contract import Query, RunQueries
from tracking.public.filtering.parsing import parse, parse_order
from tracking.states import RunState
from tracking.store import open_queries
from tracking.store.contract import FileRecord, RunBatch, RunEnd, RunStart, RunStore, SeriesPart

NAN, INF = math.nan, math.inf
W1, W2, MACHINE = (part_id("a", part) for part in ("w1", "w2", "system"))
NASTY = ['a"b', "a\\b", "a'b", "ä.ö", "$.x", "", "x y", "\x00", "\ud800", "a[0]", "a]b", "*", "\n", "%", "\uf8ffnan"]


@pytest.fixture
def queries(url: str) -> Iterator[RunQueries]:
    opened = open_queries(url)
    yield opened
    opened.close()


def store_examples(store: RunStore, examples: list[Example]) -> None:
    batches = []
    for example in examples:
        start = RunStart(
            example.id, "p", name=example.name, group=example.group, tags=example.tags, config=example.config,
            sweep_id=example.sweep_id, trial=example.trial, started_at=example.started_at,
        )  # fmt: skip
        end = RunEnd(RunState(example.state), at=example.finished_at or 0.0)
        batches.append(RunBatch(example.id, 1, 0, 100, start=start, summary=example.summary, end=end))
    store.apply(batches)


EXAMPLES = [
    Example("r0", "alpha", "g", ("base", "v1"), config={"lr": 0.1, "opt": {"name": "adam", "depth": 3}, "on": True}),
    Example("r1", "beta", "", ("base",), "failed", config={"lr": 1, "opt": {"name": "sgd"}, "on": False, "n": None}),
    Example("r2", "Beta", "g", (), config={"lr": "0.1", "opt.name": "flat", "on": 1, "n": 0}, summary={"acc": NAN}),
    Example("r3", "", "h", ("v1",), "crashed", "s1234567", 0, config={"lr": NAN, "value": 5}, summary={"acc": INF}),
    Example("r4", "zäta", "", ("ümlaut",), config={"lr": -INF, "x": {"value": 2}}, summary={"acc": 0.5, "a.b": 1}),
    Example("r5", "10", "", (), config={"lr": 2**60, "layers": [1, 2], "x": 3}, summary={"acc": "high", "a": {"b": 2}}),
    Example("r6", "9", "", (), config={"lr": 2**60 + 1, "e": 1e-5, "nil": {}}, summary={"acc": True}),
    Example("r7", "alpha", "", (), "killed", config={key: n for n, key in enumerate(NASTY)}, finished_at=1007.5),
    Example("r8", "x", "", (), config={"nest": {key: n for n, key in enumerate(NASTY)}}, summary={"acc": -1}),
    Example("r9", "x", "", (), config={"text": "a\x00b", "emoji": "\U0001f600", "u": "\uf8ffnan"}, summary={"acc": 0}),
]

VALUES: list[Any] = [0.1, 1, "0.1", "adam", "", True, False, None, NAN, INF, -INF, 2**60, 2**70, -1.5, "\uf8ffnan"]
ORDERED = [0.1, "adam", INF, 2**60]
NAMES = [
    "config.lr", "config.on", "config.n", "config.opt.name", "config.opt.depth", "config.x", "config.x.value",
    "config.value", "config.layers", "config.e", "config.missing", "config.opt.value.name", "summary_metrics.acc",
    "summary.a.b", "config.text", "config.nil",
]  # fmt: skip


def check(queries: RunQueries, filters: dict[str, Any], examples: list[Example] = EXAMPLES) -> None:
    condition = parse(filters)
    assert condition is not None
    expected = {example.id for example in examples if holds(condition, example)}
    query = Query("p", where=condition)
    assert set(queries.ids(query)) == expected, filters
    other = Query("p", where=parse({"$nor": [filters]}))
    assert queries.count(other) == len(examples) - len(expected), ("not", filters)


def test_every_operator_with_every_kind_of_value_means_what_python_says(
    run_store: RunStore, queries: RunQueries
) -> None:
    store_examples(run_store, EXAMPLES)
    for name, value in itertools.product(NAMES, VALUES):
        check(queries, {name: value})
        if value in ORDERED:
            for op in ("$gt", "$gte", "$lt", "$lte"):
                check(queries, {name: {op: value}})
    for name in NAMES:
        check(queries, {name: {"$exists": True}})
        check(queries, {name: {"$in": []}})
        check(queries, {name: {"$nin": ["flat", 1, None]}})
        check(queries, {name: {"$in": VALUES}})
        check(queries, {name: {"$regex": "^a|1$"}})


@pytest.mark.parametrize("key", NASTY)
def test_names_of_config_values_may_be_anything(run_store: RunStore, queries: RunQueries, key: str) -> None:
    store_examples(run_store, EXAMPLES)
    number = NASTY.index(key)
    if key:
        check(queries, {f"config.{key}": number})
        check(queries, {f"config.{key}": {"$gt": 100}})
    check(queries, {f"config.nest.{key}": number})
    check(queries, {f"config.nest.{key}.deeper": None})


def test_texts_may_be_anything(run_store: RunStore, queries: RunQueries) -> None:
    store_examples(run_store, EXAMPLES)
    for name, value in (("config.text", "a\x00b"), ("config.emoji", "\U0001f600"), ("config.u", "\uf8ffnan")):
        check(queries, {name: value})
        check(queries, {name: {"$in": [value, "' OR 1=1 --"]}})
        check(queries, {name: {"$regex": "^.+$"}})
        assert len(queries.ids(Query("p", where=parse({name: value})))) == 1


@pytest.mark.parametrize(
    "filters",
    [
        {"state": "failed"},
        {"state": {"$in": ["failed", "crashed"]}},
        {"state": {"$ne": "finished"}, "group": None},
        {"group": {"$exists": True}},
        {"group": ""},
        {"group": {"$gt": "g"}},
        {"displayName": "alpha"},
        {"display_name": {"$regex": "^.eta|ä"}},
        {"name": "r3"},
        {"name": "alpha"},
        {"name": {"$ne": "alpha"}},
        {"id": {"$gte": "r5"}},
        {"displayName": {"$gt": "Beta"}},
        {"tags": "base"},
        {"tags": {"$in": ["v1", "ümlaut"]}},
        {"tags": {"$nin": ["v1"]}},
        {"tags": {"$regex": "^v"}},
        {"tags": {"$exists": False}},
        {"tags": None},
        {"sweep": None},
        {"sweep": "s1234567", "trial": 0},
        {"trial": None},
        {"trial": {"$in": [None, 0]}},
        {"duration": {"$lt": 10}},
        {"duration": {"$gte": 100}},
        {"startedAt": {"$lte": 1000}},
        {"started_at": {"$gt": "2020-01-01"}},
        {"finishedAt": {"$lt": "1970-01-01T00:17:00"}},
        {"$or": [{"state": "failed"}, {"config.lr": {"$lt": 0}}]},
        {"$and": [{"tags": "base"}, {"$nor": [{"config.on": True}, {"config.on": 7}]}]},
        {"config.lr": {"$not": {"$gt": 0.5}}},
        {"config.lr": {"$gt": 0, "$lte": 1}},
        {"$not": {"config.n": None}},
        {"$or": []},
        {"$and": []},
    ],
    ids=str,
)
def test_filters_over_the_fields_of_a_run(run_store: RunStore, queries: RunQueries, filters: dict[str, Any]) -> None:
    store_examples(run_store, EXAMPLES)
    check(queries, filters)


@pytest.mark.parametrize(
    "order",
    ["+config.lr", "-config.lr", "-summary_metrics.acc", "+summary_metrics.acc,-name", "displayName,-id", "-duration",
     "group,-displayName,id", "trial,-config.on,-id", "-config.nest.ä.ö"],
)  # fmt: skip
def test_orders_put_numbers_before_texts_and_last_what_is_missing(
    run_store: RunStore, queries: RunQueries, order: str
) -> None:
    store_examples(run_store, EXAMPLES)
    orders = parse_order(order)
    by_trial = sorted(EXAMPLES, key=lambda run: run.id)
    by_trial.sort(key=lambda run: run.trial if run.trial is not None else (-1 if _nulls_first(queries) else 9))
    assert queries.ids(Query("p", order=orders)) == [run.id for run in in_order(by_trial, orders)]


def _nulls_first(queries: RunQueries) -> bool:
    """SQLite puts NULL first: only the order of runs that are equal in everything asked for."""
    return bool(queries._database.is_sqlite)  # type: ignore[attr-defined]


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(), st.text(max_size=4),
    st.sampled_from(["a", "b", 0, 1, 1.0, 0.5]),
)  # fmt: skip
names = st.sampled_from(["a", "b", "a.b", "b.a", "value", 'q"', "ü"])
documents = st.recursive(
    st.dictionaries(names, scalars, max_size=4), lambda inner: st.dictionaries(names, inner | scalars, max_size=3)
)
paths = st.lists(names, min_size=1, max_size=3).map(".".join).map("config.{}".format)
operators = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), scalars),
    st.tuples(
        st.sampled_from(["$gt", "$gte", "$lt", "$lte"]),
        scalars.filter(lambda value: value is not None and not isinstance(value, bool)),
    ),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(scalars, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$regex"), st.sampled_from(["a", "^b", "[0-9]", ""])),
)
leaves = st.builds(lambda path, op: {path: {op[0]: op[1]}}, paths, operators)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda group, parts: {group: parts}, st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(documents, min_size=1, max_size=5), st.lists(trees, min_size=1, max_size=6))
def test_any_filter_over_any_config_means_what_python_says(
    run_store: RunStore, queries: RunQueries, configs: list[dict[str, Any]], filters: list[dict[str, Any]]
) -> None:
    run_store.delete_runs([f"h{number}" for number in range(5)])
    examples = [Example(f"h{number}", config=config) for number, config in enumerate(configs)]
    store_examples(run_store, examples)
    for one in filters:
        check(queries, one, examples)


def test_runs_are_found_by_project_entity_and_sweep_and_parts_never(run_store: RunStore, queries: RunQueries) -> None:
    starts = [
        RunStart("a", "p", "lab"), RunStart("b", "p"), RunStart("c", "p", "other"), RunStart("d", "q", sweep_id="s"),
        RunStart(W1, "p", "lab", part_of="a"), RunStart(MACHINE, "p", "lab", part_of="a"),
    ]  # fmt: skip
    run_store.apply([RunBatch(start.id, 1, 0, 10, start=start, summary={start.id: 1}) for start in starts])
    assert queries.ids(Query()) == ["a", "b", "c", "d"]
    assert queries.ids(Query("p")) == ["a", "b", "c"]
    assert queries.ids(Query("p", "lab")) == ["a", "b"]
    assert queries.ids(Query(sweep_id="s")) == ["d"]
    assert [row.name for row in queries.projects()] == ["p", "q"]
    assert [row.runs for row in queries.projects("lab")] == [2, 1]
    assert [row.id for row in queries.load(["d", "gone", "a", W1])] == ["d", "a"]
    assert queries.find(Query("p"), 1, 1)[0].id == "b"
    # What a further writer of the run says belongs to the run, what the machine did does not.
    assert queries.load(["a"])[0].summary == f'{{"{W1}":1,"a":1}}'


# -- histories ----------------------------------------------------------------------------------


def test_rows_come_in_step_order_whatever_the_memory_that_they_may_take(
    run_store: RunStore, queries: RunQueries
) -> None:
    steps = list(range(0, 9000, 3))
    sparse = [0, 5, 4000, 8999, 10**12]
    history = {
        "loss": floats(steps),
        "n": SeriesPart("int", list(range(9000)), list(range(9000))),
        "note": SeriesPart("json", sparse, [f"at {step}" for step in sparse]),
    }
    run_store.apply([started(history=history, end=finished())])
    expected: dict[int, dict[str, Any]] = {}
    for key, part in history.items():
        for step, value in zip(part.steps, part.values, strict=True):
            expected.setdefault(step, {})[key] = value
    whole = [(step, expected[step]) for step in sorted(expected)]
    for points in (1_000_000, 5_000, 100):
        assert list(queries.rows("run00001", points=points)) == whole
    assert list(queries.rows("run00001", ["note"], points=10)) == [(step, {"note": f"at {step}"}) for step in sparse]
    part = [row for row in whole if 1000 <= row[0] < 4001]
    assert list(queries.rows("run00001", None, 1000, 4001, points=500)) == part
    assert list(queries.rows("run00001", ["missing"])) == []
    assert list(queries.rows("unknown")) == []


def test_writers_of_a_run_are_one_history_and_the_run_itself_wins(run_store: RunStore, queries: RunQueries) -> None:
    run_store.apply([started("a", history={"x": floats([0, 2], [1.0, 2.0])})])
    for part, values in ((W1, [10.0, 11.0]), (W2, [20.0, 21.0]), (MACHINE, [90.0, 91.0])):
        start = RunStart(part, "digits", part_of="a")
        run_store.apply([started(part, start=start, history={"x": floats([0, 1], values), part: floats([5])})])
    assert list(queries.rows("a")) == [
        (0, {"x": 1.0}),
        (1, {"x": 11.0}),
        (2, {"x": 2.0}),
        (5, {W1: 2.5, W2: 2.5}),
    ]
    assert queries.values_at("a", ["x"], [0, 1, 2, 3]) == {"x": {0: 1.0, 1: 11.0, 2: 2.0}}
    assert list(queries.rows(MACHINE, ["x"])) == [(0, {"x": 90.0}), (1, {"x": 91.0})]


def test_values_at_some_steps_are_exact(run_store: RunStore, queries: RunQueries) -> None:
    steps = list(range(20_000))
    run_store.apply([started(history={"loss": floats(steps), "n": SeriesPart("int", steps[::7], steps[::7])})])
    run_store.apply([further(history={"n": floats([20_001], [0.5])})])
    wanted = [0, 7, 8, 4095, 4096, 19_999, 20_001]
    found = queries.values_at("run00001", ["loss", "n", "missing"], wanted)
    assert found["loss"] == {step: step / 2 for step in wanted[:-1]}
    assert found["n"] == {0: 0.0, 7: 7.0, 4095: 4095.0, 19_999: 19_999.0, 20_001: 0.5}
    assert found["missing"] == {}
    assert queries.values_at("run00001", ["loss"], []) == {"loss": {}}


def test_a_file_can_be_added_to_a_run(run_store: RunStore, queries: RunQueries) -> None:
    record = FileRecord("run00001", "a/b.txt", "0" * 64, 3, "text/plain", None, 12.0)
    with pytest.raises(RunNotFound):
        queries.add_file(record)
    run_store.apply([started()])
    queries.add_file(record)
    queries.add_file(record)
    assert run_store.files("run00001") == [record]
