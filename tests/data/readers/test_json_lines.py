from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.readers import json_lines
from recsys.data.readers.json_lines import iterate_objects, read_json_lines
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError, SourceError

SCHEMA = pa.schema({"user": pa.string(), "rating": pa.float64()})


def _file(tmp_path: Path, content: bytes, name: str = "data.jsonl") -> RawFile:
    (tmp_path / name).write_bytes(content)
    return RawFile(tmp_path / name)


def test_reads_the_wanted_fields_and_ignores_others_of_any_type(tmp_path: Path) -> None:
    content = b'{"user":"007","rating":5,"x":1}\n\n{"x":["y"],"user":"\xe6\x97\xa5","rating":4.5}\n{"user":null}'
    table = read_json_lines(_file(tmp_path, content), SCHEMA)
    assert table.to_pydict() == {"user": ["007", "日", None], "rating": [5.0, 4.5, None]}


def test_reads_gzipped_files(tmp_path: Path) -> None:
    file = _file(tmp_path, gzip.compress(b'{"user":"1","rating":2}\n'), "data.json.gz")
    assert read_json_lines(file, SCHEMA).to_pylist() == [{"user": "1", "rating": 2.0}]


def test_a_truncated_gzip_file_is_refused(tmp_path: Path) -> None:
    lines = b"".join(b'{"user":"%d","rating":2}\n' % number for number in range(1000))
    file = _file(tmp_path, gzip.compress(lines)[:-20], "data.json.gz")
    with pytest.raises(SourceError, match=r"data\.json\.gz is damaged or incomplete"):
        read_json_lines(file, SCHEMA)


def test_parts_are_converted_one_by_one_and_share_a_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_CHUNK_BYTES", 100)
    lines = [{"user": f"u{number % 3}", "rating": number} for number in range(50)]
    file = _file(tmp_path, "\n".join(json.dumps(line) for line in lines).encode())
    sizes = []

    def convert(part: pa.Table) -> pa.Table:
        sizes.append(len(part))
        return part.set_column(0, "user", part["user"].dictionary_encode())

    table = read_json_lines(file, SCHEMA, convert=convert)
    assert len(sizes) > 5
    assert table["rating"].to_pylist() == list(range(50))
    assert all(chunk.dictionary.equals(table["user"].chunk(0).dictionary) for chunk in table["user"].chunks)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no lines; at least one JSON object is needed"),
        (b" \n\n", "has no lines"),
        (
            b'{"user":"1","rating":2}\n{"user":"1"\n',
            r"line 2 is not: it is no JSON: Expecting ',' delimiter .* It begins with '\{\"user\":\"1\"'",
        ),
        (b'[{"user":"1","rating":2}]', "line 1 is not: it is no object"),
        (b'{"user":"1","rating":2}\n7\n', "line 2 is not: it is no object. It begins with '7'"),
        (
            b'{"user":"1","rating":2}\n{"user":"2","rating":"x"}',
            "field 'rating' must hold numbers, but line 2 has \"x\"",
        ),
        (b'{"user":"1"}\n{"user":2}', "field 'user' must hold text, but line 2 has 2"),
        (b'{"user":"\xff","rating":2}', "line 1 is not: it is not UTF-8"),
        (b'{"rating":2}\n', "no line has the field 'user'"),
    ],
)
def test_bad_lines_are_refused_with_their_number(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_json_lines(_file(tmp_path, content), SCHEMA, required=["user"])


def test_the_line_of_a_bad_value_is_right_in_later_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_CHUNK_BYTES", 1000)
    lines = [b'{"user":"%d","rating":%d}' % (number, number) for number in range(1, 501)]
    lines[400 - 1] = b'{"user":"400","rating":"many"}'
    with pytest.raises(DataError, match="field 'rating' must hold numbers, but line 400 has \"many\""):
        read_json_lines(_file(tmp_path, b"\n".join(lines)), SCHEMA)


def test_iterate_objects_takes_python_literals_only_if_told(tmp_path: Path) -> None:
    file = _file(tmp_path, b"{'asin': '1', 'price': None}\n\n{\"asin\": \"2\"}\n")
    assert list(iterate_objects(file, python_literals=True)) == [{"asin": "1", "price": None}, {"asin": "2"}]
    with pytest.raises(DataError, match="line 1 is not: it is no JSON: Expecting property name"):
        list(iterate_objects(file))


@pytest.mark.parametrize("line", [b"__import__('os').getcwd()", b"[1]", b"{", b"\xff"])
def test_iterate_objects_never_executes_and_refuses_other_things(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(DataError, match="line 1 is not|of line 1 goes on"):
        list(iterate_objects(_file(tmp_path, line), python_literals=True))


def test_an_object_over_several_lines_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n "user_id": 1\n}\n')
    with pytest.raises(DataError, match=r"of line 1 goes on over several lines\. Write .* or all .* as one array"):
        list(iterate_objects(RawFile(tmp_path / "a.json")))


def test_objects_that_are_nested_too_deeply_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}\n{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    with pytest.raises(DataError, match="line 2 is not: it is nested too deeply"):
        list(iterate_objects(RawFile(tmp_path / "a.json")))
    with pytest.raises(DataError, match=r"line 2 is not: it is nested too deeply"):
        read_json_lines(RawFile(tmp_path / "a.json"), pa.schema({"a": pa.int64()}))
