"""What holds for every model that explains its scores; a new one is tested by its file in ``configs/model``."""

from __future__ import annotations

import pytest
import torch

from recsys.data.histories import Histories
from recsys.models.interface.protocols import Explains, Query
from tests.models.board_data import NUM_ITEMS
from tests.models.test_contract import everyone, fitted, models_that, models_with, nothing_known_of, scores_of

EXPLAINING = models_that(Explains)
ALL_ITEMS = torch.arange(NUM_ITEMS)


def items_for(query: Query) -> torch.Tensor:
    """The whole catalogue for each query."""
    return ALL_ITEMS.expand(len(query), -1)


def explain(model, query, items):
    with torch.inference_mode():
        return model.explain(query, items)


def test_there_are_such_models():
    assert {"ease", "slim", "item_knn", "ials", "pure_svd", "content", "item_knn_ratings"} <= set(EXPLAINING)


@pytest.mark.parametrize("name", EXPLAINING)
def test_parts_and_rest_are_the_score(name):
    model, query = fitted(name).model, everyone(fitted(name))
    explanation = explain(model, query, items_for(query))
    assert explanation.contributions.shape == (len(query.histories.items), NUM_ITEMS)
    torch.testing.assert_close(explanation.scores, scores_of(model, query), rtol=1e-4, atol=1e-5)
    assert explanation.contributions.abs().max() > 0


@pytest.mark.parametrize("name", EXPLAINING)
def test_parts_of_unknown_users_are_their_scores(name):
    model, query = fitted(name).model, everyone(fitted(name))
    unknown = Query(torch.full_like(query.users, -1), query.histories)
    explanation = explain(model, unknown, items_for(unknown))
    torch.testing.assert_close(explanation.scores, scores_of(model, unknown), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EXPLAINING)
def test_items_asked_for_again_are_counted_once_for_both(name):
    model, query = fitted(name).model, everyone(fitted(name))
    first = query.histories.take(torch.arange(2))
    twice = Histories(
        first.offsets * 2,
        torch.cat([first.items[: first.counts[0]].repeat(2), first.items[first.counts[0] :].repeat(2)]),
        None
        if first.rating is None
        else torch.cat([first.rating[: first.counts[0]].repeat(2), first.rating[first.counts[0] :].repeat(2)]),
        None,
    )
    again = Query(torch.tensor([-1, -1]), twice)
    explanation = explain(model, again, items_for(again))
    torch.testing.assert_close(explanation.scores, scores_of(model, again), rtol=1e-4, atol=1e-5)
    own = explanation.one(0).contributions
    torch.testing.assert_close(own[: len(own) // 2], own[len(own) // 2 :])


@pytest.mark.parametrize("name", EXPLAINING)
def test_an_empty_history_has_no_parts_and_leaves_the_other_users_as_they_are(name):
    board = fitted(name)
    mixed = Query(torch.tensor([-1, -1, -1]), board.task.histories.take(torch.tensor([3, -1, 4])))
    explanation = explain(board.model, mixed, items_for(mixed))
    scores = scores_of(board.model, mixed)
    torch.testing.assert_close(explanation.scores, scores, rtol=1e-4, atol=1e-5, equal_nan=True)
    assert explanation.one(1).contributions.shape == (0, NUM_ITEMS)
    alone = Query(torch.tensor([-1]), nothing_known_of(1))
    torch.testing.assert_close(explain(board.model, alone, items_for(alone)).rest, scores[1:2], equal_nan=True)


@pytest.mark.parametrize("name", EXPLAINING)
def test_explains_one_by_one_as_all_at_once(name):
    board = fitted(name)
    items = torch.stack([torch.randperm(NUM_ITEMS, generator=torch.Generator().manual_seed(u))[:5] for u in range(10)])
    together = explain(board.model, board.task.query(torch.arange(10)), items)
    for user in range(10):
        alone = explain(board.model, board.task.query(torch.tensor([user])), items[user : user + 1])
        torch.testing.assert_close(alone.contributions, together.one(user).contributions, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone.rest, together.one(user).rest, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EXPLAINING)
def test_no_item_has_no_parts(name):
    board = fitted(name)
    explanation = explain(board.model, board.task.query(torch.tensor([0, 1])), torch.tensor([[4, -1], [-1, 5]]))
    assert explanation.scores.isnan().tolist() == [[False, True], [True, False]]
    assert explanation.one(0).contributions.isnan().all(0).tolist() == [False, True]
    assert not explanation.one(0).contributions[:, 0].isnan().any()


@pytest.mark.parametrize("name", models_with("item_weights"))
def test_relations_are_the_parts_of_a_history_of_one_item(name):
    model = fitted(name).model
    every = Query(
        torch.full((NUM_ITEMS,), -1),
        Histories(torch.arange(NUM_ITEMS + 1), ALL_ITEMS, None, None),
    )
    with torch.inference_mode():
        weights = model.item_weights(ALL_ITEMS)
    torch.testing.assert_close(weights.T, scores_of(model, every), rtol=1e-4, atol=1e-6)
    assert (weights.diagonal() == 0).all()
    assert weights.abs().max() > 0
