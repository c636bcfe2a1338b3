"""What the projector makes of files, artifacts, alerts, metadata, rewinds, parts and clocks that jump."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tracking.home import journal_path
from tracking.journal.parts import JournalName, journals_in, parts_of, split_id
from tracking.journal.records import RecordType
from tracking.journal.writer import JournalWriter
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.projector import read_batch
from tracking.store.contract import RunBatch

DIGEST = "ab" * 32


def new_writer(folder: Path, part: str = "", started_at: float = 100.0, **start: Any) -> JournalWriter:
    run = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": started_at, **start}}
    return JournalWriter.create(journal_path(folder, 1, part), run)


def log(writer: JournalWriter, rows: dict[int, float], key: str = "loss", at: float = 100.0) -> None:
    layout = writer.declare((key,), "d")
    assert layout is not None
    for step, value in rows.items():
        writer.row(layout, step, at + step, (value,))


def projected(folder: Path, part: str = "") -> RunBatch:
    return read_batch(folder, "r", 1, 0, part=part)


def test_files_artifacts_alerts_and_metadata_come_in_order(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    writer.record(RecordType.FILE, {"name": "a", "sha256": DIGEST})
    writer.record(RecordType.ARTIFACT, {"do": "log", "id": "1"})
    place = journal_path(tmp_path, 1).stat().st_size
    writer.record(RecordType.ALERT, {"title": "t"})
    writer.record(RecordType.ARTIFACT, {"do": "use", "id": "2"})
    writer.record(RecordType.METADATA, {"git": "x", "pip": []})
    writer.record(RecordType.METADATA, {"pip": ["numpy"]})
    writer.record(RecordType.FILE, {"name": "b", "sha256": DIGEST})
    writer.close()
    batch = projected(tmp_path)
    assert [file["name"] for file in batch.files] == ["a", "b"]
    assert [record["do"] for record in batch.artifacts] == ["log", "use"]
    assert batch.alerts == [{"title": "t", "position": place}]
    assert batch.metadata == {"git": "x", "pip": ["numpy"]}


def test_a_fork_and_a_tentative_start_are_told_to_the_store(tmp_path: Path) -> None:
    new_writer(tmp_path, forked_from="parent", fork_step=7, tentative=True, starting_step=8, unknown=1).close()
    start = projected(tmp_path).start
    assert start is not None
    assert (start.forked_from, start.fork_step, start.tentative, start.starting_step) == ("parent", 7, True, 8)


def test_a_rewind_drops_what_came_before_it_and_says_again_what_the_user_set(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    writer.record(RecordType.SUMMARY, {"mine": 1})
    log(writer, {5: 1.0, 6: 2.0})
    writer.json_row(7, 107.0, {"text": "gone", "loss": 3})
    writer.record(RecordType.FILE, {"name": "media/6.png", "sha256": DIGEST, "step": 6})
    writer.record(RecordType.FILE, {"name": "model.pt", "sha256": DIGEST, "step": None})
    writer.record(RecordType.REWIND, {"step": 0})
    log(writer, {0: 9.0}, at=200.0)
    writer.close()
    batch = projected(tmp_path)
    assert batch.rewind == 0
    assert batch.history.keys() == {"loss", "_timestamp"}
    assert (batch.history["loss"].steps, batch.history["loss"].values) == ([0], [9.0])
    assert batch.history["_timestamp"].values == [200.0]
    assert (batch.last_step, batch.summary["loss"], batch.summary["mine"]) == (0, 9.0, 1)
    assert [file["name"] for file in batch.files] == ["model.pt"]
    # In a batch of its own it says so too.
    later = read_batch(tmp_path, "r", 1, _place_of(tmp_path, RecordType.REWIND))
    assert (later.rewind, later.summary["mine"], later.history["loss"].steps) == (0, 1, [0])


def test_a_rewind_to_a_step_keeps_the_rows_before_it(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    log(writer, {0: 1.0, 1: 2.0, 2: 3.0})
    log(writer, {0: 5.0, 2: 6.0}, key="other")
    writer.record(RecordType.REWIND, {"step": 2})
    writer.close()
    batch = projected(tmp_path)
    assert batch.history["loss"].steps == [0, 1]
    assert batch.history["other"].steps == [0]
    assert (batch.rewind, batch.last_step) == (2, 1)


def _place_of(folder: Path, kind: RecordType) -> int:
    from tracking.journal.records import FRAME, MAGIC

    data = journal_path(folder, 1).read_bytes()
    place = len(MAGIC)
    while data[place + FRAME.size] != kind:
        place += FRAME.size + int(FRAME.unpack_from(data, place)[0])
    return place


# -- parts --------------------------------------------------------------------------------------


def test_a_part_is_shipped_under_its_own_id(tmp_path: Path) -> None:
    writer = new_writer(tmp_path, "w1")
    log(writer, {0: 1.0})
    writer.close()
    (tmp_path / "attempt-1.log").write_bytes(b"the console is that of the run")
    shipper = JournalShipper(tmp_path, "r", 1, part="w1")
    batch = shipper.collect()
    assert batch is not None
    assert batch.start is not None
    assert (batch.run_id, batch.start.id, batch.start.part_of, batch.console) == ("r:w1", "r:w1", "r", b"")
    assert shipper.run_id == "r:w1"
    assert batch.summary["loss"] == 1.0
    shipper.accept(0)  # the store lost it: from the beginning
    again = shipper.collect()
    assert again is not None
    assert (again.run_id, again.from_offset) == ("r:w1", 0)


def test_samples_of_the_machine_are_no_summary(tmp_path: Path) -> None:
    writer = new_writer(tmp_path, "system")
    log(writer, {0: 50.0}, key="system/cpu")
    writer.record(RecordType.SUMMARY, {"system/peak": 3})
    writer.close()
    batch = projected(tmp_path, "system")
    assert batch.summary == {"system/peak": 3}
    assert batch.history["system/cpu"].values == [50.0]


def test_the_journals_of_a_folder_are_found(tmp_path: Path) -> None:
    good = "1.journal 1.system.journal 1.w10.journal 1.w2.journal 2.journal 12.w1.journal"
    odd = "x.journal 1.W.journal 1.log 1.journal.bak -1.journal"
    names = [f"attempt-{rest}" for rest in f"{good} {odd}".split()]
    for name in names:
        (tmp_path / name).touch()
    assert parts_of(tmp_path, 1) == ["w2", "w10", "system"]
    assert parts_of(tmp_path, 2) == []
    assert journals_in(tmp_path)[:2] == [JournalName(1, ""), JournalName(1, "w2")]
    assert journals_in(tmp_path)[-2:] == [JournalName(2, ""), JournalName(12, "w1")]
    assert journals_in(tmp_path / "missing") == []
    assert [split_id(text) for text in ("r", "r:w1", "a-1:system")] == [("r", ""), ("r", "w1"), ("a-1", "system")]


# -- clocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "runtime"),
    [
        ([101.0, 102.0, 105.0], 5.0),
        ([101.0, 51.0, 53.0], 3.0),  # set back by a minute: 1 s before, 2 s after
        ([10.0, 11.0, 12.0], 2.0),  # set back before the first row
        ([99.0], 0.0),
    ],
)
@pytest.mark.parametrize("in_one", [True, False])
def test_a_clock_that_is_set_back_makes_no_negative_runtime(
    tmp_path: Path, times: list[float], runtime: float, in_one: bool
) -> None:
    writer = new_writer(tmp_path)
    layout = writer.declare(("loss",), "d")
    assert layout is not None
    shipper = JournalShipper(tmp_path, "r", 1)
    seen = [0.0]
    for step, at in enumerate(times):
        writer.row(layout, step, at, (1.0,))
        if not in_one or step == len(times) - 1:
            batch = shipper.collect()
            assert batch is not None
            seen.append(batch.summary["_runtime"])
            shipper.accept(batch.to_offset)
    writer.record(RecordType.FINISH, {"state": "finished", "at": 20.0})
    writer.close()
    assert seen == sorted(seen)
    assert seen[-1] == runtime
    last = shipper.collect()
    assert last is not None
    assert last.end is not None
    assert last.end.at == 100.0  # never before the start


def test_steps_decide_the_order_whatever_the_clock_says(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    layout = writer.declare(("loss",), "d")
    assert layout is not None
    for step, at in ((0, 300.0), (1, 200.0), (2, 250.0)):
        writer.row(layout, step, at, (float(step),))
    writer.close()
    batch = projected(tmp_path)
    assert batch.history["loss"].values == [0.0, 1.0, 2.0]
    assert batch.history["_timestamp"].values == [300.0, 200.0, 250.0]
    assert (batch.last_step, batch.summary["_timestamp"], batch.summary["_step"]) == (2, 250.0, 2)
