from __future__ import annotations

import pyarrow as pa
import pytest

from recsys.data.readers.tables.nested_columns import flatten_columns


def _column(values: list[object], type_: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type_)])


def test_objects_become_columns_of_their_fields() -> None:
    columns = {"id": _column(["1", "2"]), "meta": _column([{"year": 1990, "maker": {"name": "A"}}, None])}
    flat, notes = flatten_columns(columns)
    assert {name: column.to_pylist() for name, column in flat.items()} == {
        "id": ["1", "2"],
        "meta.year": [1990, None],
        "meta.maker.name": ["A", None],
    }
    assert notes == ["meta holds objects, which are read as meta.year, meta.maker.name"]


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([[{"id": 1, "name": "War"}], [], None], [["War"], [], None]),
        ([[{"id": 1, "label": "War"}, {"id": 2, "label": None}]], [["War", None]]),
        ([[{"word": "War", "count": 3}]], [["War"]]),  # the only text
        ([[{"id": 7}, {"id": 8}]], [["7", "8"]]),
    ],
)
def test_of_objects_in_a_list_the_name_is_read(lists: list[object], expected: list[object]) -> None:
    flat, notes = flatten_columns({"genres": _column(lists)})
    assert flat["genres"].to_pylist() == expected
    assert notes[0].startswith("genres holds lists of objects, of which")


def test_parts_of_a_larger_column_stay_in_their_rows() -> None:
    column = _column([[{"name": "a"}], [{"name": "b"}, {"name": "c"}], [{"name": "d"}]]).slice(1)
    assert flatten_columns({"tags": column})[0]["tags"].to_pylist() == [["b", "c"], ["d"]]


def test_objects_without_a_name_are_told() -> None:
    column = _column([[{"x": 1.5, "y": 2.5}]])
    flat, notes = flatten_columns({"points": column})
    assert flat["points"] is column
    assert "points holds lists of objects without a name" in notes[0]


def test_a_list_of_objects_inside_an_object_is_read_too() -> None:
    flat, _ = flatten_columns({"meta": _column([{"genres": [{"name": "War"}]}])})
    assert flat["meta.genres"].to_pylist() == [["War"]]


def test_plain_columns_are_left_alone() -> None:
    columns = {"a": _column([1]), "b": _column([["x"]])}
    assert flatten_columns(columns) == (columns, [])
