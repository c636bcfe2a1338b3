"""A damaged journal: what is sound is kept, what is lost is named with its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracking.errors import JournalCorrupt
from tracking.home import journal_path
from tracking.journal.damage import next_sound
from tracking.journal.records import FRAME, MAGIC, RecordType
from tracking.journal.writer import JournalWriter
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.projector import read_batch, replayed
from tracking.states import RunState
from tracking.store.contract import RunBatch, RunEnd

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 100.0}}
ROWS = 40


def write(folder: Path) -> bytes:
    """A journal of many kinds of records: the row of step n has loss n/2, every fifth a text, half of them two keys."""
    path = journal_path(folder, 1)
    path.unlink(missing_ok=True)
    writer = JournalWriter.create(path, RUN)
    narrow = writer.declare(("loss",), "d")
    for step in range(ROWS):
        if step == ROWS // 2:
            narrow = writer.declare(("loss", "epoch"), "dq")
        assert narrow is not None
        if step % 5 == 4:
            writer.json_row(step, 100.0 + step, {"loss": step / 2, "text": "x" * step})
        else:
            writer.row(narrow, step, 100.0 + step, (step / 2, step)[: len(narrow.kinds)])
        if step % 10 == 9:
            writer.record(RecordType.CONFIG, {"step": step})
    writer.close()
    return path.read_bytes()


def records(data: bytes) -> list[tuple[int, int, int]]:
    """Begin, end and type of each record."""
    found, place = [], len(MAGIC)
    while place < len(data):
        length, _ = FRAME.unpack_from(data, place)
        found.append((place, place + FRAME.size + length, data[place + FRAME.size]))
        place = found[-1][1]
    return found


def shipped(folder: Path, max_bytes: int = 1 << 22) -> tuple[dict[int, Any], JournalShipper, list[RunBatch]]:
    """All points of `loss` by step, after the end of the writer was told."""
    shipper = JournalShipper(folder, "r", 1)
    points: dict[int, Any] = {}
    batches = []
    ended = False
    while (batch := shipper.collect(max_bytes)) is not None or not ended:
        if batch is None:
            ended = True
            shipper.end(RunEnd(RunState.CRASHED))
            continue
        batches.append(batch)
        if "loss" in batch.history:
            points |= zip(batch.history["loss"].steps, batch.history["loss"].values, strict=True)
        shipper.accept(batch.to_offset)
    return points, shipper, batches


@given(
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 200),
    max_bytes=st.sampled_from([64, 400, 1 << 22]),
)
@example(flips=[(0, 1)], cut=0, max_bytes=64)
@example(flips=[(3, 16)], cut=0, max_bytes=1 << 22)
def test_every_sound_record_is_read_and_nothing_is_invented(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]], cut: int, max_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("run")
    whole = write(folder)
    data = bytearray(whole[: len(whole) - cut])
    body = len(data) - len(MAGIC)
    places = {len(MAGIC) + place % body for place, _ in flips}
    for place, bits in flips:
        data[len(MAGIC) + place % body] ^= bits
    journal_path(folder, 1).write_bytes(data)
    damaged = {place for place in places if data[place] != whole[place]}
    sound = [r for r in records(whole) if r[1] <= len(data) and not any(r[0] <= place < r[1] for place in damaged)]
    known_layouts = [r for r in sound if r[2] == RecordType.KEYS]
    begins = [r[0] for r in records(whole)]

    points, shipper, batches = shipped(folder, max_bytes)
    assert all(points[step] == step / 2 for step in points)
    if len(known_layouts) == 2:
        rows = [r for r in sound if r[2] in (RecordType.ROW, RecordType.JSONROW)]
        assert len(points) == len(rows)
    lost = [r for r in records(whole)[: sum(b < len(data) for b in begins)] if r not in sound]
    if lost:
        first = lost[0][0]
        before = [step for step in range(ROWS) if _record_of(whole, step)[1] <= first]
        assert set(before) <= points.keys()
        assert str(journal_path(folder, 1)) in shipper.problem
        assert f"byte {first}" in shipper.problem
        report = [item for batch in batches for item in batch.metadata.get("journal_damage", [])]
        assert any(item.get("at") == first for item in report)
    else:
        assert shipper.problem == ""
    # From any offset that a store may have, the rest is read in the same way.
    for batch in batches[:-1]:
        again = read_batch(folder, "r", 1, batch.from_offset, max_bytes)
        assert (again.to_offset, again.history) == (batch.to_offset, batch.history)


def _record_of(whole: bytes, step: int) -> tuple[int, int, int]:
    rows = [r for r in records(whole) if r[2] in (RecordType.ROW, RecordType.JSONROW)]
    return rows[step]


@pytest.mark.parametrize("what", ["zeros", "random", "missing", "repeated"])
def test_reading_goes_on_behind_a_damaged_stretch(tmp_path: Path, what: str) -> None:
    whole = write(tmp_path)
    middle = [r for r in records(whole) if r[2] == RecordType.ROW][ROWS // 2]
    begin, end = middle[0] + 5, middle[0] + 5 + 300
    filling = {"zeros": bytes(300), "random": os.urandom(5000), "missing": b"", "repeated": whole[begin:end] * 2}[what]
    journal_path(tmp_path, 1).write_bytes(whole[:begin] + filling + whole[end:])
    points, shipper, batches = shipped(tmp_path)
    assert points.keys() >= {0, 1, 2, ROWS - 1}
    assert all(points[step] == step / 2 for step in points)
    if what != "repeated":  # there, the first copy is sound
        assert f"byte {middle[0]}" in shipper.problem
    assert "is damaged" in shipper.problem
    assert batches[-1].end is not None
    assert replayed(tmp_path, "r", 1, batches[-1].to_offset).offset == batches[-1].to_offset


def test_rows_whose_declaration_is_lost_are_counted(tmp_path: Path) -> None:
    whole = bytearray(write(tmp_path))
    declaration = [r for r in records(bytes(whole)) if r[2] == RecordType.KEYS][1]
    whole[declaration[0] + 12] ^= 1
    journal_path(tmp_path, 1).write_bytes(whole)
    points, _, batches = shipped(tmp_path)
    assert set(points) == set(range(ROWS // 2)) | {24, 29, 34, 39}  # the JSON rows need no declaration
    report = batches[-1].metadata["journal_damage"] if batches[-1].metadata else batches[-2].metadata["journal_damage"]
    assert {"attempt": 1, "part": "", "rows": ROWS // 2 - 4} in report


def test_a_damaged_header_costs_nothing_while_the_first_record_is_sound(tmp_path: Path) -> None:
    whole = bytearray(write(tmp_path))
    whole[2] ^= 255
    journal_path(tmp_path, 1).write_bytes(whole)
    assert len(shipped(tmp_path)[0]) == ROWS
    whole[20] ^= 255
    journal_path(tmp_path, 1).write_bytes(whole)
    with pytest.raises(JournalCorrupt, match="is not a journal"):
        read_batch(tmp_path, "r", 1, 0)


def test_a_torn_tail_is_named_once_the_writer_is_gone(tmp_path: Path) -> None:
    whole = write(tmp_path)
    last = records(whole)[-1]
    journal_path(tmp_path, 1).write_bytes(whole[:-3])
    shipper = JournalShipper(tmp_path, "r", 1)
    batch = shipper.collect()
    assert batch is not None
    shipper.accept(batch.to_offset)
    assert shipper.collect() is None
    assert shipper.problem == ""  # it may still be completed
    shipper.end(RunEnd(RunState.CRASHED))
    final = shipper.collect()
    assert final is not None
    torn = last[1] - last[0] - 3
    assert final.metadata["journal_damage"] == [{"attempt": 1, "part": "", "at": last[0], "bytes": torn}]
    assert shipper.problem.endswith(f"its last record is torn: {torn} bytes (at byte {last[0]}) are lost")


def test_a_record_that_is_still_being_written_is_no_damage(tmp_path: Path) -> None:
    whole = write(tmp_path)
    path = journal_path(tmp_path, 1)
    shipper = JournalShipper(tmp_path, "r", 1)
    steps: list[int] = []
    for size in range(0, len(whole) + 1, 7):
        path.write_bytes(whole[:size])
        if (batch := shipper.collect()) is not None:
            steps += batch.history["loss"].steps if "loss" in batch.history else []
            shipper.accept(batch.to_offset)
        assert shipper.problem == ""
    path.write_bytes(whole)
    if (batch := shipper.collect()) is not None:
        steps += batch.history["loss"].steps if "loss" in batch.history else []
    assert steps == list(range(ROWS))


def test_a_sound_record_is_found_across_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tracking.journal import damage

    whole = write(tmp_path)
    path = journal_path(tmp_path, 1)
    path.write_bytes(whole[: len(MAGIC)] + bytes(1000) + whole[len(MAGIC) :])
    for window in (1 << 20, 64, 13):
        monkeypatch.setattr(damage, "_WINDOW", window)
        assert next_sound(path, 8) == len(MAGIC) + 1000
    assert next_sound(tmp_path / "missing", 0) is None
    assert next_sound(path, path.stat().st_size) is None
