import math

import numpy as np
import pandas as pd
import pytest

from recsys.errors import RequestError
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runtime.checks import request_values as checks


class Marked(str):
    """A text with something of its own."""

    mark = "!"


def test_texts_and_ids_are_plain_texts():
    assert type(checks.text_or_none("name", Marked("a"))) is str
    assert type(checks.id_or_none("name", np.str_("a"))) is str
    assert (checks.text_or_none("name", None), checks.id_or_none("name", None)) == (None, None)
    assert checks.ids("items", (Marked("a"), 7, np.int32(8))) == ("a", "7", "8")


@pytest.mark.parametrize("values", [np.array([3, 4]), pd.Series([3, 4]), pd.Index([3, 4]), (3, 4), {3: 0, 4: 0}.keys()])
def test_lists_come_in_many_forms(values):
    assert checks.values_of_list("items", values) == [3, 4]


def test_days_of_numpy_are_dates_and_no_numbers():
    days = np.array(["2024-01-02"], dtype="datetime64[ns]")
    assert [day.isoformat() for day in checks.values_of_list("times", days)] == ["2024-01-02T00:00:00"]


@pytest.mark.parametrize("value", [np.float32(0.5), np.array(0.5), 0.5, 1, 0])
def test_a_share_is_a_plain_number(value):
    assert checks.share("share", value) == float(value)
    assert type(checks.share("share", value)) is float


@pytest.mark.parametrize("value", [np.int8(3), np.array(3), 3])
def test_a_length_is_a_plain_number(value):
    assert (checks.positive("k", value), type(checks.positive("k", value))) == (3, int)


@pytest.mark.parametrize("value", [pd.NA, np.array([3]), 3.0, math.inf, None])
def test_other_lengths_are_refused_by_name(value):
    with pytest.raises(RequestError, match="k must be a whole number of at least 1"):
        checks.positive("k", value)


def test_truth_is_that_of_python_or_numpy():
    assert checks.truth("explain", np.True_) is True
    with pytest.raises(RequestError, match="explain must be true or false, but it is 1"):
        checks.truth("explain", 1)


@pytest.mark.parametrize("value", [10**400, pd.NA, "5", math.nan, True, [5]], ids=lambda one: str(one)[:5])
def test_ratings_are_finite(value):
    with pytest.raises(RequestError, match="ratings must be finite numbers"):
        checks.rating(value)
    with pytest.raises(RequestError, match="ratings must be finite numbers"):
        checks.ratings([3.0, value])


def test_ratings_are_plain_numbers_one_and_all():
    assert [type(one) for one in checks.ratings([1, 2.5, np.float32(3)])] == [float] * 3
    assert checks.ratings([1.0, 2.5]) == [1.0, 2.5] and checks.ratings([]) == []


def test_ids_of_a_list_are_plain_texts_whatever_class_they_are_of():
    told = checks.ids("history", ["a", Marked("b"), 7])
    assert told == ("a", "b", "7") and {type(one) for one in told} == {str}
    assert checks.ids("history", ["a", "b"]) == ("a", "b")


def test_a_policy_is_parsed_and_none_says_nothing():
    assert checks.seen_policy("exclude_seen", None) is None
    assert checks.seen_policy("exclude_seen", np.False_) == SeenPolicy(False)
    with pytest.raises(RequestError, match="exclude_seen must be true, false or"):
        checks.seen_policy("exclude_seen", "often")


def test_features_are_plain_and_do_not_change():
    told = {"age": np.int64(24), "tags": pd.Series(["a", "b"]), "name": Marked("x"), "nothing": None, "lived": {1.5}}
    features = checks.features("user_features", told)
    assert dict(features) == {"age": 24, "tags": ("a", "b"), "name": "x", "nothing": None, "lived": (1.5,)}
    assert (type(features["age"]), type(features["name"])) == (int, str)
    with pytest.raises(TypeError):
        features["age"] = 25


@pytest.mark.parametrize(
    "value", [pd.NA, {"a": 1}, [None], [[1]], 2**64, b"a", object()], ids=lambda value: type(value).__name__
)
def test_other_features_are_refused_with_their_column(value):
    with pytest.raises(RequestError, match=r"user_features\['age'\] must be"):
        checks.features("user_features", {"age": value})
