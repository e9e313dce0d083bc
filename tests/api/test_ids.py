from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.api.ids import as_text, id_type_of, listed, restored
from recsys.errors import RequestError


@pytest.mark.parametrize(
    "ids",
    [
        [7, 8],
        ["7", "8"],
        (7, "8"),
        np.array([7, 8], dtype=np.int16),
        pd.Series([7, 8], dtype="Int64"),
        pd.Series([7.0, 8.0]),  # what missing ids elsewhere made of whole numbers
        pd.Series([7, 8], dtype="category"),
        pd.Index([7, 8]),
        pa.array([7, 8]),
        pa.chunked_array([["7"], ["8"]]),
        range(7, 9),
    ],
)
def test_ids_of_any_kind_are_text(ids):
    assert as_text(ids, "users") == ["7", "8"]


@pytest.mark.parametrize("one", [7, "7", np.int64(7), np.str_("7")])
def test_one_id_is_a_list_of_one(one):
    assert as_text(one, "users") == ["7"]


def test_leading_zeros_stay():
    assert as_text(["007"], "users") == ["007"]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT])
def test_a_missing_id_is_refused_with_its_place(missing):
    with pytest.raises(RequestError, match="users must be ids.*at position 1 nothing is there. Leave it out"):
        as_text([7, missing], "users")


@pytest.mark.parametrize("value", [True, 1.5, b"7", UUID(int=7)])
def test_what_is_no_id_is_refused(value):
    with pytest.raises(RequestError, match=r"at position 0 it is .*Write it as the data have it"):
        as_text([value], "users")


@pytest.mark.parametrize("ids", [object(), b"7", {"a": 1}])
def test_what_is_no_list_is_refused(ids):
    with pytest.raises(RequestError, match="users must be ids, such as"):
        listed(ids, "users")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([1], pa.int16()), "int16"),
        (pa.array([1], pa.uint64()), "uint64"),
        (pa.array([1]).dictionary_encode(), "int64"),
        (pa.array(["1"]), "str"),
        (pa.array(["1"]).dictionary_encode(), "str"),
    ],
)
def test_types_of_columns(column, kind):
    assert id_type_of(column) == kind


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_come_back_as_they_were(ids):
    column = pd.Series(ids, dtype="int64")
    back = restored(as_text(column, "users"), id_type_of(pa.array(column)))
    pd.testing.assert_series_equal(back, column)


def test_ids_that_do_not_have_the_type_stay_text():
    assert restored(["7", "new"], "int64").tolist() == ["7", "new"]


def test_no_ids_have_the_type_as_well():
    assert restored([], "int64").dtype == np.int64
