import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.interface.protocols import FoldsIn, Query
from recsys.recommendation.model_queries import requests_of
from recsys.recommendation.sampled_explanation import ExactExplainer, batch_explainer_of, sampled_explainer_of
from recsys.retrieval.sampled_explanation import SampledExplainer
from tests.models.board_data import NUM_ITEMS
from tests.models.small_data import histories_of
from tests.models.test_contract import everyone, fitted, is_personalized, models_that, scores_of


class Pairs(nn.Module):
    """``score(i) = (sum of a_i over the history)^power + i``: what an interaction brings depends on the others."""

    def __init__(self, weights, empty=torch.nan, power=2):
        super().__init__()
        self.power = power
        self.weights = torch.tensor(weights)  # [I]
        self.empty = empty
        self.calls = 0

    def score(self, query):
        return self.score_histories(query.histories)

    def score_histories(self, histories):
        self.calls += 1
        rows = torch.repeat_interleave(torch.arange(len(histories)), histories.counts)
        sums = torch.zeros(len(histories)).index_add_(0, rows, self.weights[histories.items])
        scores = sums[:, None] ** self.power + torch.arange(len(self.weights))
        return scores.masked_fill((histories.counts == 0)[:, None], self.empty)


class ByUser(nn.Module):
    def score(self, query):
        return torch.arange(4.0).expand(len(query), -1)


def strangers(*rows):
    return Query(torch.full((len(rows),), -1), histories_of(*rows))


def explain(model, query, items, **settings):
    """What samples say of ``items``, a list for each query."""
    num_items = model.score(query).shape[1]
    return sampled_explainer_of(model, num_items, **settings).explain(requests_of(query), np.asarray(items))


def shapley(model, items, target, unscored):
    """By the definition: the mean gain over all orders."""
    parts = torch.zeros(len(items), dtype=torch.float64)
    orders = list(itertools.permutations(range(len(items))))

    def value(chosen):
        score = model.score(strangers([items[place] for place in sorted(chosen)]))[0, target]
        return unscored if score.isnan() else score.item()

    for order in orders:
        for place, player in enumerate(order):
            parts[player] += value(order[: place + 1]) - value(order[:place])
    return parts / len(orders)


def test_two_interactions_by_hand():
    # (1 + 2)^2 + 0 = 9 from nothing: item 0 brings 1 as the first and 9 - 4 = 5 as the second, in the mean 3
    explanation = explain(Pairs([1.0, 2.0]), strangers([0, 1]), [[0]])
    assert explanation.contributions.tolist() == [[3.0], [6.0]]
    assert explanation.errors.tolist() == [[0.0], [0.0]]
    assert explanation.rest.tolist() == [[0.0]]


def test_the_score_of_no_history_is_the_rest():
    # the score of nothing is 1: item 0 brings 0 as the first, 5 as the second
    explanation = explain(Pairs([1.0, 2.0], empty=1.0), strangers([0, 1]), [[0]])
    assert explanation.contributions.tolist() == [[2.5], [5.5]]
    assert explanation.rest.tolist() == [[1.0]]


def test_what_unscored_parts_count_as_can_be_chosen():
    explanation = explain(Pairs([1.0, 2.0]), strangers([0, 1]), [[0]], unscored=1.0)
    assert explanation.contributions.tolist() == [[2.5], [5.5]]


@settings(max_examples=20)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=5),
    st.lists(st.floats(-2, 2), min_size=6, max_size=6),
    st.integers(0, 5),
    st.floats(-1, 1),
)
def test_short_histories_have_the_shapley_values(items, weights, target, unscored):
    model = Pairs(weights)
    explanation = explain(model, strangers(items), [[target]], unscored=unscored)
    expected = shapley(model, items, target, unscored)
    np.testing.assert_allclose(explanation.contributions[:, 0], expected, rtol=1e-4, atol=1e-4)
    assert (explanation.errors == 0).all()


def test_samples_come_close_to_the_shapley_values_as_their_errors_say():
    # From a sum of squares the pairs of orders would have no error at all but that of the firsts.
    weights = torch.randn(12, generator=torch.Generator().manual_seed(1)).tolist()
    model, items = Pairs(weights, power=3), list(range(12))
    every = explain(model, strangers(items), [[2]], num_permutations=500)
    assert (every.errors == 0).all()  # all 4,096 parts of the history
    expected = every.contributions[:, 0]
    standardised = []
    for seed in range(100):
        explanation = explain(model, strangers(items), [[2]], num_permutations=64, seed=seed)
        assert (explanation.errors > 0).all()
        np.testing.assert_allclose(explanation.scores, model.score(strangers(items))[:, [2]].numpy(), rtol=1e-5)
        standardised.append((explanation.contributions[:, 0] - expected) / explanation.errors[:, 0])
    standardised = np.stack(standardised)
    # 32 pairs: Student's t with 31 degrees of freedom has standard deviation 1.03; the mean of 100 draws has 0.1, and
    # more where gains are skewed
    assert np.abs(standardised.mean(0)).max() < 0.7
    assert 0.7 < standardised.std() < 1.3


def test_the_error_falls_with_the_number_of_orders():
    model, query = Pairs(torch.linspace(-1, 2, 20).tolist()), strangers(list(range(20)))
    few, many = (explain(model, query, [[0]], num_permutations=number).errors.mean() for number in (16, 256))
    assert many < few / 2  # a quarter in the mean


def test_older_interactions_are_one():
    # items 0 and 1 are one player of weight 3 beside 1 and 2: 3 * (3 + 1 + 2), and so on
    model = Pairs([1.0, 2.0, 1.0, 2.0])
    explanation = explain(model, strangers([0, 1, 2, 3], [3]), [[0], [0]], max_items=2)
    np.testing.assert_allclose(explanation.one(0).contributions[:, 0], [9.0, 9.0, 6.0, 12.0], rtol=1e-6)
    assert explanation.num_grouped.tolist() == [2, 0]
    np.testing.assert_allclose(explanation.scores, [[36.0], [4.0]], rtol=1e-6)


def test_repeated_items_are_players_of_their_own():
    explanation = explain(Pairs([1.0, 2.0]), strangers([1, 0, 1]), [[0]])
    np.testing.assert_allclose(explanation.contributions[:, 0], [10.0, 5.0, 10.0], rtol=1e-6)


def test_an_empty_history_has_no_parts_and_no_item_no_score():
    explanation = explain(Pairs([1.0, 2.0]), strangers([], [1]), [[0, 1], [-1, 1]])
    assert explanation.one(0).contributions.shape == (0, 2)
    assert np.isnan(explanation.rest).tolist() == [[True, True], [True, False]]
    assert np.nan_to_num(explanation.scores, nan=-1).tolist() == [[-1, -1], [-1, 5]]


def test_all_parts_of_a_history_are_asked_for_in_few_calls():
    model = Pairs([1.0] * 20)
    explain(model, strangers(list(range(20))), [[0]])
    assert model.calls <= 4  # the scores, those of nothing, the rest, and all parts
    explain(model, strangers(list(range(20))), [[0]], max_scores=20 * 100)
    assert model.calls > 8  # no more than 100 histories at once


def test_scores_that_do_not_depend_on_the_history_are_refused():
    with pytest.raises(
        ModelError, match=r"but ByUser scores these users .* whatever their history. Choose a model that"
    ):
        explain(ByUser(), strangers([1]), [[0]])


@pytest.mark.parametrize("name", ["mf", "neumf", "popularity", "bias", "svd_pp"])
def test_models_of_known_users_are_refused(name):
    board = fitted(name)
    advice = "Ask as a user that it does not know" if isinstance(board.model, FoldsIn) else "Choose a model that folds"
    with pytest.raises(ModelError, match=f"whatever their history. {advice}"):
        explain(board.model, everyone(board), np.zeros((40, 1), dtype=np.int64))


@pytest.mark.parametrize("arguments", [{"num_permutations": 2}, {"num_permutations": 7}, {"max_items": 0}])
def test_settings_out_of_range_are_refused(arguments):
    with pytest.raises(ModelError, match="an even number of permutations, at least 4"):
        sampled_explainer_of(ByUser(), 4, **arguments)


def test_a_model_that_explains_is_asked_itself():
    ease, nmf = fitted("ease").model, fitted("nmf").model
    assert isinstance(batch_explainer_of(ease, NUM_ITEMS), ExactExplainer)
    assert isinstance(batch_explainer_of(nmf, NUM_ITEMS), SampledExplainer)


@pytest.mark.parametrize("name", [name for name in models_that(FoldsIn) if is_personalized(name)])
class TestEveryModelThatFoldsIn:
    def query(self, name):
        board = fitted(name)
        return Query(torch.tensor([-1, -1, -1]), board.task.histories.take(torch.tensor([3, -1, 4])))

    def items(self):
        return np.tile([0, 7, NUM_ITEMS - 1], (3, 1))

    def explain(self, name, query, **settings):
        with torch.inference_mode():
            items = self.items()[: len(query)]
            return explain(fitted(name).model, query, items, num_permutations=8, **settings)

    @pytest.mark.parametrize("max_items", [5, 100], ids=["grouped", "all"])
    def test_parts_and_rest_are_the_score(self, name, max_items):
        query = self.query(name)
        explanation = self.explain(name, query, max_items=max_items)
        scores = scores_of(fitted(name).model, query).gather(1, torch.from_numpy(self.items())).numpy()
        np.testing.assert_allclose(explanation.scores, scores, rtol=1e-4, atol=1e-4)

    def test_one_by_one_as_all_at_once(self, name):
        query = self.query(name)
        together = self.explain(name, query)
        for row in range(len(query)):
            index = torch.tensor([row])
            alone = self.explain(name, Query(query.users[index], query.histories.take(index)))
            np.testing.assert_allclose(alone.contributions, together.one(row).contributions, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["ease", "item_knn", "pure_svd"])
def test_of_a_linear_model_they_are_its_own_parts(name):
    model = fitted(name).model
    histories = fitted(name).task.histories.take(torch.tensor([3]))
    query = Query(torch.tensor([-1]), Histories(torch.tensor([0, 6]), histories.items[:6], None, None))
    items = torch.arange(NUM_ITEMS)[None]
    np.testing.assert_allclose(
        explain(model, query, items).contributions,
        model.explain(query, items).contributions.numpy(),
        rtol=1e-4,
        atol=1e-5,
    )
