from __future__ import annotations

from pathlib import Path

import pytest

from recsys.data.readers.tables.text_format import TextSettings, parse_settings, recognise, split_lines
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

IDS = ("user_id", "item_id")
HEADER, ROWS = ["user_id", "item_id", "rating"], [["u1", "a", "4"], ["u1", "b", "5"], ["u2", "a", "3"]]


def _file(tmp_path: Path, *lines: str) -> RawFile:
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return RawFile(tmp_path / "a.csv")


@pytest.mark.parametrize("default", [",", "\t", None])
@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::"])
def test_separators_are_recognised(tmp_path: Path, separator: str, default: str | None) -> None:
    file = _file(tmp_path, *(separator.join(row) for row in [HEADER, *ROWS]))
    text = recognise(file, TextSettings(), default, IDS)
    assert (text.separator, text.names, text.has_header) == (separator, tuple(HEADER), True)
    assert len(text.notes) == (separator != default)


def test_a_separator_inside_quotes_does_not_count(tmp_path: Path) -> None:
    file = _file(tmp_path, '"user_id";"item_id";"note"', '"1";"2";"a,b"', '"1";"3";"c,d"')
    assert recognise(file, TextSettings(), ",", IDS).separator == ";"


def test_decimal_commas_are_no_separators(tmp_path: Path) -> None:
    file = _file(tmp_path, "who;what;stars", "a;b;3,5", "a;c;4,0")
    assert recognise(file, TextSettings(), ",", IDS).separator == ";"


def test_a_column_named_otherwise_does_not_hide_the_separator(tmp_path: Path) -> None:
    file = _file(tmp_path, "User-ID|ISBN", "u1|1", "u2|2")
    text = recognise(file, TextSettings(), ",", IDS)
    assert (text.separator, text.names) == ("|", ("User-ID", "ISBN"))


def test_two_likely_separators_are_named(tmp_path: Path) -> None:
    file = _file(tmp_path, "a;b|c", "d;e|f")
    with pytest.raises(DataError, match=r"separated by ';' or by '\|'; .* data\.separator=';'"):
        recognise(file, TextSettings(), ",", IDS)
    assert recognise(file, TextSettings("|"), ",", IDS).names == ("a;b", "c")


def test_a_separator_that_divides_nothing_is_told(tmp_path: Path) -> None:
    message = r"data\.separator is ';', which is nowhere in it, and fields seem to be separated by ','; the first line"
    with pytest.raises(DataError, match=message):
        recognise(_file(tmp_path, "user_id,item_id", "1,2"), TextSettings(";"), ",", IDS)
    text = recognise(_file(tmp_path, "item_id", "1"), TextSettings(";"), ",", ("item_id",))
    assert text.names == ("item_id",)


def test_one_column_keeps_the_usual_separator(tmp_path: Path) -> None:
    assert recognise(_file(tmp_path, "item_id", "a", "b"), TextSettings(), ",", ("item_id",)).separator == ","


def test_a_few_damaged_lines_do_not_hide_the_separator(tmp_path: Path) -> None:
    lines = ["user;item;note", *(f"u{number};a;b" for number in range(20)), "u;a;b;c"]
    assert recognise(_file(tmp_path, *lines), TextSettings(), ",", IDS).separator == ";"
    # many damaged ones: what the first line has most of, which reading then tells of
    assert recognise(_file(tmp_path, "user|item", "u|a|b", "v"), TextSettings(), ",", IDS).separator == "|"


def test_the_header_is_looked_at_with_the_separator(tmp_path: Path) -> None:
    file = _file(tmp_path, "u1;a;4", "u2;b;5", "u1;b;5")
    with pytest.raises(DataError, match=r"seems to have no header: its first line is 'u1', 'a', '4'"):
        recognise(file, TextSettings(), ",", IDS)
    text = recognise(file, TextSettings(header=False), ",", ("0", "1"))
    assert (text.names, text.has_header) == (("0", "1", "2"), False)
    text = recognise(file, TextSettings(header=True), ",", IDS)
    assert (text.names, text.has_header) == (("u1", "a", "4"), True)


def test_quotes_that_do_not_end_are_one_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is no row of fields separated by ','"):
        recognise(_file(tmp_path, '"' + "x" * 200_000), TextSettings(), ",", IDS)


def test_lines_are_split() -> None:
    assert split_lines(['a,"b,c"', "d"], ",") == [["a", "b,c"], ["d"]]
    assert split_lines(['"a::b'], "::") == [['"a', "b"]]


def test_settings_are_one_for_all_tables_or_one_for_each() -> None:
    assert parse_settings("items", "tab", "Latin-1", ["item_id", 5]) == TextSettings(
        "\t", "iso8859-1", ("item_id", "5"), "items"
    )
    by_table = parse_settings("items", {"items": "::"}, {"users": "cp1252"}, {"items": False})
    assert by_table == TextSettings("::", None, False, "items")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((";;;", None, None), r"data\.separator must be"),
        ((3, None, None), r"data\.separator must be"),
        ((None, 3, None), r"data\.encoding must be"),
        ((None, "klingon", None), r"data\.encoding must be"),
        ((None, None, "no"), r"data\.header must be"),
        ((None, None, []), r"data\.header must be"),
    ],
)
def test_other_settings_are_refused(settings: tuple[object, object, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_settings("items", *settings)
