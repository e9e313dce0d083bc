"""Every model that explains its scores splits them in the same way in the form in which it is served."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.export.onnx_export import export_explainer
from recsys.models.components.recency import Recency
from recsys.models.content import Content
from recsys.models.ials import IALS
from recsys.models.interface.explanation import Explanation, rows_of
from recsys.models.interface.protocols import Explains, Query
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.explainers import DensePairs, SparsePairs, pairs_of_weights
from recsys.runtime.onnx_inputs import CANDIDATES, CONTRIBUTIONS, REST
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board
from tests.models.onnx.model_queries import random_histories, run_all, served
from tests.models.small_data import small_data
from tests.models.test_contract import everyone, fitted, models_that, models_with, nothing_known_of

EXPLAINING = models_that(Explains)


@cache
def form_of(name: str) -> nn.Module:
    return fitted(name).model.explaining_form()


def strangers(ratings: bool = True, times: bool = True) -> Query:
    """Users who were not in training, with items that come again; the fourth has no history."""
    lengths = [1, 7, 90, 0, 33]
    return Query(torch.full((len(lengths),), -1), random_histories(lengths, NUM_ITEMS, 0, ratings, times))


def items_for(query: Query, num_items: int = NUM_ITEMS) -> Tensor:
    """Some items for each query, and none here and there."""
    return torch.randint(-1, num_items, (len(query), 9), generator=torch.Generator().manual_seed(3))


def assert_explains_as(expected: Explanation, contributions: Tensor, rest: Tensor) -> None:
    """Require the same contributions to 1e-4 of the largest one, and 0 after the end of a history."""
    counts = expected.histories.counts
    rows = rows_of(expected.histories)
    places = torch.arange(len(rows)) - expected.histories.offsets[rows]
    scale = max([1e-6, *expected.contributions.nan_to_num().abs().flatten().tolist()])
    assert contributions.dtype == rest.dtype == torch.float32
    torch.testing.assert_close(
        contributions[rows, places], expected.contributions, rtol=1e-4, atol=1e-4 * scale, equal_nan=True
    )
    torch.testing.assert_close(rest, expected.rest, rtol=1e-5, atol=1e-5, equal_nan=True)
    after = torch.arange(contributions.shape[1]) >= counts[:, None]
    assert (contributions[after] == 0).all()


def assert_as_the_model(model: nn.Module, form: nn.Module, query: Query, items: Tensor, padding: int = 0) -> None:
    with torch.inference_mode():
        assert_explains_as(model.explain(query, items), *form(served(query, padding), items))


def test_every_model_that_explains_can_be_served_as_well():
    assert models_with("explaining_form") == EXPLAINING


@pytest.mark.parametrize("name", EXPLAINING)
def test_explains_the_users_of_training(name):
    query = everyone(fitted(name))
    assert_as_the_model(fitted(name).model, form_of(name), query, items_for(query))


@pytest.mark.parametrize("name", EXPLAINING)
@pytest.mark.parametrize(("ratings", "times"), [(True, True), (False, True), (True, False), (False, False)])
def test_explains_a_stranger_by_what_is_told_of_the_history(name, ratings, times):
    query = strangers(ratings, times)
    assert_as_the_model(fitted(name).model, form_of(name), query, items_for(query), padding=40)


@pytest.mark.parametrize("name", EXPLAINING)
def test_nothing_known_of_anyone_is_no_error(name):
    query = Query(torch.tensor([-1, 2]), nothing_known_of(2))
    assert_as_the_model(fitted(name).model, form_of(name), query, items_for(query))


@pytest.mark.parametrize("name", EXPLAINING)
def test_onnx_gives_the_same(name, tmp_path):
    export_explainer(form_of(name), tmp_path / "explainer.onnx")
    for query in (everyone(fitted(name)), strangers(), strangers(False, False)):
        items = items_for(query)
        with torch.inference_mode():
            expected = fitted(name).model.explain(query, items)
        given = run_all(tmp_path / "explainer.onnx", served(query, 2), **{CANDIDATES: items})
        assert list(given) == [CONTRIBUTIONS, REST]
        assert_explains_as(expected, given[CONTRIBUTIONS], given[REST])


def test_older_interactions_count_less_as_in_the_score():
    model = fitted("item_knn").model
    recency, model.recency = model.recency, Recency(step_decay=0.9, day_decay=0.99)
    try:
        assert_as_the_model(model, model.explaining_form(), strangers(), items_for(strangers()))
    finally:
        model.recency = recency


@pytest.mark.parametrize("unobserved_weight", [1e-3, 0.3, 5.0], ids=["eliminated", "usual", "few steps"])
def test_least_squares_are_solved_for_each_explained_item(unobserved_weight):
    data = small_data()
    model = IALS(data.num_users, data.num_items, embedding_dim=8, unobserved_weight=unobserved_weight, iterations=3)
    model.fit(data)
    query = Query(torch.tensor([-1, -1]), random_histories([9, 4], data.num_items, 1))
    assert_as_the_model(model, model.explaining_form(), query, items_for(query, data.num_items))


@pytest.mark.parametrize(
    "settings",
    [
        {"ratings_above": "user_mean"},
        {"ratings_above": "global_mean", "recency": Recency(step_decay=0.8)},
        {"num_components": 2, "ratings_above": "user_mean"},
        {"num_components": 2},
    ],
    ids=[
        "ratings above the user's mean",
        "above the global mean, with recency",
        "components, with ratings",
        "components",
    ],
)
def test_content_is_explained_in_all_its_forms(settings):
    model = Content(NUM_USERS, NUM_ITEMS, **settings)
    model.set_item_features(prepared_board().item_features())
    model.fit(fitted("content").interactions)
    for query in (strangers(), strangers(ratings=False)):
        assert_as_the_model(model, model.explaining_form(), query, items_for(query))


def weights(num_items: int, most: int) -> InteractionMatrix:
    """Each item depends on up to ``most`` others."""
    generator = torch.Generator().manual_seed(most)
    counts = torch.randint(0, most + 1, (num_items,), generator=generator).index_fill_(0, torch.tensor([1]), most)
    columns = [torch.randperm(num_items, generator=generator)[:count].sort().values for count in counts.tolist()]
    return InteractionMatrix(
        torch.cat([counts.new_zeros(1), counts.cumsum(0)]),
        torch.cat(columns),
        torch.rand(int(counts.sum()), generator=generator),
        num_items,
    )


@pytest.mark.parametrize(("most", "kind"), [(5, SparsePairs), (30, DensePairs)])
def test_pairs_are_kept_in_the_smaller_form_and_looked_up(most, kind):
    matrix = weights(40, most)
    pairs = pairs_of_weights(matrix)
    assert isinstance(pairs, kind)
    items, targets = torch.tensor([[3, 7, 7], [39, 0, 1]]), torch.tensor([[1, 0], [2, 38]])
    expected = matrix.dense()[targets[:, None, :], items[:, :, None]]
    torch.testing.assert_close(pairs(items, targets), expected)


def test_a_table_that_is_too_large_stays_sparse(monkeypatch):
    monkeypatch.setattr("recsys.models.onnx.explainers.MAX_DENSE", 1000)
    assert isinstance(pairs_of_weights(weights(40, 30)), SparsePairs)


def test_an_item_that_was_rated_again_has_its_best_rating_and_counts_once():
    model = fitted("item_knn_ratings").model
    histories = Histories(torch.tensor([0, 4]), torch.tensor([2, 5, 2, 8]), torch.tensor([1.0, 4.0, 5.0, 2.0]), None)
    query = Query(torch.tensor([-1]), histories)
    items = torch.arange(NUM_ITEMS)[None]
    assert_as_the_model(model, model.explaining_form(), query, items)
    with torch.inference_mode():
        contributions, _ = model.explaining_form()(served(query), items)
    torch.testing.assert_close(contributions[0, 0], contributions[0, 2])


def test_ratings_that_are_missing_in_one_request_of_a_batch_have_no_part():
    model = fitted("item_knn_ratings").model
    asked = served(Query(torch.tensor([-1]), random_histories([6], NUM_ITEMS, 2)))
    items = torch.arange(NUM_ITEMS)[None]
    with torch.inference_mode():
        whole, _ = model.explaining_form()(asked, items)
        unrated = torch.tensor([False, True, False, False, False, False])
        part, rest = model.explaining_form()(
            asked._replace(ratings=asked.ratings.masked_fill(unrated, torch.nan)), items
        )
    assert (part[0, 1] == 0).all()
    assert whole[0, 1].abs().max() > 0
    assert rest.isfinite().all()
