from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from recsys.data.readers.tables.text_sample import check_encoding, encoding_message, read_sample
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def _file(tmp_path: Path, content: bytes, name: str = "a.csv") -> RawFile:
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return RawFile(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("é,b\n\n1,2\n", "utf-8", "utf-8"),
        ("é,b\n\n1,2\n", "utf-8-sig", "utf-8"),
        ("é,b\r\n1,2", "utf-16", "utf-16"),
    ],
)
def test_lines_and_the_byte_order_mark_are_read(tmp_path: Path, text: str, encoding: str, found: str) -> None:
    for name in ("a.csv", "a.csv.gz"):
        sample = read_sample(_file(tmp_path, text.encode(encoding), name))
        assert (list(sample.lines), sample.encoding, sample.old_line_ends) == (["é,b", "1,2"], found, False)


@pytest.mark.parametrize(
    ("first", "separator"),
    [("sep=;", ";"), ('"sep=,"', ","), ("SEP=|", "|"), ("sep=\t", "\t"), ("\ufeffsep=;;;", ";"), ("sepal;petal", None)],
)
def test_a_first_line_may_say_what_the_separator_is(tmp_path: Path, first: str, separator: str | None) -> None:
    sample = read_sample(_file(tmp_path, f"{first}\r\na;b\r\n1;2\r\n".encode()))
    assert sample.said_separator == separator
    assert list(sample.lines)[-2:] == ["a;b", "1;2"] and len(sample.lines) == (2 if separator else 3)


def test_the_encoding_may_be_said(tmp_path: Path) -> None:
    sample = read_sample(_file(tmp_path, "Amélie\n".encode("cp1252")), "cp1252")
    assert list(sample.lines) == ["Amélie"]


def test_old_line_ends_are_seen(tmp_path: Path) -> None:
    sample = read_sample(_file(tmp_path, b"a,b\r1,2\r"))
    assert (list(sample.lines), sample.old_line_ends) == (["a,b", "1,2"], True)


def test_a_line_that_may_go_on_is_left_out(tmp_path: Path) -> None:
    sample = read_sample(_file(tmp_path, b"a,b\n" + b"1," + b"x" * (1 << 18)))
    assert list(sample.lines) == ["a,b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; at least one row is needed"),
        (b" \n\r\n", "is empty; at least one row is needed"),
        (b"x" * (2 << 20), "has a first line of more than 1 MB, so it is no table of rows"),
        (b"a,b\n1,2\n\xe9,2\n", r"must be text in utf-8, but line 3 is not: .*data\.encoding=latin-1"),
        ("a,b\n1,2\né,3\n".encode("utf-16-le"), r"line 3 is not.*zero bytes.*data\.encoding=utf-16-le"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_sample(_file(tmp_path, content))


def test_encodings_are_named_as_python_does() -> None:
    assert (check_encoding("Latin-1"), check_encoding("UTF8")) == ("iso8859-1", "utf-8")
    for wrong in ("klingon", "base64"):
        with pytest.raises(DataError, match=rf"data\.encoding must be an encoding of text.* but is '{wrong}'"):
            check_encoding(wrong)


def test_a_file_that_is_text_after_all_gets_a_message_without_a_line(tmp_path: Path) -> None:
    assert "Set data.encoding" in encoding_message(_file(tmp_path, b"a"), "utf-8")
