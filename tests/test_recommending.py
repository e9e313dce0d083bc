import numpy as np
import pytest
import torch

from recsys.errors import RecsysError
from recsys.models.popularity import Popularity
from recsys.recommending import popular_items, recommend
from tests.checkerboard import checkerboard

INTERACTIONS, SPLIT = checkerboard(num_users=4, num_items=6)
# users 0 and 2 have items 0, 2, 4; users 1 and 3 have items 1, 3, 5


def fitted() -> Popularity:
    model = Popularity(4, 6)
    model.fit(INTERACTIONS)
    return model


def test_what_was_seen_without_liking_it_is_not_recommended_either():
    liked = INTERACTIONS.take(np.flatnonzero(INTERACTIONS.item_index != 2))
    items, _ = recommend(fitted(), liked, INTERACTIONS, torch.tensor([0]), k=6)
    assert items.tolist() == [[1, 3, 5, -1, -1, -1]]


def test_what_a_user_has_is_not_recommended():
    items, scores = recommend(fitted(), INTERACTIONS, INTERACTIONS, torch.tensor([0, 1]), k=3)
    assert items.tolist() == [[1, 3, 5], [0, 2, 4]]
    assert scores.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_lists_that_run_out_are_padded():
    items, scores = recommend(fitted(), INTERACTIONS, INTERACTIONS, torch.tensor([3]), k=5)
    assert items.tolist() == [[0, 2, 4, -1, -1]]
    assert scores[0, 3:].tolist() == [float("-inf")] * 2


def test_the_model_is_not_changed():
    model = fitted()
    before = model.counts.clone()
    recommend(model, INTERACTIONS, INTERACTIONS, torch.tensor([0]), k=3)
    assert torch.equal(model.counts, before)


def test_items_without_opinion_are_not_recommended():
    class Silent(Popularity):
        def score(self, query):
            scores = super().score(query).clone()
            scores[:, 3] = torch.nan
            return scores

    model = Silent(4, 6)
    model.fit(INTERACTIONS)
    items, _ = recommend(model, INTERACTIONS, INTERACTIONS, torch.tensor([0]), k=3)
    assert items.tolist() == [[1, 5, -1]]


@pytest.mark.parametrize("k", [0, -1, "ten"])
def test_at_least_one_item_must_be_asked_for(k):
    with pytest.raises(RecsysError, match=f"at least 1, but it is {k}"):
        recommend(fitted(), INTERACTIONS, INTERACTIONS, torch.tensor([0]), k)
    with pytest.raises(RecsysError, match=f"at least 1, but it is {k}"):
        popular_items(INTERACTIONS, k)


def test_popular_items_are_counted():
    few = INTERACTIONS.take(SPLIT.train)
    items, counts = popular_items(few, 2)
    expected = torch.bincount(torch.from_numpy(few.item_index), minlength=6)
    assert counts.tolist() == expected.sort(descending=True).values[:2].tolist()
    assert expected[items].tolist() == counts.tolist()
