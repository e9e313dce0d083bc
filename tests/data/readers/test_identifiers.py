from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.readers.identifiers import ID_TYPE, as_identifiers, as_strings
from recsys.errors import DataError


def _column(values: list[object], type_: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type_)])


@given(st.lists(st.text()))
def test_text_stays_as_it_is(values: list[str]) -> None:
    converted = as_identifiers(_column(list(values), pa.string()), "user", "file")
    assert converted.type == ID_TYPE
    assert converted.to_pylist() == values
    assert as_strings(_column(list(values), pa.large_string()), "user", "file").to_pylist() == values


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_whole_numbers_become_their_digits(values: list[int]) -> None:
    assert as_identifiers(_column(list(values), pa.int64()), "user", "file").to_pylist() == [str(v) for v in values]


@pytest.mark.parametrize("type_", [pa.int8(), pa.uint64()])
def test_all_kinds_of_whole_numbers_are_taken(type_: pa.DataType) -> None:
    column = _column([1, 7, 1, None], type_)
    assert as_identifiers(column, "user", "file").to_pylist() == ["1", "7", "1", None]
    assert as_identifiers(column.dictionary_encode(), "user", "file").to_pylist() == ["1", "7", "1", None]


def test_a_dictionary_of_large_strings_is_taken() -> None:
    column = pa.chunked_array([pa.array(["b", "a", "b"], pa.large_string()).dictionary_encode()])
    converted = as_identifiers(column, "user", "file")
    assert (converted.type, converted.to_pylist()) == (ID_TYPE, ["b", "a", "b"])


def test_an_empty_column_is_taken() -> None:
    assert as_identifiers(_column([], pa.int64()), "user", "file").to_pylist() == []


@pytest.mark.parametrize(
    ("values", "type_", "message"),
    [
        ([None, 1.0], pa.float64(), r"of type double, such as 1\.0 \(often a sign that missing ids"),
        ([True], pa.bool_(), "of type bool, such as True"),
        ([None], pa.null(), "of type null. Write the ids as text"),
        ([Decimal("1.5")], pa.decimal128(3, 1), "of type decimal128"),
        ([["a"]], pa.list_(pa.string()), "of type list"),
    ],
)
def test_other_types_are_refused(values: list[object], type_: pa.DataType, message: str) -> None:
    with pytest.raises(DataError, match=rf"file: the ids in column 'user' must be text or whole numbers, .*{message}"):
        as_identifiers(_column(values, type_), "user", "file")
