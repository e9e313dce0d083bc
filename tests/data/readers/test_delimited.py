from __future__ import annotations

import gzip
import math
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.readers import delimited
from recsys.data.readers.delimited import read_delimited, read_header
from recsys.data.readers.identifiers import ID_TYPE
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

TYPES = {"user": ID_TYPE, "rating": pa.float32(), "time": pa.int64()}


def _file(tmp_path: Path, content: bytes, name: str = "data.csv") -> RawFile:
    (tmp_path / name).write_bytes(content)
    return RawFile(tmp_path / name)


def _read(tmp_path: Path, content: bytes, **options: object) -> dict[str, list[object]]:
    return read_delimited(_file(tmp_path, content), TYPES, **options).to_pydict()  # type: ignore[arg-type]


def test_reads_the_wanted_columns_in_the_wanted_order(tmp_path: Path) -> None:
    table = read_delimited(_file(tmp_path, b"time,extra,rating,user\n9,x,4.5,7\n"), TYPES)
    assert table.schema == pa.schema(TYPES)
    assert table.to_pylist() == [{"user": "7", "rating": 4.5, "time": 9}]


def test_ids_stay_exactly_as_written(tmp_path: Path) -> None:
    ids = ["007", "7", " 7", "7.0", "1e3", "NA", "null", "", "日本", "a,b", 'say "x"', "ÿ\u200b"]
    lines = "".join('"' + user.replace('"', '""') + '",1,1\n' for user in ids)
    assert _read(tmp_path, f"user,rating,time\n{lines}".encode())["user"] == ids


def test_empty_and_missing_numbers_are_null_but_nan_is_a_value(tmp_path: Path) -> None:
    columns = _read(tmp_path, b"user,rating,time\na,,\nb,NA,null\nc,nan,3\nd,-inf, 4\n")
    assert columns["rating"][:2] == [None, None]
    assert math.isnan(columns["rating"][2])  # type: ignore[arg-type]
    assert columns["rating"][3] == -math.inf
    assert columns["time"] == [None, None, 3, 4]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfuser,rating,time\n1,2,3\n",
        b"user,rating,time\r\n1,2,3\r\n",
        b"\n\nuser,rating,time\n\n1,2,3\n\n",
        b"user,rating,time\n1,2,3",
        b'"user","rating","time"\n"1","2","3"\n',
    ],
    ids=["byte order mark", "windows", "blank lines", "no last newline", "quoted"],
)
def test_reads_what_editors_write(tmp_path: Path, content: bytes) -> None:
    assert _read(tmp_path, content) == {"user": ["1"], "rating": [2.0], "time": [3]}


def test_quoted_fields_may_hold_line_ends(tmp_path: Path) -> None:
    content = b'user,note,rating,time\n1,"two\nlines",2,3\n2,x,4,5\n'
    assert _read(tmp_path, content)["user"] == ["1", "2"]


def test_reads_gzipped_files_and_other_separators(tmp_path: Path) -> None:
    file = _file(tmp_path, gzip.compress(b"1|2|3\n"), "data.txt.gz")
    table = read_delimited(file, TYPES, separator="|", column_names=["user", "rating", "time"])
    assert table.to_pydict() == {"user": ["1"], "rating": [2.0], "time": [3]}


def test_dictionaries_are_the_same_in_all_chunks(tmp_path: Path) -> None:
    # Arrow reads blocks of one megabyte, each with a dictionary of its own.
    lines = b"".join(b"user %d,1,%d\n" % (number % 7 + number // 100_000, number) for number in range(200_000))
    table = read_delimited(_file(tmp_path, b"user,rating,time\n" + lines), TYPES)
    column = table["user"]
    assert column.num_chunks > 1
    assert all(chunk.dictionary.equals(column.chunk(0).dictionary) for chunk in column.chunks)
    assert column[150_000].as_py() == f"user {150_000 % 7 + 1}"


def test_unquoted_text_keeps_its_quotes(tmp_path: Path) -> None:
    file = _file(tmp_path, b'1|"Heat" (1995)\n2|5" disk\n')
    names = {"id": pa.string(), "title": pa.string()}
    table = read_delimited(file, names, separator="|", column_names=["id", "title"], quoted=False)
    assert table["title"].to_pylist() == ['"Heat" (1995)', '5" disk']


def test_reads_latin_1(tmp_path: Path) -> None:
    file = _file(tmp_path, "1|Misérables\n".encode("latin-1"))
    types = {"id": pa.string(), "title": pa.string()}
    table = read_delimited(file, types, separator="|", column_names=["id", "title"], encoding="latin-1")
    assert table["title"].to_pylist() == ["Misérables"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"data\.csv is empty; a header and at least one row are needed"),
        (b"\n \n", r"data\.csv is empty"),
        (b"user,rating,time\n", r"data\.csv has a header but no rows; at least one row is needed"),
        (b"user,rating,time", r"data\.csv has a header but no rows"),
        (b"user,time\n1,2\n", r"must have the column 'rating', but its columns are 'user', 'time'"),
        (b"a,b\n1,2\n", r"must have the columns 'user', 'rating', 'time', but its columns are 'a', 'b'"),
        (b"user,user,rating,time\n1,2,3,4\n", r"more than one column named 'user'"),
        (b"user,rating,time\n1,2,3\n2,good,4\n", r"column 'rating' must hold numbers, but row 2 has 'good'"),
        (b"user,rating,time\n1,2,3\n2,,\n3,1,2.5\n", r"column 'time' must hold whole numbers, but row 3 has '2\.5'"),
        (b"user,rating,time\n1,2,3\n1,2\n", r"each row must have 3 fields, but row 2 has 2: '1,2'"),
        (b"user,rating,time\n1,2,3\n\xff,2,3\n", r"column 'user' must hold text in UTF-8, but row 2 has b'\\xff'"),
        ("user,rating,time\n1,2,3\n".encode("utf-16"), r"must be text in utf-8, but its first line is not"),
    ],
)
def test_bad_files_are_refused_with_the_place(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _read(tmp_path, content)


def test_the_row_of_a_bad_value_is_right_in_a_large_file(tmp_path: Path) -> None:
    lines = [b"user %d,1,%d\n" % (number, number) for number in range(1, 200_001)]
    lines[150_000 - 1] = b"user,1,?\n"
    with pytest.raises(DataError, match=r"but row 150,000 has '\?'\. Correct the value, or leave it empty"):
        _read(tmp_path, b"user,rating,time\n" + b"".join(lines))


def test_rows_are_counted_from_one_without_a_header(tmp_path: Path) -> None:
    names = ["user", "rating", "time"]
    with pytest.raises(DataError, match=r"but row 2 has 'x'"):
        _read(tmp_path, b"1,2,3\n1,x,3\n", column_names=names)
    with pytest.raises(DataError, match=r"but row 2 has 4: '1,2,3,4'"):
        _read(tmp_path, b"1,2,3\n1,2,3,4\n", column_names=names)
    with pytest.raises(DataError, match=r"data\.csv is empty; at least one row is needed"):
        _read(tmp_path, b"", column_names=names)


def test_read_header_gives_the_names(tmp_path: Path) -> None:
    file = _file(tmp_path, b'\xef\xbb\xbf"user id"\trating\r\n1\t2\n')
    assert read_header(file, separator="\t") == ["user id", "rating"]


def test_a_row_that_fits_no_block_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_BLOCK_BYTES", (1 << 10, 1 << 12))
    (tmp_path / "a.csv").write_text("user,note\n1,a\n2," + "x" * 3_000 + "\n")
    table = read_delimited(RawFile(tmp_path / "a.csv"), {"user": pa.string()})  # in the second try
    assert table["user"].to_pylist() == ["1", "2"]
    (tmp_path / "a.csv").write_text("user,note\n" + "1,a\n" * 3_000 + "2," + "x" * 30_000 + "\n")
    with pytest.raises(
        DataError, match=r"after row .* comes one of more than .* or a field in double quotes that does"
    ):
        read_delimited(RawFile(tmp_path / "a.csv"), {"user": pa.string()})


def test_a_first_line_that_is_no_row_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"' * 300_001 + "\n1\n")
    with pytest.raises(DataError, match="the first line is no row of column names"):
        read_header(RawFile(tmp_path / "a.csv"))
