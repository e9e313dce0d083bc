from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.column_values import (
    as_numbers,
    as_text,
    codes_of,
    distinct,
    is_date,
    plain_type,
    split_values,
    split_words,
    text_of,
)


def column(values: object, type_: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type_)])


def test_the_type_of_a_dictionary_is_that_of_its_values() -> None:
    assert plain_type(pa.dictionary(pa.int32(), pa.string())) == pa.string()
    assert plain_type(pa.float64()) == pa.float64()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (column(["a", "", None]), ["a", None, None]),
        (column([1.5, float("nan"), 2.0]), ["1.5", None, "2"]),
        (column([7, None]), ["7", None]),
        (column([True, False]), ["true", "false"]),
        (column(["b", "a"]).dictionary_encode(), ["b", "a"]),
        (column([None, None], pa.null()), [None, None]),
    ],
)
def test_values_become_text(values: pa.ChunkedArray, text: list[str | None]) -> None:
    assert as_text(values).to_pylist() == text


@pytest.mark.parametrize("value", ["x", "", 2.0, 2.5, float("nan"), 7, True, False])
def test_a_single_value_becomes_the_same_text(value: str | float | bool) -> None:
    assert text_of(value) == as_text(column([value]))[0].as_py()


def test_numbers_are_float64_with_nan_for_missing() -> None:
    numbers = as_numbers(column([1, None, 3]))
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, [1.0, np.nan, 3.0])
    np.testing.assert_array_equal(as_numbers(column([2, 2]).dictionary_encode()), [2.0, 2.0])


def test_strings_are_split_at_the_separator_and_trimmed() -> None:
    rows, values = split_values("|", column(["War| Drama", None, "", "War||"]))
    assert list(zip(rows.tolist(), values.to_pylist(), strict=True)) == [
        (0, "War"),
        (0, "Drama"),
        (3, "War"),
        (3, None),
        (3, None),
    ]


def test_lists_need_no_separator() -> None:
    rows, values = split_values(None, column([["b", "a"], [], None, [None]], pa.list_(pa.string())))
    assert (rows.tolist(), values.to_pylist()) == ([0, 0, 3], ["b", "a", None])
    rows, values = split_values(None, column([None, None], pa.null()))
    assert len(rows) == len(values) == 0


def test_words_are_lower_case_without_punctuation() -> None:
    rows, words = split_words(column(["The Cat, the Hat!", None, "...", "\u00dcber 2"]))
    assert rows.tolist() == [0, 0, 0, 0, 3, 3]
    assert words.to_pylist() == ["the", "cat", "the", "hat", "\u00fcber", "2"]


def test_distinct_values_are_in_unicode_order_without_nulls() -> None:
    assert distinct(pa.array(["b", None, "B", "a", "b"])) == ("B", "a", "b")
    assert distinct(pa.array([], pa.string())) == ()


def test_codes_count_from_one_and_zero_is_unknown() -> None:
    codes = codes_of(pa.array(["b", None, "z", "a"]), ("a", "b"))
    assert codes.dtype == np.int64
    assert codes.tolist() == [2, 0, 0, 1]


@pytest.mark.parametrize(
    ("values", "type_", "days"),
    [
        ([date(1970, 1, 3), None, date(1969, 12, 31)], pa.date32(), [2, math.nan, -1]),
        ([datetime(1970, 1, 1, 12), None], pa.timestamp("ns"), [0.5, math.nan]),
        ([datetime(1970, 1, 2, tzinfo=UTC), None], pa.timestamp("s", "Asia/Tokyo"), [1, math.nan]),
    ],
)
def test_dates_are_days_since_1970(values: list[object], type_: pa.DataType, days: list[float]) -> None:
    assert is_date(type_)
    np.testing.assert_array_equal(as_numbers(pa.chunked_array([pa.array(values, type_)])), days)
