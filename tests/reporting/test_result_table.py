from __future__ import annotations

import io
import math
import re

from rich.console import Console

from recsys.reporting.result_table import Cell, ResultTable, estimate_text

TABLE = ResultTable(
    "Results",
    ["model", "recall@10,\nnew items"],
    [[Cell("mf|2"), Cell(".25", "[.2, .3]", bold=True)], [Cell("ease"), Cell("-")]],
    "Means over users.",
)


def printed(table: ResultTable, width: int = 80, colour: bool = False) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=colour, color_system="standard" if colour else None).print(
        table.for_terminal()
    )
    return stream.getvalue()


def test_markdown_has_a_heading_and_the_note_below() -> None:
    assert TABLE.markdown() == (
        "## Results\n"
        "\n"
        "| model | recall@10, new items |\n"
        "| --- | ---: |\n"
        "| mf\\|2 | **.25** [.2, .3] |\n"
        "| ease | - |\n"
        "\n"
        "Means over users.\n"
    )


def test_a_table_without_a_note_ends_with_its_rows() -> None:
    assert ResultTable("T", ["a"], [[Cell("b")]]).markdown() == "## T\n\n| a |\n| --- |\n| b |\n"


def test_on_a_terminal_details_are_below() -> None:
    text = printed(TABLE)
    lines = text.splitlines()
    assert lines[0].strip() == "Results"
    assert lines[-2].strip() == "Means over users."
    row = next(place for place, line in enumerate(lines) if "mf|2" in line)
    assert ".25" in lines[row] and "[.2, .3]" not in lines[row]
    assert "[.2, .3]" in lines[row + 1]


def test_bold_text_has_a_plain_detail() -> None:
    text = printed(TABLE, colour=True)
    assert re.search(r"\x1b\[1m *\.25", text)
    assert re.search(r"\x1b\[2m *\[\.2", text)
    assert not re.search(r"\x1b\[1m *\[\.2", text)


def test_numbers_are_never_folded() -> None:
    table = ResultTable("T", ["run", "value"], [[Cell("a_very_long_name_of_a_run"), Cell("0.1234567890")]])
    text = printed(table, width=30)
    assert "0.1234567890" in text
    assert "a_very_long_name_of_a_run" not in text


def test_a_table_that_is_too_wide_is_printed_in_parts_with_the_names() -> None:
    columns = ["model", "protocol", *(f"metric {number}" for number in range(6))]
    rows = [
        [Cell(model), Cell("cold items"), *(Cell(f".{number}000", "[.0001, .9999]") for number in range(6))]
        for model in ("popularity", "a model with quite a long name")
    ]
    table = ResultTable("Wide", columns, rows, "A note.", num_names=2)
    for width in (40, 80, 120):
        text = printed(table, width=width)
        lines = text.splitlines()
        assert max(map(len, lines)) <= width
        for number in range(6):
            assert text.count(f"metric {number}") == 1 and text.count(f".{number}000") == 2
        assert text.count("[.0001, .9999]") == 12
        assert width == 40 or text.count("popularity") == text.count("protocol") >= 1
        assert lines[0].strip() == "Wide" and text.count("A note.") == 1
    assert printed(table, width=200).count("protocol") == 1


def test_a_table_of_names_alone_is_one_part() -> None:
    assert "ease" in printed(ResultTable("T", ["run"], [[Cell("ease")]]))


def test_an_estimate_has_its_interval_where_it_is_known() -> None:
    assert estimate_text(0.11924, (0.1043, 0.13421)) == "0.1192 [0.1043, 0.1342]"
    assert estimate_text(0.5, None) == estimate_text(0.5, (math.nan, math.nan)) == "0.5000"
