"""The collapser: what a terminal would show in the end, and nothing that was drawn over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracking.live.capturing import lines
from tracking.live.capturing.lines import MAX_LINE, MOST_HELD, Collapser


def kept(*pieces: str | bytes, step: float = 0.0) -> str:
    """What one stream of these pieces leaves in the file."""
    collapser, out = Collapser(), b""
    for number, piece in enumerate(pieces):
        out += collapser.feed(piece.encode() if isinstance(piece, str) else piece, number * step)
    return (out + collapser.flush()).decode("utf-8", "surrogateescape")


def test_plain_lines_pass_unchanged_and_at_once() -> None:
    collapser = Collapser()
    assert collapser.feed(b"one\ntwo\nthr", 0.0) == b"one\ntwo\n"
    assert collapser.feed(b"ee  \n\n", 0.0) == b"three  \n\n"
    assert collapser.flush() == b""


def test_an_unfinished_line_comes_at_the_end_with_a_line_end() -> None:
    assert kept("a\n", "b") == "a\nb\n"


def test_a_progress_bar_keeps_its_last_state_only() -> None:
    frames = [f"\r{n:3}%|{'#' * n}{' ' * (10 - n)}|" for n in range(11)]
    assert kept(*frames, "\nnext\n") == " 10%|##########|\nnext\n"


def test_a_bar_that_ends_frames_with_a_return_is_collapsed_too() -> None:
    assert kept(*[f"step {n}\r" for n in range(50)], "\n") == "step 49\n"


def test_what_a_shorter_frame_leaves_over_stays_as_on_a_terminal() -> None:
    assert kept("abcdef\rXY\n") == "XYcdef\n"


def test_a_bar_that_clears_itself_with_blanks_leaves_nothing() -> None:
    assert kept("\rloading", "\r       ", "\rdone   \n") == "done\n"


def test_windows_line_ends_are_line_ends() -> None:
    assert kept("a\r\nb\r\n") == "a\nb\n"
    assert kept("a\r", "\nb\r", "\n") == "a\nb\n"


def test_backspaces_move_back() -> None:
    assert kept("10/100" + "\b" * 6 + "20/100\n") == "20/100\n"


def test_erasing_the_line_leaves_what_comes_after() -> None:
    assert kept("long old text\r\x1b[Knew\n") == "new\n"
    assert kept("long old text\x1b[2K\rnew\n") == "new\n"


def test_colours_stay() -> None:
    text = "\x1b[31mred\x1b[0m plain \x1b[1;38;5;12mbold\x1b[m\n"
    assert kept(text) == text
    assert kept("\r\x1b[32m50%\x1b[0m", "\r\x1b[32m99%\x1b[0m\n") == "\x1b[32m99%\x1b[0m\n"


def test_other_sequences_leave_nothing() -> None:
    assert kept("\x1b[?25l\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b[?25h\n") == "ab\n"


def test_bars_below_each_other_keep_their_last_states() -> None:
    """As tqdm draws nested bars: the inner one a line below, then back up."""
    pieces = ["\router 0"]
    for outer in range(3):
        pieces += [f"\n\rinner {inner}\x1b[A" for inner in range(5)]
        pieces.append(f"\router {outer + 1}")
    assert kept(*pieces, "\n\n", step=0.01) == "outer 3\ninner 4\n"


def test_a_display_that_is_redrawn_as_a_whole_is_kept_once() -> None:
    """As rich draws: up, erase, all lines again."""
    redrawn = [f"\x1b[1A\x1b[2K\x1b[1A\x1b[2Ka {number}\nb {number}\n" for number in range(1, 20)]
    pieces = ["a 0\nb 0\n", *redrawn]
    # What was final before the first movement upwards stays.
    assert kept(*pieces, "end\n", step=0.05).splitlines()[-3:] == ["a 19", "b 19", "end"]


def test_a_rewritten_line_waits_a_second_and_then_is_final() -> None:
    collapser = Collapser()
    assert collapser.feed(b"10%\r20%\nnext\n", 0.0) == b""
    assert collapser.settle(0.5) == b""
    assert collapser.settle(1.5) == b"20%\nnext\n"


def test_held_lines_are_bounded() -> None:
    out = Collapser().feed(b"1\r2\n" + b"x\n" * (MOST_HELD + 10), 0.0)
    assert out.startswith(b"2\nx\n")


def test_sequences_and_letters_that_come_in_pieces_are_put_together() -> None:
    data = "é\x1b[31mü\x1b[0m\r█%\n".encode()
    for cut in range(1, len(data)):
        assert kept(data[:cut], data[cut:]) == kept(data)


def test_bytes_that_are_no_text_pass() -> None:
    collapser = Collapser()
    assert collapser.feed(b"\xff\xfe\x00\n", 0.0) == b"\xff\xfe\x00\n"
    assert collapser.feed(b"\xc3", 0.0) + collapser.flush() == b"\xc3\n"


def test_a_line_without_end_is_cut() -> None:
    collapser = Collapser()
    out = b"".join(collapser.feed(b"x" * 65536, 0.0) for _ in range(2 * MAX_LINE // 65536 + 2))
    assert len(out) > MAX_LINE


@given(st.lists(st.text(alphabet="ab \n\r\b\x1b[K1A;m", max_size=30), max_size=12))
def test_no_output_breaks_it_and_nothing_grows_without_bounds(pieces: list[str]) -> None:
    collapser = Collapser()
    for number, piece in enumerate(pieces):
        collapser.feed(piece.encode(), float(number))
    collapser.flush()
    assert collapser.flush() == b""
    assert len(collapser._lines) == 1


@given(st.lists(st.binary(max_size=40), max_size=12))
def test_text_without_control_characters_is_kept_byte_by_byte(pieces: list[bytes]) -> None:
    clean = [piece.replace(b"\r", b"").replace(b"\b", b"").replace(b"\x1b", b"") for piece in pieces]
    whole = b"".join(clean)
    collapser = Collapser()
    out = b"".join(collapser.feed(piece, 0.0) for piece in clean) + collapser.flush()
    assert out == whole + (b"\n" if whole and not whole.endswith(b"\n") else b"")


def test_the_collapser_imports_no_regular_expressions_for_plain_output() -> None:
    assert not hasattr(lines, "re")
