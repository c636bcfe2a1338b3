"""The console file: bounded by leaving out the middle."""

from __future__ import annotations

from pathlib import Path

from tracking.live.capturing.keeping import ConsoleFile
from tracking.live.capturing.pump import _begun


def test_what_fits_is_appended_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = ConsoleFile(str(path), 1000)
    file.write(b"one\n")
    assert path.read_bytes() == b"one\n"
    file.write(b"two\n")
    file.finish()
    assert path.read_bytes() == b"one\ntwo\n"


def test_beginning_and_end_of_a_long_output_are_kept_with_a_note_between(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = ConsoleFile(str(path), 10_000)
    lines = [f"line {number}\n".encode() for number in range(10_000)]
    for line in lines:
        file.write(line)
        assert path.stat().st_size <= 5_000
    file.finish()
    kept = path.read_bytes()
    assert len(kept) <= 10_100
    head, _, rest = kept.partition(b"\n[sweepwright: ")
    count, _, tail = rest.partition(b" bytes of output are left out here]\n")
    assert b"".join(lines).startswith(head)
    assert head.endswith(b"\n")
    assert b"".join(lines).endswith(tail)
    assert tail.startswith(b"line ")
    assert len(tail) >= 2_500
    assert int(count) == len(b"".join(lines)) - len(tail) - len(head)
    assert sorted(tmp_path.iterdir()) == [path]


def test_output_that_only_just_is_too_long_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = ConsoleFile(str(path), 1000)
    lines = b"".join(b"line %03d\n" % number for number in range(90))
    for at in range(0, len(lines), 9):
        file.write(lines[at : at + 9])
    file.finish()
    assert path.read_bytes() == lines


def test_a_file_that_is_there_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    ConsoleFile(str(path), 1000).write(b"after\n")
    assert path.read_bytes() == b"before\nafter\n"


def test_one_enormous_piece_is_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "log"
    file = ConsoleFile(str(path), 1000)
    file.write(b"y\n" * 100_000)
    file.finish()
    assert path.stat().st_size <= 1_100


def test_the_beginning_of_a_mark_is_held_back() -> None:
    assert _begun(b"text\x1b_sw", b"\x1b_sweep") == 4
    assert _begun(b"text\x1b", b"\x1b_sweep") == 1
    assert _begun(b"text\x1b[", b"\x1b_sweep") == 0
    assert _begun(b"text", b"\x1b_sweep") == 0
