from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.json_text import from_json, properties_json, to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_says_what_it_was_made_of(value):
    assert json.loads(to_json(value)) == value


@pytest.mark.parametrize(
    "value", [float("nan"), [float("inf")], {"a": {1}}, object(), b"x"], ids=["nan", "inf", "set", "object", "bytes"]
)
def test_what_json_cannot_hold_is_refused(value):
    with pytest.raises(StoreRefused, match="what JSON can hold"):
        to_json(value)


def test_properties_are_an_object():
    assert properties_json({"title": "Amélie"}) == '{"title": "Amélie"}'


def test_a_large_number_that_the_database_writes_as_a_whole_one_is_a_float_again():
    number, exact = from_json(b'{"a": [1000000000000000000000000000000, 9007199254740992]}')["a"]
    assert (number, type(number)) == (1e30, float)
    assert (exact, type(exact)) == (2**53, int)
