import numpy as np

from recsys.runtime.personalization.popularity_fallback import with_popularity_fallback
from tests.retrieval.made import candidates

INF = float("inf")
POPULAR = ([8, 9], [40.0, 30.0])


class Popular:
    """The same for everyone; writes down for which requests it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, rows):
        self.asked.append(rows.tolist())
        items, scores = POPULAR
        return candidates([items] * len(rows), [scores] * len(rows))


def test_requests_without_candidates_get_what_is_popular():
    popular = Popular()
    own = candidates([[-1, -1], [3, 1], [-1, -1]], [[-INF, -INF], [2.0, 1.0], [-INF, -INF]])
    result = with_popularity_fallback(own, np.ones(len(own), dtype=bool), popular)
    assert popular.asked == [[0, 2]]
    assert result.candidates.items.tolist() == [[8, 9], [3, 1], [8, 9]]
    assert result.candidates.scores.tolist() == [[40, 30], [2, 1], [40, 30]]
    assert result.personalized.tolist() == [False, True, False]


def test_what_a_model_found_is_not_filled_up():
    own = candidates([[3, -1]], [[2.0, -INF]])
    popular = Popular()
    result = with_popularity_fallback(own, np.ones(len(own), dtype=bool), popular)
    assert result.candidates is own and result.personalized.tolist() == [True] and popular.asked == []


def test_the_candidates_of_the_model_are_not_changed():
    own = candidates([[-1, -1]], [[-INF, -INF]])
    with_popularity_fallback(own, np.ones(len(own), dtype=bool), Popular())
    assert own.items.tolist() == [[-1, -1]] and own.scores.tolist() == [[-INF, -INF]]


def test_counts_that_float32_does_not_hold_stay_exact():
    # float32 holds whole numbers up to 2**24
    count = 2.0**24 + 1
    own = candidates([[-1], [5]], [[-INF], [0.5]])
    own = type(own)(own.items, own.scores.astype(np.float32))
    result = with_popularity_fallback(own, np.ones(len(own), dtype=bool), lambda rows: candidates([[7]], [[count]]))
    assert result.candidates.scores.tolist() == [[count], [0.5]]


def test_popularity_may_find_nothing_either():
    own = candidates([[-1]], [[-INF]])
    result = with_popularity_fallback(own, np.ones(len(own), dtype=bool), lambda rows: candidates([[-1]], [[-INF]]))
    assert result.candidates.items.tolist() == [[-1]] and result.personalized.tolist() == [False]


def test_what_a_model_has_for_everybody_is_nobody_s_own():
    own = candidates([[3, 1], [3, 1], [-1, -1]], [[2.0, 1.0], [2.0, 1.0], [-INF, -INF]])
    result = with_popularity_fallback(own, np.array([True, False, False]), Popular())
    assert result.candidates.items.tolist() == [[3, 1], [3, 1], [8, 9]]
    assert result.personalized.tolist() == [True, False, False]
