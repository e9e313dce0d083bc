import io

import pytest
from rich.console import Console
from rich.text import Text

from recsys.cli.text_table import Number, TextTable
from tests.cli.hostile import CONTROL, PLAIN, SHOWN, assert_as_it_is


def printed(table: TextTable, width: int = 120) -> str:
    stream = io.StringIO()
    # A console of rich's own, which reads markup, as that of a notebook does.
    Console(file=stream, width=width, force_terminal=True, color_system="standard").print(table)
    return stream.getvalue()


def plain(table: TextTable) -> list[str]:
    """The lines without styles, those that are empty left out."""
    stream = io.StringIO()
    Console(file=stream, width=120).print(table)
    return [line for line in stream.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize(("text", "shown"), [*zip(PLAIN, PLAIN, strict=True), *zip(CONTROL, SHOWN, strict=True)])
def test_cells_are_printed_as_they_are(text, shown):
    table = TextTable("name", "number")
    table.add_row(text, "1")
    assert_as_it_is(printed(table), (shown,))


@pytest.mark.parametrize("text", PLAIN)
def test_title_headings_and_caption_are_printed_as_they_are(text):
    table = TextTable(f"column {text}", title=f"title {text}", caption=f"caption {text}")
    table.add_column(f"another {text}", justify="right")
    table.add_row("1", "2")
    table.caption += " changed"
    assert_as_it_is(printed(table), (f"column {text}", f"title {text}", f"caption {text} changed", f"another {text}"))


def test_title_and_caption_are_wider_than_the_columns():
    table = TextTable("a", title="A title of several words", caption="And a caption below it")
    table.add_row("1")
    lines = [line.strip() for line in printed(table).splitlines()]
    assert "A title of several words" in lines[0] and "And a caption below it" in lines[-2]


def test_headings_keep_their_line_breaks():
    table = TextTable()
    table.add_column("better /\nworse")
    table.add_row("1")
    assert [line.strip(" |") for line in plain(table)] == ["better /", "worse", "----------", "1"]


def test_styles_are_given_as_text():
    table = TextTable("a")
    table.add_row(Text("loud", style="bold"))
    assert "\x1b[1mloud" in printed(table)


def test_it_is_markdown():
    table = TextTable("a", "b")
    table.add_row("1", "2")
    assert plain(table) == ["| a | b |", "|---|---|", "| 1 | 2 |"]


def number(parts: list[str], width: int, terminal: bool = False, **options: bool) -> list[str]:
    stream = io.StringIO()
    table = TextTable("n", show_header=False, box=None, padding=0, width=width)
    table.columns[0].justify = "right"
    table.add_row(Number(parts, **options))
    Console(file=stream, width=80, force_terminal=terminal, color_system="standard" if terminal else None).print(table)
    return [line.strip() for line in stream.getvalue().splitlines()]


def test_the_parts_of_a_number_are_never_broken():
    parts = ["0.3979", "+84.3%", "[0.3818, 0.4135]"]
    assert number(parts, 40) == ["0.3979 +84.3% [0.3818, 0.4135]"]
    assert number(parts, 20) == ["0.3979 +84.3%", "[0.3818, 0.4135]"]
    assert number(parts, 16, below=True) == ["0.3979", "+84.3%", "[0.3818, 0.4135]"]
    assert number(parts, 40, below=True) == ["0.3979", "+84.3%", "[0.3818, 0.4135]"]


def test_the_best_number_is_bold_on_a_terminal_and_marked_in_a_file():
    assert number(["0.5", "[0, 1]"], 20, best=True) == ["**0.5** [0, 1]"]
    assert number(["0.5", "[0, 1]"], 20, terminal=True, best=True)[0].endswith("\x1b[1m0.5\x1b[0m [0, 1]")
