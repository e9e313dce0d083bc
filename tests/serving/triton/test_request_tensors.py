import numpy as np
import pytest
from recsys_serving.triton.request_tensors import check_sizes, requests_of, similar_requests_of, tensors_of

from recsys.errors import RequestError
from recsys.runtime.request import RecommendationRequest

REQUESTS = [
    RecommendationRequest(),
    RecommendationRequest(user_id="007", k=3),
    RecommendationRequest(history=[]),
    RecommendationRequest(history=["Amélie", "007"], ratings=[3.5, 5], timestamps=[0, 4_102_444_800]),
    RecommendationRequest(user_features={"age": 24, "city": None, "hobbies": ["a", "b"], "is_new": True}),
    RecommendationRequest(user_features={"joined": "2024-05-31", "seen": "2024-05-31T12:00:00Z"}),
    RecommendationRequest(exclude_items=["1", "2"], diversity="mmr", diversity_weight=0.1, diversity_column="genres"),
    RecommendationRequest(filters={"genres": {"any_of": ["Drama"]}, "not": {"year": {"gte": 1990.5}}}, explain=True),
    RecommendationRequest(exclude_seen=False),
    RecommendationRequest(exclude_seen={"after_days": 1.5}, now=1_700_000_000),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_comes_back_as_it_was(request_: RecommendationRequest):
    assert requests_of(tensors_of(request_)) == [request_]


def test_what_says_nothing_is_not_sent():
    assert set(tensors_of(RecommendationRequest())) == {"k"}


def test_a_longer_list_than_a_number_holds_is_the_longest():
    assert tensors_of(RecommendationRequest(k=2**70))["k"].tolist() == [[2**63 - 1]]


def test_empty_texts_fill_up_rows():
    tensors = {
        "user_id": np.array([["u1"], [""]], dtype=object),
        "history": np.array([[b"a", b"b"], [b"c", b""]], dtype=object),
        "ratings": np.array([[5, 4], [3, 0]], dtype=np.float32),
        "exclude_items": np.array([["", ""], ["d", ""]], dtype=object),
        "filters": np.array([[""], ['{"year": {"gte": 3}}']], dtype=object),
    }
    assert requests_of(tensors) == [
        RecommendationRequest(user_id="u1", history=["a", "b"], ratings=[5, 4]),
        RecommendationRequest(history=["c"], ratings=[3], exclude_items=["d"], filters={"year": {"gte": 3}}),
    ]


def test_ratings_that_do_not_match_a_history_are_not_cut():
    tensors = {"history": np.array([["a", ""]], dtype=object), "ratings": np.array([[3, 4, 5]], dtype=np.float32)}
    with pytest.raises(RequestError, match="ratings must be one for each item of the history, but 3 came for 1 items"):
        requests_of(tensors)


def test_both_forms_of_ids_are_refused():
    tensors = {"history": np.array([["a"]], dtype=object), "history_number": np.array([[1]])}
    with pytest.raises(RequestError, match="history as text or history_number is required, but both came"):
        requests_of(tensors)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("filters", "{", "filters must be JSON"),
        ("filters", "[" * 100_000, "filters must be JSON"),
        ("filters", "3", "filters must be columns with conditions"),
        ("user_features", "[]", r"user_features must be a JSON object, but it is \[\]"),
        ("filters", " " * 1_000_001, "filters may have 1,000,000 characters, but these have 1,000,001"),
    ],
)
def test_what_is_no_json_is_refused(name: str, text: str, message: str):
    with pytest.raises(RequestError, match=message):
        requests_of({name: np.array([[text]], dtype=object)})


def test_a_text_that_utf_8_does_not_hold_is_refused():
    with pytest.raises(RequestError, match="Texts of user_id must be ones that UTF-8 holds"):
        tensors_of(RecommendationRequest(user_id="\ud800"))


def test_large_inputs_are_refused_by_their_shapes():
    check_sizes({"history": (1, 100_000)})
    with pytest.raises(RequestError, match="history may have 100,000 values, but 1,099,511,627,776 came"):
        check_sizes({"k": (1, 1), "history": (1, 2**40)})


def test_similar_items_are_asked_for_by_the_model_unless_it_is_said():
    tensors = {"similar_to": np.array([["a", "b"], ["c", ""]], dtype=object), "k": np.array([[3], [4]])}
    assert similar_requests_of(tensors) == [(["a", "b"], 3, "model"), (["c"], 4, "model")]
    assert similar_requests_of({"similar_to_number": np.array([[7]])}) == [(["7"], 10, "model")]
