import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.elicitation.familiarity import FamiliarityModel
from recsys.elicitation.preference_elicitation import MIN_PROBABILITY, PreferenceElicitation
from tests.checkerboard import checkerboard

#: Items 0 and 1 are one taste, 2 and 3 another, 4 is on its own and no sign of anything; nobody knows 5.
SHARES = np.array([0.5, 0.4, 0.5, 0.3, 0.6, 0.0])
LOADINGS = np.array([[0.4, 0.0], [0.3, 0.0], [0.0, 0.35], [0.0, 0.2], [0.0, 0.0], [0.0, 0.0]])
NOISE = np.maximum(SHARES * (1 - SHARES) - np.square(LOADINGS).sum(1), 1e-3)


def elicitation() -> PreferenceElicitation:
    return PreferenceElicitation(FamiliarityModel(SHARES, LOADINGS, NOISE))


def reference_gains(known: list[int], asked: dict[int, bool]) -> np.ndarray:
    """By the covariance of all items' answers, without user vectors.

    Args:
        known: items by which the recommender has narrowed its belief.
        asked: all answers.
    """
    prior = LOADINGS @ LOADINGS.T

    def given(covariance: np.ndarray, items: list[int]) -> np.ndarray:
        among = covariance[np.ix_(items, items)] + np.diag(NOISE[items])
        return covariance - covariance[:, items] @ np.linalg.solve(among, covariance[items, :])

    left = given(prior, known) if known else prior
    items = list(asked)
    expected = SHARES.copy()
    if items:
        among = prior[np.ix_(items, items)] + np.diag(NOISE[items])
        surprise = np.array([float(asked[item]) for item in items]) - SHARES[items]
        expected = SHARES + prior[:, items] @ np.linalg.solve(among, surprise)
    lost = np.array([np.trace(left) - np.trace(given(left, [item])) for item in range(6)])
    # the trace is of what is explained, where the noise has no part
    return np.clip(expected, MIN_PROBABILITY, 1) * lost


def test_the_gain_is_the_probability_times_the_variance_that_is_lost():
    found = elicitation()
    np.testing.assert_allclose(found.gains()[:5], reference_gains([], {})[:5], atol=1e-12)
    assert found.gains()[5] == -np.inf  # nobody knows it


@pytest.mark.parametrize("known", [True, False])
def test_after_an_answer_too(known):
    found = elicitation()
    found.answer(0, known)
    expected = reference_gains([0] if known else [], {0: known})
    np.testing.assert_allclose(found.gains()[1:5], expected[1:5], atol=1e-12)
    assert found.gains()[0] == -np.inf


def test_known_items_make_others_of_their_kind_more_likely_and_unknown_ones_less():
    likes, dislikes = elicitation(), elicitation()
    likes.answer(0, True)
    dislikes.answer(0, False)
    assert likes.probabilities()[1] > SHARES[1] > dislikes.probabilities()[1]
    assert likes.probabilities()[2] == dislikes.probabilities()[2] == SHARES[2]


def test_the_order_of_answers_does_not_matter():
    forward, backward = elicitation(), elicitation()
    for item, known in ((0, True), (3, False), (1, True)):
        forward.answer(item, known)
    for item, known in ((1, True), (0, True), (3, False)):
        backward.answer(item, known)
    np.testing.assert_allclose(forward.probabilities(), backward.probabilities())
    np.testing.assert_allclose(forward.gains()[[2, 4]], backward.gains()[[2, 4]])


def test_the_shortlist_does_not_ask_for_one_taste_twice_first():
    assert elicitation().shortlist(2) == [0, 2]
    assert sorted(elicitation().shortlist(10)) == [0, 1, 2, 3, 4]  # nobody knows item 5


def test_items_of_a_shortlist_count_as_asked():
    found = elicitation()
    first, rest = found.shortlist(2), found.shortlist(10)
    assert set(first).isdisjoint(rest)
    assert found.next_item() is None


def test_answers_come_before_the_shortlist():
    found = elicitation()
    found.answer_all([2], True)
    found.answer_all([1], False)
    assert set(found.shortlist(10)) == {0, 3, 4}


@given(answers=st.lists(st.tuples(st.integers(0, 29), st.booleans()), max_size=20))
def test_probabilities_stay_probabilities_and_nothing_is_asked_twice(answers):
    rows, _ = checkerboard()
    found = PreferenceElicitation(FamiliarityModel.from_interactions(rows, num_components=5))
    for item, known in answers:
        found.answer(item, known)
    assert ((found.probabilities() >= MIN_PROBABILITY) & (found.probabilities() <= 1)).all()
    left = found.shortlist(100)
    assert len(left) == len(set(left))
    assert set(left) == set(range(30)) - {item for item, _ in answers}


def test_one_answer_tells_the_colour_of_a_user_of_the_board():
    rows, _ = checkerboard()
    found = PreferenceElicitation(FamiliarityModel.from_interactions(rows, num_components=1))
    found.answer(4, True)
    assert found.probabilities()[::2].min() > 0.9
    assert found.probabilities()[1::2].max() < 0.1


def test_an_empty_catalogue_has_nothing_to_ask_for():
    empty = np.empty(0)
    assert PreferenceElicitation(FamiliarityModel(empty, np.empty((0, 2)), empty)).shortlist(3) == []
