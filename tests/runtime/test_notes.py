import numpy as np
import pytest

from recsys.runtime.notes import notes_of
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import UserContext

NONE = np.zeros(0, dtype=np.int64)


def context(user=0, history=(), unknown_items=(), unknown_values=(), is_known=True):
    items = np.array(history, dtype=np.int64)
    return UserContext(user, items, None, None, items, NONE, unknown_items, {}, unknown_values, is_known)


def notes(request, of, personalized=True, num_items=10, folds_in=True, **more):
    return notes_of(request, of, personalized, num_items, folds_in, "board", **more)


def test_of_a_usual_list_there_is_nothing_to_say():
    assert notes(RecommendationRequest(user_id="u1"), context()) == ()


def test_unknown_items_and_values_are_named():
    found = notes(RecommendationRequest(), context(unknown_items=("x", "y"), unknown_values=("city: Rome",)))
    assert found == (
        "Not in board, and left out: x, y. Ids are compared as text, leading zeros included.",
        "Not in board, and without effect: city: Rome.",
    )


def test_an_unknown_user_is_named():
    stranger = RecommendationRequest(user_id="7")
    (known_by_history,) = notes(stranger, context(user=-1, history=[3]))
    assert known_by_history == "User 7 is not in board. Ids are compared as text, leading zeros included."
    empty, _ = notes(stranger, context(user=-1, is_known=False), personalized=False, num_items=0)
    assert empty.startswith("User 7 is not in board, so nothing is known of them. Ids are compared")


def test_one_note_says_that_a_user_is_unknown_and_gets_what_is_popular():
    (note,) = notes(RecommendationRequest(user_id="7"), context(user=-1, is_known=False), personalized=False)
    assert note.startswith("User 7 is not in board, so nothing is known of them: here is what is popular. Ids are")


@pytest.mark.parametrize(
    ("request_", "of", "folds_in", "reason"),
    [
        (RecommendationRequest(), context(-1, is_known=False), True, "Nothing is known of this user"),
        (RecommendationRequest(history=[]), context(-1, is_known=False), True, "Nothing is known of this user"),
        (RecommendationRequest(history=["x"]), context(-1, is_known=False), True, "Nothing is left of the history"),
        (
            RecommendationRequest(history=["i1"]),
            context(-1, history=[1]),
            False,
            "The model scores only users that it was trained with",
        ),
        (
            RecommendationRequest(history=["i1"], filters={"year": {"gte": 1990}}),
            context(-1, history=[1]),
            True,
            "The model finds nothing among what the filters allow",
        ),
        (RecommendationRequest(), context(2), False, "What is known of this user tells the model nothing"),
        (
            RecommendationRequest(history=["i1"]),
            context(-1, history=[1]),
            True,
            "What is known of this user tells the model nothing",
        ),
    ],
)
def test_a_list_of_popular_items_says_why(request_, of, folds_in, reason):
    assert notes(request_, of, personalized=False, folds_in=folds_in) == (f"{reason}: here is what is popular.",)


@pytest.mark.parametrize(
    "restriction", [{"filters": {"year": {"gte": 1990}}}, {"exclude_items": ["i1"]}], ids=["filter", "excluded item"]
)
def test_restrictions_that_leave_too_little_say_so(restriction):
    request = RecommendationRequest(k=3, **restriction)
    assert notes(request, context(), num_items=2) == ("The filters leave 2 unseen items.",)
    assert notes(request, context(), num_items=0) == ("The filters leave 0 unseen items.",)
    assert notes(request, context(), num_items=3) == ()


def test_an_empty_list_says_that_everything_was_seen_and_nothing_of_popularity():
    found = notes(RecommendationRequest(), context(), personalized=False, num_items=0)
    assert found == ("Nothing is left to recommend: every item was seen.",)


def test_a_short_list_without_restrictions_needs_no_note():
    assert notes(RecommendationRequest(k=10), context(), num_items=4) == ()


def test_of_a_model_with_one_list_it_is_said():
    (note,) = notes(RecommendationRequest(user_id="u1"), context(), personalized=False, same_for_all=True)
    assert note == "The model has one list for everyone: here is what is popular."


def test_what_tells_the_model_nothing_is_not_blamed_on_the_filters():
    request = RecommendationRequest(history=["i1"], filters={"year": {"gte": 1990}})
    (note,) = notes(request, context(-1, history=[1]), personalized=False, told=False)
    assert note == "What is known of this user tells the model nothing: here is what is popular."


def test_seen_items_that_cannot_come_back_for_want_of_times_are_noted():
    (note,) = notes(RecommendationRequest(history=["i1"]), context(-1, history=[1])._replace(undated=True))
    assert note.startswith("When the history was seen is not known, so that none of it comes back")
