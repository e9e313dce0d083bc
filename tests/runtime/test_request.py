import dataclasses

import numpy as np
import pytest

from recsys.errors import RequestError
from recsys.retrieval.filter_language import parse_filters
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
    "numbers": [1],
    "null in it": ["a", None],
    "iterator": iter(["a"]),
}


@pytest.mark.parametrize("name", ["history", "exclude_items"])
@pytest.mark.parametrize("value", NO_LISTS.values(), ids=NO_LISTS)
def test_items_are_a_list_of_texts(name, value):
    with pytest.raises(RequestError, match=f"{name} must be a list of item ids as text, but it is"):
        RecommendationRequest(**{name: value})


@pytest.mark.parametrize("name", ["user_id", "diversity", "diversity_column"])
def test_names_are_texts(name):
    with pytest.raises(RequestError, match=f"{name} must be text, but it is 7"):
        RecommendationRequest(**{name: 7})


def test_a_user_id_that_is_a_number_says_that_ids_are_text():
    with pytest.raises(RequestError, match="Ids are compared as text"):
        RecommendationRequest(user_id=7)


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
    with pytest.raises(RequestError, match="Ratings must be numbers, but"):
        RecommendationRequest(history=["a"], ratings=[rating])


@pytest.mark.parametrize("timestamp", [1.5, True, "1", None, 2**63, -(2**63)])
def test_timestamps_are_whole_seconds_and_none_is_the_one_that_stands_for_unknown(timestamp):
    with pytest.raises(RequestError, match="Timestamps must be whole seconds since 1970, but"):
        RecommendationRequest(history=["a"], timestamps=[timestamp])


def test_the_first_and_the_last_timestamp():
    ends = (1 - 2**63, 2**63 - 1)
    assert RecommendationRequest(history=["a", "b"], timestamps=ends).timestamps == ends


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
