from __future__ import annotations

import json

import pyarrow as pa
import pytest

from recsys.data.readers.store.property_table import property_columns


def columns_of(*rows, reserved=()):
    columns, notes = property_columns([json.dumps(row) for row in rows], reserved)
    return {name: (column.type, column.to_pylist()) for name, column in columns.items()}, notes


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([True, False], pa.bool_()),
        (["a", "b"], pa.string()),
        ([["a"], ["b", "c"]], pa.list_(pa.string())),
    ],
    ids=["whole", "number", "truth", "text", "list"],
)
def test_a_column_has_the_type_of_its_values(values, type_):
    columns, notes = columns_of({"x": values[0]}, {}, {"x": values[1]}, {"x": None})
    assert columns == {"x": (type_, [values[0], None, values[1], None])}
    assert notes == ()


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, "one"], ["1", "one"]),
        ([True, "é"], ["true", "é"]),
        ([{"a": 1}, {"b": 2}], ['{"a": 1}', '{"b": 2}']),
        ([["a"], "b"], ['["a"]', "b"]),
        ([[[1]], [[2]]], ["[[1]]", "[[2]]"]),
        ([2**70, 1], [str(2**70), "1"]),
    ],
    ids=["number and text", "truth and text", "nested", "list and text", "lists of lists", "too large"],
)
def test_values_of_several_types_or_nested_ones_become_text(values, texts):
    columns, notes = columns_of(*({"x": value} for value in values))
    assert columns == {"x": (pa.string(), texts)}
    assert notes == ("properties of several types, read as text: x",)


def test_names_of_other_columns_are_left_out_and_told():
    columns, notes = columns_of({"title": "a", "year": 1}, reserved=["title"])
    assert list(columns) == ["year"]
    assert notes == ("properties that are left out, because of their names: title",)


def test_rows_without_properties_have_no_columns():
    assert columns_of({}, {}) == ({}, ())
