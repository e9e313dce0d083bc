from __future__ import annotations

import datetime
import decimal
import json

import pyarrow as pa
import pytest
from recsys_serving.store.imports.property_columns import property_rows


def properties(**columns):
    """The properties of each row of a table."""
    table = pa.table({"item_id": [str(n) for n in range(len(next(iter(columns.values()))))], **columns})
    (rows,) = property_rows(table, "item_id", ("item_id",), 100)
    return [json.loads(text) for text in rows.column("properties").to_pylist()]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (7, 7),
        (2.5, 2.5),
        (True, True),
        ("é", "é"),
        (["a", "b"], ["a", "b"]),
        ({"a": 1}, {"a": 1}),
        (decimal.Decimal("1.50"), 1.5),
        (datetime.date(2024, 3, 1), "2024-03-01"),
        (datetime.datetime(2024, 3, 1, 12), "2024-03-01T12:00:00"),
        (datetime.time(12, 30), "12:30:00"),
        (datetime.timedelta(minutes=1), 60.0),
        (b"\x01\xff", "01ff"),
        ([1.5, float("nan")], [1.5, None]),
    ],
    ids=[
        "whole",
        "number",
        "truth",
        "text",
        "list",
        "object",
        "decimal",
        "date",
        "moment",
        "time",
        "span",
        "bytes",
        "nan",
    ],
)
def test_a_value_is_as_json_can_hold_it(value, plain):
    assert properties(x=[value]) == [{"x": plain}]


def test_what_is_missing_is_left_out():
    assert properties(x=[1, None], y=[float("nan"), 2.0]) == [{"x": 1}, {"y": 2.0}]


def test_ids_and_titles_are_columns_of_their_own():
    table = pa.table({"item_id": ["1", "2"], "title": ["Alien", None], "year": [1979, 1986]})
    (rows,) = property_rows(table, "item_id", ("item_id", "title"), 100, title="title")
    assert rows.to_pylist() == [
        {"id": "1", "properties": '{"year": 1979}', "title": "Alien"},
        {"id": "2", "properties": '{"year": 1986}', "title": None},
    ]


def test_a_table_of_ids_alone_has_empty_properties():
    (rows,) = property_rows(pa.table({"user_id": ["a", "b"]}), "user_id", ("user_id",), 100)
    assert rows.to_pylist() == [{"id": "a", "properties": "{}"}, {"id": "b", "properties": "{}"}]


def test_rows_come_in_batches_in_order():
    table = pa.table({"user_id": [str(n) for n in range(5)], "n": range(5)})
    batches = list(property_rows(table, "user_id", ("user_id",), 2))
    assert [batch.column("id").to_pylist() for batch in batches] == [["0", "1"], ["2", "3"], ["4"]]


def test_a_table_without_rows_has_none():
    assert list(property_rows(pa.table({"user_id": pa.array([], pa.string())}), "user_id", (), 2)) == []
