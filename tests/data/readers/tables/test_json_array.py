from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from recsys.data.readers.json_lines import iterate_objects
from recsys.data.readers.tables.json_array import JsonArrayFile, as_json_lines, holds_array
from recsys.data.sources.raw_file import RawFile
from recsys.data.sources.shards import table_file
from recsys.errors import DataError

OBJECTS = [{"item_id": "日", "tags": ["a\nb"]}, {"item_id": "2"}]


def _file(tmp_path: Path, content: str, name: str = "a.json") -> RawFile:
    data = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return RawFile(tmp_path / name)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_an_array_is_read_as_lines(tmp_path: Path, name: str, indent: int | None) -> None:
    file = _file(tmp_path, "\ufeff \n" * (indent is not None) + json.dumps(OBJECTS, indent=indent), name)
    if indent is not None:
        file = _file(tmp_path, "\n " + json.dumps(OBJECTS, indent=indent), name)
    lines = as_json_lines(file)
    assert isinstance(lines, JsonArrayFile)
    assert (lines.name, lines.path) == (name, file.path)
    assert list(iterate_objects(lines)) == OBJECTS


def test_lines_stay_as_they_are(tmp_path: Path) -> None:
    file = _file(tmp_path, '{"a": [1]}\n')
    assert not holds_array(file)
    assert as_json_lines(file) is file


def test_an_element_that_is_no_object_is_told_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.json \(a line for each element of its array\): .* line 2, '3'"):
        list(iterate_objects(as_json_lines(_file(tmp_path, '[{"a": 1}, 3]'))))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1},\n{"a": ]', "begins as a JSON array, but in line 2 it is no JSON"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_damaged_arrays_are_told(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(iterate_objects(as_json_lines(_file(tmp_path, content))))


def test_text_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'["\xff"]')
    with pytest.raises(DataError, match="is not UTF-8"):
        list(iterate_objects(as_json_lines(RawFile(tmp_path / "a.json"))))


def test_arrays_in_several_files_are_refused_and_one_alone_is_read(tmp_path: Path) -> None:
    _file(tmp_path, json.dumps(OBJECTS), "a.json")
    assert list(iterate_objects(as_json_lines(table_file(tmp_path)))) == OBJECTS
    _file(tmp_path, json.dumps(OBJECTS), "b.json")
    with pytest.raises(DataError, match=r"each must have one JSON object a line, but .*a\.json has an array"):
        as_json_lines(table_file(tmp_path))
