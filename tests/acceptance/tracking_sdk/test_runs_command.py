"""`sweep runs` and `sweep export` on runs in a store."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.acceptance.desk import Run, told
from tests.contract.store_examples import floats, started
from tracking.home import part_id
from tracking.states import RunState
from tracking.store import open_store
from tracking.store.contract import RunBatch, RunEnd, RunStart, RunStore, SeriesPart


@pytest.fixture
def store(home: Path) -> Iterator[RunStore]:
    opened = open_store()
    yield opened
    opened.close()


@pytest.fixture
def some(store: RunStore) -> RunStore:
    """Three runs: a0 to a2, the last one running."""
    for number, name in enumerate(("one", "two", "three")):
        start = RunStart(
            f"a{number}", "demo", name=name, tags=("base",) if number else (), started_at=1000.0 + number,
            config={"lr": number / 10, "opt": {"name": "adam" if number else "sgd"}, "seed": 7},
            metadata={"program": "train.py"},
        )  # fmt: skip
        end = RunEnd(RunState.FINISHED, exit_code=0, at=1042.0 + number) if number < 2 else None
        history = {"loss": floats([0, 1, 2]), "note": SeriesPart("json", [1], [["x", None]])}
        summary = {"loss": 0.5 - number / 10, "bad": math.nan}
        store.apply(
            [RunBatch(f"a{number}", 1, 0, 100, start=start, history=history, summary=summary, last_step=2, end=end)]
        )
    return store


def ok(result: tuple[int, str, str]) -> str:
    status, out, err = result
    assert status == 0, err
    return out


def test_without_a_store_there_are_no_runs_and_none_is_made(run: Run, home: Path) -> None:
    assert "No runs yet" in ok(run("runs"))
    assert json.loads(ok(run("runs", "ls", "--json"))) == []
    for words in (["runs", "show", "x"], ["runs", "rm", "x"], ["runs", "compare", "x", "y"], ["export", "-o", "d"]):
        assert run(*words)[0] == 1
    assert not (home / "store.db").exists()


def test_runs_are_listed_filtered_and_ordered(run: Run, some: RunStore) -> None:
    lines = ok(run("runs")).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["a2", "a1", "a0"]
    out = ok(run("runs", "-p", "demo", "-f", "config.lr>=0.1", "-o", "+summary.loss", "-c", "config.opt.name"))
    assert [line.split()[0] for line in out.splitlines()[2:]] == ["a2", "a1"]
    assert "opt.name" in out
    assert "adam" in out
    assert "0.1" in out
    for words, ids in (
        (["-f", "state=running"], ["a2"]),
        (["-f", "name~^t", "-f", "state!=running"], ["a1"]),
        (["-f", "tags=base", "-f", "config.lr<0.15"], ["a1"]),
        (["-f", "displayName!~o"], ["a2"]),
        (["-f", '{"$or": [{"config.lr": 0}, {"config.lr": 0.2}]}'], ["a2", "a0"]),
        (["-f", "config.opt.name=sgd"], ["a0"]),
        (["-f", "config.missing=null", "-n", "1"], ["a2"]),
    ):
        assert [found["id"] for found in json.loads(ok(run("runs", "ls", "--json", *words)))] == ids, words
    assert "No runs fit the filter" in ok(run("runs", "-f", "config.lr>9"))
    assert "… and 2 more" in ok(run("runs", "-n", "1"))


@pytest.mark.parametrize(
    ("text", "words"),
    [("lr>1", "config.lr"), ("config.lr", "NAME=VALUE"), ("{config", "no JSON"), ("stat=x", "Did you mean 'state'")],
)
def test_a_wrong_filter_says_what_would_be_right(run: Run, some: RunStore, text: str, words: str) -> None:
    status, _, err = run("runs", "ls", "-f", text)
    assert status == 1
    assert words in err


def test_a_run_is_shown_by_id_name_or_beginning(run: Run, some: RunStore) -> None:
    machine = part_id("a1", "system")
    start = RunStart(machine, "demo", part_of="a1")
    some.apply([started(machine, start=start, history={"system/cpu": floats([0, 1])})])
    out = ok(run("runs", "show", "two"))
    for words in ("demo/a1", "finished", "base", "train.py", "opt.name", "adam", "loss", "▁", "system/cpu", "0:42"):
        assert words in out, words
    shown = json.loads(ok(run("runs", "show", "a1", "--json")))
    assert shown["config"]["opt"] == {"name": "adam"}
    assert shown["summary"] == {"loss": 0.4, "bad": None}
    assert [key["key"] for key in shown["keys"]] == ["loss", "note", "system/cpu"]
    status, _, err = run("runs", "show", "a")
    assert (status, "beginning of 3 runs" in err) == (1, True)
    status, _, err = run("runs", "show", "twoo")
    assert (status, "Did you mean 'a1'" in err) == (1, True)


def test_trials_are_shown_by_sweep_and_number(run: Run) -> None:
    sweep = told(run, [0.5])
    assert f"{sweep.id}-0" in ok(run("runs", "show", f"{sweep.id[:4]}-0"))
    assert [found["id"] for found in json.loads(ok(run("runs", "--json", "-f", f"sweep={sweep.id}")))] == [
        f"{sweep.id}-0"
    ]


def test_runs_are_compared_by_what_differs(run: Run, some: RunStore) -> None:
    out = ok(run("runs", "compare", "a0", "two", "a2"))
    assert "lr" in out
    assert "seed" not in out
    found = json.loads(ok(run("runs", "compare", "a0", "a1", "--json")))
    assert found["config"] == {"lr": [0.0, 0.1], "opt.name": ["sgd", "adam"]}
    assert found["summary"]["loss"] == [0.5, 0.4]
    assert "seed" in ok(run("runs", "compare", "a0", "a1", "--all"))
    assert run("runs", "compare", "a0")[0] == 2


def test_runs_are_removed_when_a_person_agrees_and_running_ones_never(
    run: Run, some: RunStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    (home / "runs" / "a0").mkdir(parents=True)
    status, _, err = run("runs", "rm", "a0")
    assert (status, "--yes" in err) == (1, True)
    status, _, err = run("runs", "rm", "a0", "a2", "--yes")
    assert (status, "a2 still runs; nothing was removed" in err) == (1, True)
    assert len(some.runs()) == 3
    assert "Removed 1 run: a0 (one)." in ok(run("runs", "rm", "a0", "--yes"))
    assert [found.id for found in some.runs()] == ["a1", "a2"]
    assert not (home / "runs" / "a0").exists()


# -- export -----------------------------------------------------------------------------------------


def test_a_history_is_exported_exactly(run: Run, some: RunStore, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "h.csv"
    assert "3 rows" in ok(run("export", "one", "-o", str(out)))
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["_step"], row["loss"], row["note"]) for row in rows] == [
        ("0", "0.0", ""), ("1", "0.5", '["x", null]'), ("2", "1.0", ""),
    ]  # fmt: skip
    ok(run("export", "a0", "a1", "-o", str(tmp_path / "h.jsonl")))
    lines = [json.loads(line) for line in (tmp_path / "h.jsonl").read_text().splitlines()]
    assert [(line["run_id"], line["_step"]) for line in lines] == [(i, s) for i in ("a0", "a1") for s in range(3)]
    ok(run("export", "-p", "demo", "--history", "-o", str(tmp_path / "h.parquet")))
    table = pyarrow.parquet.read_table(tmp_path / "h.parquet")
    assert table.num_rows == 9
    assert table.column_names == ["run_id", "_step", "loss", "note"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["h.jsonl", "h.parquet"]


def test_a_project_is_exported_into_a_folder(run: Run, some: RunStore, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "2 runs, 6 rows" in ok(run("export", "-p", "demo", "-f", "state=finished", "-o", str(out)))
    table = pyarrow.parquet.read_table(out / "runs.parquet").to_pylist()
    assert [row["id"] for row in table] == ["a0", "a1"]
    assert table[1]["config.opt.name"] == "adam"
    assert math.isnan(table[1]["summary.bad"])
    assert sorted(path.name for path in (out / "history").iterdir()) == ["a0.parquet", "a1.parquet"]
    ok(run("export", "-p", "demo", "-o", str(out), "--format", "jsonl"))
    assert len((out / "runs.jsonl").read_text().splitlines()) == 3


def test_the_runs_of_a_sweep_are_exported(run: Run, tmp_path: Path) -> None:
    sweep = told(run, [0.5, 0.25])
    ok(run("export", "--sweep", sweep.id, "-o", str(tmp_path / "runs.csv")))
    rows = list(csv.DictReader((tmp_path / "runs.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == [f"{sweep.id}-0", f"{sweep.id}-1"]
    assert "config.opt.lr" in rows[0]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["a0", "-p", "demo", "-o", "x.csv"], 2, "not both"),
        (["a0", "-o", "x.doc"], 1, "a file ends with"),
        (["a0", "-o", "x.csv", "--format", "parquet"], 1, "named as csv"),
        (["-p", "nothing", "-o", "x.csv"], 1, "no run fits"),
        (["zzz", "-o", "x.csv"], 1, "zzz"),
        (["a0"], 2, "--output"),
    ],
)
def test_a_wrong_export_writes_nothing(run: Run, some: RunStore, words: list[str], status: int, message: str) -> None:
    got, _, err = run("export", *words)
    assert (got, message in err) == (status, True), err
    assert not list(Path().glob("x.*"))
