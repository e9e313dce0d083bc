import numpy as np
import pytest
import torch

from recsys.errors import ModelError, RecsysError
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.models.popularity import Popularity
from recsys.recommendation.new_user import (
    NewUser,
    folding_in,
    min_rating_of_history,
    recommend,
)
from tests.checkerboard import checkerboard
from tests.models.board_data import NUM_ITEMS, prepared_board

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


class TestNewUser:
    def of(self, ids, ratings=None, min_rating=None):
        return NewUser.from_ids(ids, ratings, prepared_board(), min_rating)

    def test_items_stay_in_their_order(self):
        user = self.of(["i07", "i02", "i11"])
        assert user.history.items.tolist() == [7, 2, 11]
        assert user.history.offsets.tolist() == [0, 3]
        assert user.history.rating is None

    def test_unknown_ids_are_left_out_with_their_ratings(self):
        user = self.of(["i07", "7", "i02", "7"], [5, 1, 3, 2])
        assert user.unknown_ids == ("7",)
        assert user.history.items.tolist() == [7, 2]
        assert user.history.rating.tolist() == [5, 3]

    def test_of_a_repeated_item_the_last_counts(self):
        user = self.of(["i07", "i02", "i07"], [1, 2, 5])
        assert user.history.items.tolist() == [2, 7]
        assert user.history.rating.tolist() == [2, 5]

    def test_what_was_not_liked_is_seen_but_no_part_of_the_history(self):
        user = self.of(["i07", "i02", "i03"], [5, 1, 4], min_rating=4)
        assert user.history.items.tolist() == [7, 3]
        assert user.history.rating.tolist() == [5, 4]
        assert user.history.offsets.tolist() == [0, 2]
        assert user.seen.tolist() == [7, 2, 3]

    def test_without_ratings_everything_was_liked(self):
        assert self.of(["i07"], min_rating=4).history.items.tolist() == [7]

    @pytest.mark.parametrize(
        ("ratings", "message"),
        [
            ([5], "but 1 came for 2 items"),
            (5, "but 1 came for 2 items"),
            ([5, 6], "numbers from 1 to 5, but 6 came"),
            ([5, "good"], "numbers from 1 to 5, but good came"),
            ([5, float("nan")], "but nan came"),
        ],
    )
    def test_ratings_must_fit(self, ratings, message):
        with pytest.raises(RecsysError, match=message):
            self.of(["i01", "i02"], ratings)


def test_a_new_user_is_refused_by_a_model_that_does_not_fold_in():
    with pytest.raises(ModelError, match=r"but Popularity scores only.*give user=ID, or train a model that folds"):
        folding_in(Popularity(1, NUM_ITEMS))


def test_a_model_that_folds_in_is_taken_as_one():
    model = EASE(1, NUM_ITEMS, Recency())
    assert folding_in(model) is model


def test_models_of_ratings_have_what_was_not_liked_in_their_histories():
    class Rater(Popularity):
        def predict_ratings(self, query, rows, items):
            return torch.zeros(len(rows))

    assert min_rating_of_history(Popularity(1, 1), prepared_board()) == 4
    assert min_rating_of_history(Rater(1, 1), prepared_board()) is None
