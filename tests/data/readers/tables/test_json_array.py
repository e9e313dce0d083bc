from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data.readers.json_lines import iterate_objects
from recsys.data.readers.tables import json_array
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
    with pytest.raises(DataError, match=r"a\.json \(a line for each element of its array\): .* line 2 is not: .* '3'"):
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


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(array=st.lists(VALUES, max_size=5), indent=st.sampled_from([None, 1]), chunk=st.integers(1, 9))
def test_any_array_is_read_whatever_is_read_at_once(
    array: list[Any], indent: int | None, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_array, "_CHUNK_BYTES", chunk)
    file = _file(tmp_path, json.dumps(array, indent=indent, ensure_ascii=False))
    with as_json_lines(file).open() as lines:
        assert [json.loads(line) for line in lines] == array


@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    "content",
    ["[", "[1", "[1 2]", "[1,]", "[1]]", "[tru]", "[1,\n2,\n{'a': 3}]", '["a]', '[{"a": 1}, {"b"\n: }]', "[]1"],
)
def test_what_is_no_array_is_refused_with_its_line_whatever_is_read_at_once(
    content: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_array, "_CHUNK_BYTES", chunk)
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(content)
    lines = as_json_lines(_file(tmp_path, content))
    with pytest.raises(DataError, match=f"in line {expected.value.lineno} it is no JSON"), lines.open() as stream:
        stream.read()


def test_only_the_next_elements_are_in_memory(tmp_path: Path) -> None:
    content = "[" + ",".join(json.dumps({"user_id": number, "text": "x" * 100}) for number in range(200_000)) + "]"
    lines = as_json_lines(_file(tmp_path, content))
    tracemalloc.start()
    try:
        with lines.open() as stream:
            assert sum(1 for _ in stream) == 200_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(content) / 2
