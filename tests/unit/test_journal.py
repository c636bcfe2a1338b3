"""The journal: what is written is read, whatever is torn, damaged or still being written."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import pytest

from tracking.errors import JournalCorrupt
from tracking.home import journal_path
from tracking.journal import writer as writer_module
from tracking.journal.reader import read_stretch, writer_lives
from tracking.journal.records import FRAME, RecordType
from tracking.journal.writer import JournalBusy, JournalWriter
from tracking.shipping.journal_shipper import JournalShipper
from tracking.shipping.projector import read_batch
from tracking.states import RunState

RUN = {"attempt": 1, "start": {"id": "r", "project": "p", "started_at": 100.0, "config": {"lr": 0.1}}}


def new_writer(folder: Path) -> JournalWriter:
    return JournalWriter.create(journal_path(folder, 1), RUN)


def write_rows(writer: JournalWriter, count: int, first: int = 0) -> None:
    layout = writer.declare(("loss", "epoch"), "dq")
    assert layout is not None
    for step in range(first, first + count):
        writer.row(layout, step, 100.0 + step, (step / 2, step))


def losses(folder: Path) -> list[float]:
    shipper, values = JournalShipper(folder, "r", 1), []
    while (batch := shipper.collect()) is not None:
        values += batch.history["loss"].values if "loss" in batch.history else []
        shipper.accept(batch.to_offset)
    return values


def test_what_is_written_is_read_in_order(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    write_rows(writer, 5)
    writer.record(RecordType.FINISH, {"state": "failed", "exit_code": 3, "reason": "why", "at": 7.0})
    writer.close()
    batch = read_batch(tmp_path, "r", 1, 0)
    assert batch.start is not None
    assert (batch.start.project, dict(batch.start.config)) == ("p", {"lr": 0.1})
    assert batch.history["loss"].values == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert batch.history["epoch"].kind == "int"
    assert batch.history["_timestamp"].values[-1] == 104.0
    assert (batch.last_step, batch.summary["_runtime"]) == (4, 4.0)
    assert batch.end is not None
    assert (batch.end.state, batch.end.exit_code, batch.end.reason) == (RunState.FAILED, 3, "why")
    assert batch.to_offset == journal_path(tmp_path, 1).stat().st_size


def test_a_journal_cut_anywhere_gives_its_whole_records_and_no_error(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    write_rows(writer, 3)
    writer.json_row(3, 103.0, {"text": "ä"})
    writer.close()
    path = journal_path(tmp_path, 1)
    whole = path.read_bytes()
    lengths = set()
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        batch = read_batch(tmp_path, "r", 1, 0)
        assert batch.to_offset <= size
        lengths.add(len(batch.history["loss"].steps) if "loss" in batch.history else 0)
    assert lengths == {0, 1, 2, 3}
    assert batch.to_offset == len(whole)


def test_a_record_that_is_completed_later_is_read_then(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    write_rows(writer, 2)
    writer.close()
    path = journal_path(tmp_path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    shipper = JournalShipper(tmp_path, "r", 1)
    first = shipper.collect()
    assert first is not None
    shipper.accept(first.to_offset)
    assert shipper.collect() is None
    path.write_bytes(whole)
    second = shipper.collect()
    assert second is not None
    assert (first.history["loss"].steps, second.history["loss"].steps) == ([0], [1])
    assert second.from_offset == first.to_offset


def test_a_flipped_bit_costs_its_record_and_is_told_with_its_place(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    write_rows(writer, 10)
    writer.close()
    path = journal_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    row = len(FRAME.pack(0, 0)) + struct.calcsize("<BIqddq")
    place = len(data) - 3 * row
    data[place + 20] ^= 1
    path.write_bytes(data)
    shipper = JournalShipper(tmp_path, "r", 1)
    first = shipper.collect()
    assert first is not None
    assert first.history["loss"].steps == list(range(7))
    assert first.metadata["journal_damage"] == [{"attempt": 1, "part": "", "at": place, "bytes": row}]
    assert shipper.problem.startswith(f"{path} is damaged: {row} bytes (at byte {place}) are lost")
    shipper.accept(first.to_offset)
    second = shipper.collect()
    assert second is not None
    assert second.history["loss"].steps == [8, 9]
    shipper.accept(second.to_offset)
    assert shipper.collect() is None
    again = read_batch(tmp_path, "r", 1, first.to_offset)
    assert again == second


def test_a_file_that_is_no_journal_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "attempt-1.journal"
    path.write_bytes(b"something else altogether")
    with pytest.raises(JournalCorrupt, match=r"attempt-1\.journal is not a journal"):
        read_stretch(path, 0, 100)
    path.write_bytes(b"SWPJRNL\x09 and more")
    with pytest.raises(JournalCorrupt, match="newer version"):
        read_stretch(path, 0, 100)


def test_a_record_longer_than_the_batch_limit_is_read_whole(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    writer.json_row(0, 1.0, {"text": "x" * 50_000})
    writer.close()
    batch = read_batch(tmp_path, "r", 1, 0, max_bytes=1000)
    rest = read_batch(tmp_path, "r", 1, batch.to_offset, max_bytes=1000)
    assert rest.history["text"].values == ["x" * 50_000]


def test_a_batch_from_the_middle_knows_the_layouts_declared_before(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    write_rows(writer, 4)
    writer.close()
    first = read_batch(tmp_path, "r", 1, 0, max_bytes=journal_path(tmp_path, 1).stat().st_size - 60)
    second = read_batch(tmp_path, "r", 1, first.to_offset)
    assert first.history["loss"].steps + second.history["loss"].steps == [0, 1, 2, 3]
    assert second.start is None


def test_the_lock_tells_whether_the_writer_lives(tmp_path: Path) -> None:
    path = journal_path(tmp_path, 1)
    assert not writer_lives(path)
    writer = new_writer(tmp_path)
    assert writer_lives(path)
    with pytest.raises(JournalBusy):
        JournalWriter.reopen(path, 1)
    writer.close()
    assert not writer_lives(path)
    JournalWriter.reopen(path, 1).close()


def test_an_integer_beyond_64_bits_is_no_row(tmp_path: Path) -> None:
    writer = new_writer(tmp_path)
    layout = writer.declare(("n",), "q")
    assert layout is not None
    assert not writer.row(layout, 0, 1.0, (1 << 63,))
    assert writer.row(layout, 0, 1.0, ((1 << 63) - 1,))
    writer.close()


class FullDisk:
    """Stands in for os.write: takes `room` bytes, then the disk is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 1 << 40
        self.real = os.write
        monkeypatch.setattr(writer_module.os, "write", self.write)

    def write(self, descriptor: int, data: bytes) -> int:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.real(descriptor, data[: self.room])
        self.room -= written
        return written


@pytest.mark.parametrize("room", [0, 1, 30, 61, 100])
def test_a_full_disk_loses_nothing_once_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    disk = FullDisk(monkeypatch)
    writer = new_writer(tmp_path)
    write_rows(writer, 2)
    disk.room = room
    write_rows(writer, 50, first=2)
    disk.room = 1 << 40
    write_rows(writer, 2, first=52)
    assert writer.close()
    assert losses(tmp_path) == [step / 2 for step in range(54)]
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_a_disk_that_stays_full_costs_bounded_memory_and_the_loss_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BACKLOG_BYTES", 2000)
    disk = FullDisk(monkeypatch)
    writer = new_writer(tmp_path)
    disk.room = 0
    write_rows(writer, 1000)
    assert writer.dropped > 900
    writer.record(RecordType.FINISH, {"state": "finished"})
    disk.room = 1 << 40
    assert writer.close()
    batch = read_batch(tmp_path, "r", 1, 0)
    kept = batch.history["loss"].steps
    assert kept == list(range(len(kept)))
    assert batch.summary["_dropped"] == 1000 - len(kept)
    assert batch.end is not None


def test_a_disk_that_is_full_at_the_end_is_told_by_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    writer = new_writer(tmp_path)
    disk.room = 10
    write_rows(writer, 3)
    assert not writer.close(patience=0.0)


def test_a_disk_that_is_full_at_the_start_leaves_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)
    disk.room = 20
    with pytest.raises(OSError, match="No space"):
        new_writer(tmp_path)
    assert not journal_path(tmp_path, 1).exists()
