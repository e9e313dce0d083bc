import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import RequestError
from recsys.retrieval.filtering.filter_language import parse_filters
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runtime.recommendation_engine import RecommendationEngine
from recsys.runtime.request import RecommendationRequest


def test_an_empty_request_is_one_of_a_user_of_whom_nothing_is_known():
    request = RecommendationRequest()
    assert (request.user_id, request.history, request.ratings, request.timestamps) == (None, None, None, None)
    assert (request.k, request.exclude_items, request.filters, request.explain) == (10, (), None, False)
    assert dict(request.user_features) == {} and not request.restricts


def test_lists_become_tuples_of_plain_values():
    request = RecommendationRequest(
        history=["a", "b"],
        ratings=np.array([4, 5], dtype=np.float32),
        timestamps=np.array([10, 20]),
        exclude_items=np.array(["c"], dtype=object),
        k=np.int64(3),
    )
    assert request.history == ("a", "b") and request.exclude_items == ("c",)
    assert request.ratings == (4.0, 5.0) and all(type(value) is float for value in request.ratings)
    assert request.timestamps == (10, 20) and all(type(value) is int for value in request.timestamps)
    assert type(request.k) is int


def test_what_was_passed_in_may_change_afterwards():
    history, features = ["a"], {"hobbies": ["chess"], "age": 24}
    request = RecommendationRequest(history=history, user_features=features)
    history.append("b")
    features["hobbies"].append("rowing")
    features["age"] = 25
    assert request.history == ("a",)
    assert dict(request.user_features) == {"hobbies": ("chess",), "age": 24}


def test_a_request_cannot_be_changed():
    request = RecommendationRequest(user_features={"age": 24})
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.k = 3
    with pytest.raises(TypeError):
        request.user_features["age"] = 25


def test_equal_requests_are_equal_and_have_one_hash():
    first, second = (
        RecommendationRequest(history=history, filters={"year": {"gte": 1990}}, user_features={"age": 24})
        for history in (["a"], ("a",))
    )
    assert first == second and hash(first) == hash(second)
    assert first != dataclasses.replace(first, user_features={"age": 25})


def test_an_empty_history_is_not_a_missing_one():
    assert RecommendationRequest(history=[]).history == ()
    assert RecommendationRequest(history=[], ratings=[]).ratings == ()


def test_filters_are_parsed():
    filters = {"year": {"gte": 1990}}
    assert RecommendationRequest(filters=filters).filters == parse_filters(filters)
    assert RecommendationRequest(filters=parse_filters(filters)).filters == parse_filters(filters)


@pytest.mark.parametrize(
    ("settings", "restricts"),
    [({"filters": {"year": {"gte": 1990}}}, True), ({"exclude_items": ["a"]}, True), ({"history": ["a"]}, False)],
    ids=["filters", "excluded items", "a history"],
)
def test_filters_and_excluded_items_restrict(settings, restricts):
    assert RecommendationRequest(**settings).restricts is restricts


NO_LISTS = {
    "text": "abc",
    "bytes": b"abc",
    "mapping": {"a": 1},
    "number": 7,
    "iterator": iter(["a"]),
}


@pytest.mark.parametrize("name", ["history", "exclude_items"])
@pytest.mark.parametrize("value", NO_LISTS.values(), ids=NO_LISTS)
def test_items_are_a_list_of_texts(name, value):
    with pytest.raises(RequestError, match=f"{name} must be a list of item ids, but it is"):
        RecommendationRequest(**{name: value})


@pytest.mark.parametrize("name", ["history", "exclude_items"])
@pytest.mark.parametrize("value", [None, 1.5, True, b"a", 2**63, ["a"]], ids=repr)
def test_items_have_ids_that_are_texts_or_whole_numbers(name, value):
    with pytest.raises(RequestError, match=f"{name} must be a list of item ids, texts or whole numbers, but"):
        RecommendationRequest(**{name: ["a", value]})


@pytest.mark.parametrize("name", ["diversity", "diversity_column"])
def test_names_are_texts(name):
    with pytest.raises(RequestError, match=f"{name} must be text, but it is 7"):
        RecommendationRequest(**{name: 7})


@pytest.mark.parametrize("value", [1.5, True, b"a", 2**63, ["a"], float("nan")], ids=repr)
def test_a_user_has_an_id_that_is_a_text_or_a_whole_number(value):
    with pytest.raises(RequestError, match="user_id must be text or a whole number, but it is"):
        RecommendationRequest(user_id=value)


@pytest.mark.parametrize("number", [7, np.int64(7), np.uint8(7), np.array(7)], ids=lambda one: type(one).__name__)
def test_whole_numbers_stand_for_their_digits(number):
    request = RecommendationRequest(user_id=number, history=[number], exclude_items=pd.Series([7]))
    assert (request.user_id, request.history, request.exclude_items) == ("7", ("7",), ("7",))
    assert {type(value) for value in (request.user_id, *request.history)} == {str}


def test_what_pandas_holds_is_read():
    rows = pd.DataFrame({"item_id": [5, 6], "rating": [3.5, 4], "time": pd.to_datetime(["2024-01-02", "2024-01-01"])})
    request = RecommendationRequest(
        user_id=rows.item_id[0], history=rows.item_id, ratings=rows.rating, timestamps=rows.time, k=rows.item_id[1]
    )
    assert (request.user_id, request.history, request.ratings, request.k) == ("5", ("6", "5"), (4.0, 3.5), 6)
    assert request.timestamps == (1_704_067_200, 1_704_153_600)


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "3", None])
def test_the_length_is_a_positive_whole_number(k):
    with pytest.raises(RequestError, match="k must be a whole number of at least 1, but it is"):
        RecommendationRequest(k=k)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), float("inf"), True, "0.5", None])
def test_the_weight_of_diversity_is_from_0_to_1(weight):
    with pytest.raises(RequestError, match="diversity_weight must be a number from 0 to 1, but it is"):
        RecommendationRequest(diversity_weight=weight)


@pytest.mark.parametrize("weight", [0, 1, np.float32(0.5)])
def test_both_ends_are_weights(weight):
    assert RecommendationRequest(diversity_weight=weight).diversity_weight == float(weight)


@pytest.mark.parametrize("rating", [float("nan"), float("inf"), 10**400, True, "5", None], ids=lambda one: str(one)[:5])
def test_ratings_are_finite_numbers(rating):
    with pytest.raises(RequestError, match="ratings must be finite numbers, but"):
        RecommendationRequest(history=["a"], ratings=[rating])


@pytest.mark.parametrize(
    "timestamp", [True, None, "soon", 2**63, -(2**63), -1, 10**400, [1], pd.NA, pd.NaT, b"1"], ids=str
)
@pytest.mark.parametrize("of", [{"history": ["a"], "timestamps": [0]}, {"now": 0}], ids=["timestamps", "now"])
def test_times_are_times_since_1970(timestamp, of):
    *_, name = of
    of[name] = timestamp if name == "now" else [timestamp]
    if name == "now" and timestamp is None:
        assert RecommendationRequest(now=None).now is None
        return
    with pytest.raises(RequestError, match=f"{name} must be seconds since 1970"):
        RecommendationRequest(**of)


def test_a_history_is_put_into_the_order_of_its_times():
    request = RecommendationRequest(history=["c", "a", "b", "d"], ratings=[3, 1, 2, 4], timestamps=[30, 10, 20, 30])
    assert (request.history, request.ratings) == (("a", "b", "c", "d"), (1.0, 2.0, 3.0, 4.0))
    assert request.timestamps == (10, 20, 30, 30)


def test_times_in_milliseconds_are_seconds_and_ordered_by_the_milliseconds():
    request = RecommendationRequest(history=["b", "a"], timestamps=[1_700_000_000_900, 1_700_000_000_100])
    assert (request.history, request.timestamps) == (("a", "b"), (1_700_000_000, 1_700_000_000))


@pytest.mark.parametrize(
    ("written", "policy"),
    [(True, SeenPolicy()), (np.False_, SeenPolicy(False)), ({"after_days": 3}, SeenPolicy(True, 3))],
)
def test_what_was_seen_may_come_again(written, policy):
    assert RecommendationRequest(exclude_seen=written).exclude_seen == policy
    assert RecommendationRequest().exclude_seen is None


@pytest.mark.parametrize(
    "written", ["yes", 0, {"after_days": -1}, {"days": 3}, pd.NA, np.array([True, False])], ids=str
)
def test_other_words_for_it_are_refused(written):
    with pytest.raises(RequestError, match="exclude_seen"):
        RecommendationRequest(exclude_seen=written)


class Sly(str):
    """A text that cannot be compared."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        raise TypeError("sly")


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=2),
    st.sampled_from([pd.NA, pd.NaT, np.array([1, 2]), np.array("a"), pd.Series([1.5]), Sly("a"), object(), {1, 2}]),
)
ODDER = st.recursive(
    ODD,
    lambda inside: (
        st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inside, max_size=3)
    ),
)
CONDITION = st.dictionaries(st.sampled_from(["any_of", "none_of", "gte", "lte"]), ODDER, max_size=3)
FIELDS = [field.name for field in dataclasses.fields(RecommendationRequest)]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), ODDER, max_size=4),
    st.dictionaries(st.sampled_from(["year", "and"]), CONDITION),
)
def test_any_values_make_a_request_that_can_be_compared_or_an_error_of_requests(values, filters):
    try:
        request = RecommendationRequest(**{"filters": filters, **values})
    except RequestError:
        return
    assert hash(request) == hash(dataclasses.replace(request))
    assert request == dataclasses.replace(request)
    key = RecommendationEngine.batch_key(request)
    assert key == RecommendationEngine.batch_key(dataclasses.replace(request)) and isinstance(hash(key), int)


@pytest.mark.parametrize("name", ["ratings", "timestamps"])
class TestOneForEachItem:
    def test_without_a_history_there_is_none(self, name):
        with pytest.raises(RequestError, match=f"{name} must be one for each item.*but 1 came for no history"):
            RecommendationRequest(**{name: [3]})

    @pytest.mark.parametrize("values", [[], [1], [1, 2, 3]], ids=len)
    def test_no_fewer_and_no_more(self, name, values):
        with pytest.raises(RequestError, match=f"but {len(values)} came for 2 items"):
            RecommendationRequest(history=["a", "b"], **{name: values})

    @pytest.mark.parametrize("values", [3, "3", {"a": 3}])
    def test_in_a_list(self, name, values):
        with pytest.raises(RequestError, match=f"{name} must be a list, but it is"):
            RecommendationRequest(history=["a"], **{name: values})

    def test_or_in_an_array(self, name):
        request = RecommendationRequest(history=["a", "b"], **{name: np.array([1, 2])})
        assert getattr(request, name) == (1, 2)


@pytest.mark.parametrize("features", [["age"], "age", {1: 24}, None])
def test_features_are_columns_with_values(features):
    with pytest.raises(RequestError, match="user_features must be columns with their values"):
        RecommendationRequest(user_features=features)


@pytest.mark.parametrize("explain", [1, "true", None])
def test_to_explain_is_a_truth_value(explain):
    with pytest.raises(RequestError, match="explain must be true or false, but it is"):
        RecommendationRequest(explain=explain)
