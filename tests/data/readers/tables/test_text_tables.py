from __future__ import annotations

from pathlib import Path

import pytest

from recsys.data.readers.tables.text_format import TextSettings, recognise
from recsys.data.readers.tables.text_tables import read_text_entities, read_text_interactions
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

WANTED = {"user_id": "user_id", "item_id": "item_id", "rating": "rating"}


def _file(tmp_path: Path, content: str | bytes) -> RawFile:
    (tmp_path / "a.dat").write_bytes(content.encode() if isinstance(content, str) else content)
    return RawFile(tmp_path / "a.dat")


def _interactions(file: RawFile, **settings: object) -> list[dict[str, object]]:
    text = recognise(file, TextSettings(**settings), ",", ("user_id", "item_id"))  # type: ignore[arg-type]
    rows: list[dict[str, object]] = read_text_interactions(file, text, WANTED).to_pylist()
    return rows


ROWS = [{"user_id": "é", "item_id": "1", "rating": 4.5}, {"user_id": "u", "item_id": "2", "rating": 3.0}]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|", "::"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_every_form_gives_the_same_rows(tmp_path: Path, separator: str, ends: str, encoding: str) -> None:
    lines = [["user_id", "item_id", "rating"], ["é", "1", "4.5"], ["u", "2", "3"]]
    content = "".join(separator.join(line) + ends for line in lines).encode(encoding)
    given = {"encoding": encoding} if encoding == "latin-1" else {}
    assert _interactions(_file(tmp_path, content), **given) == ROWS


def test_white_space_around_names_does_not_count(tmp_path: Path) -> None:
    file = _file(tmp_path, "user_id, item_id, rating \né,1,4.5\nu,2,3\n")
    assert _interactions(file) == ROWS
    with pytest.raises(DataError, match="column ' rating' must hold numbers, but row 1 has 'x'"):
        _interactions(_file(tmp_path, "user_id, item_id, rating\né,1,x\n"))
    file = _file(tmp_path, "item_id, price\n1,2\n")
    read = read_text_entities(file, recognise(file, TextSettings(), ",", ("item_id",)), "item_id")
    assert list(read.columns) == ["item_id", "price"]


def test_files_without_a_header(tmp_path: Path) -> None:
    file = _file(tmp_path, "é::1::4.5\nu::2::3\n")
    assert _interactions(file, header=("user_id", "item_id", "rating")) == ROWS


def test_ratings_with_decimal_commas_stay_text_for_later(tmp_path: Path) -> None:
    assert _interactions(_file(tmp_path, "user_id;item_id;rating\né;1;4,5\n"))[0]["rating"] == "4,5"
    with pytest.raises(DataError, match="must hold numbers, but row 1 has '4,5'"):
        _interactions(_file(tmp_path, 'user_id,item_id,rating\né,1,"4,5"\n'))


def test_a_line_that_is_not_in_the_encoding_is_named_with_the_setting(tmp_path: Path) -> None:
    content = b"user_id,item_id,rating\n" + b"u,2,3\n" * 50_000 + b"\xe9,2,3\n"
    with pytest.raises(DataError, match=r"line 50,002 is not: .*data\.encoding=latin-1"):
        _interactions(_file(tmp_path, content))
    with pytest.raises(DataError, match=r"must be text in utf-16"):
        _interactions(_file(tmp_path, "user_id,item_id,rating\nu,2,3\n".encode("utf-16") + b"\0"), encoding="utf-16")


def test_a_row_of_another_length_is_shown_as_it_is(tmp_path: Path) -> None:
    rows = "u::1::3\n" * 300
    with pytest.raises(
        DataError, match=r"each row must have 3 fields, but row 301 has 4: 'u::1::3::4'\. Correct the row"
    ):
        _interactions(_file(tmp_path, f"user_id::item_id::rating\n{rows}u::1::3::4\n"))


def test_long_fields_are_read(tmp_path: Path) -> None:
    long = "x" * (3 << 20)
    file = _file(tmp_path, f"item_id,story\n1,{long}\n2,b\n")
    text = recognise(file, TextSettings(), ",", ("item_id",))
    assert [len(story) for story in read_text_entities(file, text, "item_id").columns["story"].to_pylist()] == [
        3 << 20,
        1,
    ]


@pytest.mark.parametrize("header", [True, False])
def test_quotes_that_do_not_end_lose_no_rows(tmp_path: Path, header: bool) -> None:
    rows = 'u,1,a\nu,2,"b\n' + "u,3,c\n" * 1_000
    content = "user_id,item_id,note\n" * header + rows
    given = {} if header else {"header": ("user_id", "item_id", "note")}
    file = _file(tmp_path, content)
    text = recognise(file, TextSettings(**given), ",", ("user_id", "item_id"))  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match=r"row 2 has a field that begins with a double quote and does not end: 'b\\nu,3"
    ):
        read_text_interactions(file, text, {"user_id": "user_id", "item_id": "item_id"})


def test_quotes_within_text_and_lines_within_quotes_are_fine(tmp_path: Path) -> None:
    content = 'item_id,note\n1,12" vinyl\n\n2,"two\nlines"\n3,"7"" vinyl"\n'
    file = _file(tmp_path, content)
    read = read_text_entities(file, recognise(file, TextSettings(), ",", ("item_id",)), "item_id")
    assert read.columns["note"].to_pylist() == ['12" vinyl', "two\nlines", '7" vinyl']


def test_entities_become_numbers_where_all_values_are(tmp_path: Path) -> None:
    file = _file(tmp_path, "id;price;year;code;word\n01;2,5;1994;007;a\n2;3;;12;b\n")
    read = read_text_entities(file, recognise(file, TextSettings(), ",", ("id",)), "id")
    assert {name: column.to_pylist() for name, column in read.columns.items()} == {
        "id": ["01", "2"],
        "price": [2.5, 3.0],
        "year": [1994, None],
        "code": ["007", "12"],
        "word": ["a", "b"],
    }
    assert read.notes == ("price is read as numbers with decimal commas",)
