from __future__ import annotations

import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.numbers import as_numbers, first_uncastable, with_decimal_points
from recsys.errors import DataError


def _column(values: list[object], type_: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type_)])


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        ([1, None], pa.int8(), [1.0, None]),
        ([1.5, math.inf], pa.float64(), [1.5, math.inf]),
        ([True, False, None], pa.bool_(), [1.0, 0.0, None]),
        ([Decimal("2.5")], pa.decimal128(3, 1), [2.5]),
        (["2", " 2.5 ", "", None], pa.string(), [2.0, 2.5, None, None]),
        (["1"], pa.large_string(), [1.0]),
        ([None], pa.null(), [None]),
    ],
)
def test_numbers_in_any_form(values: list[object], type_: pa.DataType, expected: list[object]) -> None:
    converted = as_numbers(_column(values, type_), "rating", "file")
    assert converted.type == pa.float32()
    assert converted.to_pylist() == expected


def test_a_dictionary_of_text_is_taken() -> None:
    assert as_numbers(_column(["1", "2", "1"]).dictionary_encode(), "rating", "file").to_pylist() == [1.0, 2.0, 1.0]


def test_text_that_is_no_number_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match=r"file: column 'rating' must hold numbers, but row 3 has 'good'"):
        as_numbers(_column(["1", "", "good", "bad"]), "rating", "file")


def test_other_types_are_refused() -> None:
    with pytest.raises(DataError, match=r"column 'rating' must hold numbers, but is of type list"):
        as_numbers(_column([["1"]]), "rating", "file")


@given(st.lists(st.sampled_from(["1", "22", "x", None])))
def test_first_uncastable_is_the_first(values: list[str | None]) -> None:
    expected = values.index("x") if "x" in values else None
    assert first_uncastable(_column(list(values), pa.string()), pa.int64()) == expected


@pytest.mark.parametrize(
    ("values", "pointed"),
    [
        (["3,5", "4", "-0,25", "", None], ["3.5", "4", "-0.25", "", None]),
        (["0,500", "1,234"], ["0.500", "1.234"]),  # the first cannot be thousands
        (["1,234", "12,000"], None),  # both can
        (["3,5", "4.5"], None),
        (["3,5", "x"], None),
        (["3", "4"], None),
        (["1,2,3"], None),
    ],
)
def test_decimal_commas_become_points_where_all_values_are_such_numbers(
    values: list[object], pointed: list[object] | None
) -> None:
    found = with_decimal_points(_column(values, pa.string()))
    assert (None if found is None else found.to_pylist()) == pointed


def test_decimal_commas_are_taken_where_the_caller_says_so() -> None:
    assert as_numbers(_column(["3,5"]), "price", "a.csv", decimal_comma=True).to_pylist() == [3.5]
    with pytest.raises(DataError, match="must hold numbers, but row 1 has '3,5'"):
        as_numbers(_column(["3,5"]), "price", "a.csv")
