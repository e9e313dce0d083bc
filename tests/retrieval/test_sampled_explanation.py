"""What tests/recommendation/test_sampled_explanation.py does not see from PyTorch."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import ModelError
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.sampled_explanation import SampledExplainer
from tests.retrieval.made import TableRanker, requests


class SquareOfSums:
    """``score(i) = (sum of the ratings of the history)^2 + i + a feature``; remembers how many it was asked for."""

    def __init__(self):
        self.asked: list[RequestBatch] = []

    def score(self, asked, items):
        self.asked.append(asked)
        assert items.min() >= -1
        sums = np.bincount(asked.history.rows, asked.history.rating, minlength=len(asked))
        features = asked.features.get("age", np.zeros(len(asked)))
        return sums[:, None] ** 2 + items + features[:, None]


def rated(*ratings):
    """Requests whose histories have these ratings."""
    asked = requests([list(range(len(row))) for row in ratings])
    values = np.array([rating for row in ratings for rating in row], dtype=np.float32)
    times = np.arange(len(values))
    history = replace(asked.history, rating=values, timestamp=times)
    return replace(asked, history=history, features={"age": np.arange(len(ratings), dtype=np.float32)})


def test_ratings_and_features_come_with_the_parts_of_a_history():
    # (1 + 2)^2 = 9: the first brings 1 as the first and 9 - 4 as the second, in the mean 3
    found = SampledExplainer(SquareOfSums(), 5, "Sums").explain(rated([1, 2], [3]), np.array([[0, 4], [1, -1]]))
    np.testing.assert_allclose(found.contributions, [[3, 3], [6, 6], [9, np.nan]])
    np.testing.assert_allclose(found.rest, [[0, 4], [2, np.nan]])
    np.testing.assert_allclose(found.scores, [[9, 13], [11, np.nan]])
    assert found.contributions.dtype == found.rest.dtype == found.errors.dtype == np.float32


def test_the_seed_decides_the_orders():
    asked, items = rated(np.linspace(0, 3, 20)), np.array([[0]])
    weights = [
        SampledExplainer(SquareOfSums(), 5, "Sums", num_permutations=8, seed=seed).explain(asked, items).contributions
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()


def test_no_more_histories_are_scored_at_once_than_the_bound_allows():
    ranker = SquareOfSums()
    SampledExplainer(ranker, 10, "Sums", max_scores=70).explain(rated(np.linspace(0, 3, 20)), np.array([[0]]))
    assert max(len(asked) for asked in ranker.asked) == 7


def test_a_known_user_keeps_their_index():
    ranker = SquareOfSums()
    SampledExplainer(ranker, 5, "Sums").explain(rated([1], [2, 3]), np.array([[0], [0]]))
    assert {tuple(np.unique(asked.users)) for asked in ranker.asked[2:]} == {(0,), (1,)}


def test_what_does_not_depend_on_the_history_is_refused_with_its_name():
    table = SampledExplainer(TableRanker(np.ones((3, 4))), 4, "Table")
    with pytest.raises(ModelError, match="but Table scores these users by what it learnt .* Choose a model that folds"):
        table.explain(requests([[1], [2]]), np.array([[0], [1]]))


def test_equal_scores_of_the_explained_items_alone_are_no_reason_to_refuse():
    class OnlyOthers:
        def score(self, asked, items):
            return np.where(items == 3, asked.history.counts[:, None], 1.0)

    found = SampledExplainer(OnlyOthers(), 4, "Others").explain(requests([[1, 2]]), np.array([[0, 3]]))
    assert found.contributions.tolist() == [[0, 1], [0, 1]]
    found = SampledExplainer(OnlyOthers(), 4, "Others").explain(requests([[1, 2]]), np.array([[0, 1]]))
    assert found.contributions.tolist() == [[0, 0], [0, 0]]


def test_a_user_whose_history_would_count_as_that_of_a_stranger_is_told_so():
    class Strangers:
        def score(self, asked, items):
            return np.where(asked.users[:, None] < 0, asked.history.counts[:, None] + items, items)

    with pytest.raises(ModelError, match="Ask as a user that it does not know"):
        SampledExplainer(Strangers(), 4, "Strangers").explain(requests([[1, 2]]), np.array([[0]]))
    with pytest.raises(ModelError, match="Choose a model that folds in"):
        SampledExplainer(Strangers(), 4, "Strangers", folds_in=False).explain(requests([[1, 2]]), np.array([[0]]))


class SlowSums(SquareOfSums):
    """Takes a second for each history, by a clock of its own."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def score(self, asked, items):
        self.now += len(asked)
        return super().score(asked, items)

    def clock(self):
        return self.now

    def explainer(self, **settings):
        return SampledExplainer(self, 5, "Sums", monotonic=self.clock, **settings)


def test_with_time_enough_nothing_is_left_out():
    asked, items = rated(np.linspace(0, 3, 20)), np.array([[0, 2]])
    whole = SampledExplainer(SquareOfSums(), 5, "Sums", num_permutations=16).explain(asked, items)
    timed = SlowSums().explainer(num_permutations=16).explain_within(asked, items, 1e6)
    np.testing.assert_allclose(timed.contributions, whole.contributions, rtol=1e-5)
    np.testing.assert_allclose(timed.errors, whole.errors, rtol=1e-4)


def test_the_orders_follow_the_time_and_contributions_still_add_up():
    asked, items = rated(np.linspace(0, 3, 20)), np.array([[0, 2]])
    taken, errors = [], []
    for seconds in (0, 400, 1000):
        slow = SlowSums()
        found = slow.explainer().explain_within(asked, items, seconds)
        np.testing.assert_allclose(found.scores, slow.score(asked, items), rtol=1e-4)
        taken.append(slow.now)
        errors.append(found.errors.max())
    # The least: two pairs of orders and each interaction alone, at most 4 * 20 + 20 histories.
    assert taken[0] < 110 and taken[0] < taken[1] <= 405 < taken[2] <= 1005
    assert errors[0] > errors[2] > 0


def test_a_short_history_is_explained_by_all_its_parts_only_where_there_is_time():
    asked, items = rated(np.linspace(0, 3, 9)), np.array([[0]])
    exact = SlowSums().explainer().explain_within(asked, items, 1e6)
    np.testing.assert_array_equal(exact.errors, 0)
    slow = SlowSums()
    found = slow.explainer().explain_within(asked, items, 100)
    assert slow.now < 200 and found.errors.max() > 0
    np.testing.assert_allclose(found.scores, exact.scores, rtol=1e-4)


def test_several_requests_share_the_time():
    slow = SlowSums()
    rows = [np.linspace(0, 3, 20)] * 3
    slow.explainer().explain_within(rated(*rows), np.array([[0]] * 3), 900)
    assert slow.now <= 920


def test_the_clock_is_that_of_the_machine_where_none_is_told():
    explainer = SampledExplainer(SquareOfSums(), 5, "Sums")
    assert explainer.explain_within(rated(np.linspace(0, 3, 20)), np.array([[0]]), 1e6).errors is not None
