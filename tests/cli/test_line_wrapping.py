"""Lines of text on a terminal."""

from __future__ import annotations

import io
import os
import pty

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from recsys.cli.line_wrapping import for_stream, wrapped


def test_lines_are_broken_at_blanks():
    assert wrapped("a bird in the hand", 9) == "a bird in\nthe hand"


def test_what_fits_stays_as_it_is():
    assert wrapped("  epoch  1/30  loss", 19) == "  epoch  1/30  loss"


def test_each_line_of_a_text_is_broken_alone():
    assert wrapped("one two\nthree", 5) == "one\ntwo\nthree"


def test_a_word_that_is_wider_than_a_line_stays_whole():
    assert wrapped("see /a/long/path now", 8) == "see\n/a/long/path\nnow"


def test_wide_characters_take_two_columns():
    assert wrapped("漢字 漢字 ab", 9) == "漢字 漢字\nab"


@pytest.mark.parametrize(
    "command",
    [
        ".venv/bin/python scripts/train.py resume=runs/a -m seed=1,2",
        "recsys evaluate run=runs/a 'filters={a: {any_of: [b c]}}'",
        "python scripts/prepare.py",
    ],
)
def test_a_command_that_fits_stays_on_one_line(command):
    lines = wrapped(f"Write them now, before you do anything else: {command}, or not at all.", 62).splitlines()
    assert [line for line in lines if line.startswith(command)], lines


def test_a_command_that_does_not_fit_can_be_copied_from_its_lines():
    command = ".venv/bin/python scripts/train.py resume=runs/a-long-name 'x={a: b c}' -m seed=1,2,3"
    assert wrapped(f"to go on: {command}", 40).splitlines() == [
        "to go on:",
        ".venv/bin/python scripts/train.py \\",
        "  resume=runs/a-long-name 'x={a: b c}' \\",
        "  -m seed=1,2,3",
    ]


def test_a_command_with_an_indent_keeps_it_on_all_its_lines():
    lines = wrapped("  recsys train data=synthetic model=ease seed=1", 33).splitlines()
    assert lines == ["  recsys train data=synthetic \\", "    model=ease seed=1"]


@given(st.text("ab 漢", max_size=60), st.integers(2, 20))
def test_nothing_is_lost_and_only_whole_words_are_too_wide(text, width):
    lines = wrapped(text, width).split("\n")
    assert " ".join(lines).split() == text.split()
    assert all(cell_len(line.rstrip()) <= width or " " not in line.strip() for line in lines)


def test_a_file_gets_whole_lines():
    assert for_stream("a bird in the hand" * 30, io.StringIO()) == "a bird in the hand" * 30


def test_a_terminal_gets_lines_of_its_width():
    ours, theirs = pty.openpty()
    os.close(ours)  # whose terminal has gone: 0 columns, or an error
    with os.fdopen(theirs, "w") as stream:
        assert for_stream("a bird", stream) == "a bird"
