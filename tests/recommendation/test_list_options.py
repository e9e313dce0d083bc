import pytest
import torch

from recsys.errors import RetrievalError
from recsys.recommendation.list_options import ListOptions
from recsys.recommendation.model_stages import ScoreRetriever
from recsys.recommendation.new_user import NewUser
from recsys.recommendation.request_batches import request_of_new_user
from tests.models.board_data import NUM_ITEMS, prepared_board


class NearestNumber:
    """Scores items by how near their index is to the last one of the history."""

    def score(self, query):
        if len(query.histories.items) == 0:
            return torch.full((1, NUM_ITEMS), torch.nan)
        return -(torch.arange(NUM_ITEMS) - query.histories.items[-1:, None]).abs().float()


def recommended(wishes, ids, k=3):
    request = request_of_new_user(NewUser.from_ids(ids, None, prepared_board(), None))
    return wishes.recommend(ScoreRetriever(NearestNumber(), NUM_ITEMS), request, k, prepared_board())


def test_without_wishes_they_are_the_best_unseen_items():
    items, scores = recommended(ListOptions(), ["i09", "i10"])
    # 9 and 10 are seen; 8 and 12 are equally near, and the lower index comes first
    assert items.tolist() == [11, 8, 12]
    assert scores.tolist() == [-1, -2, -2]


def test_a_history_that_tells_nothing_gives_nothing():
    items, scores = recommended(ListOptions(), ["nowhere"])
    assert items.tolist() == scores.tolist() == []


def test_blocked_items_are_left_out_and_unknown_ones_do_no_harm():
    assert recommended(ListOptions(exclude_items=["i11", "nowhere"]), ["i09", "i10"])[0].tolist() == [8, 12, 7]


def test_rules_are_kept():
    wishes = ListOptions(only={"colours": ["white"]}, between={"item_index": [10, None]})
    # white squares are odd
    assert wishes.restrict
    assert recommended(wishes, ["i10"])[0].tolist() == [11, 13, 15]
    assert not ListOptions(diversity="mmr").restrict


def test_diversity_chooses_among_the_candidates():
    # 11 and 9 are as near, and both are white: 8 is the nearest black one. Among 3 candidates there is none.
    wishes = ListOptions(diversity="mmr", diversity_weight=1, num_candidates=20)
    assert recommended(wishes, ["i10"], k=2)[0].tolist() == [9, 8]
    few = ListOptions(diversity="mmr", diversity_weight=1, num_candidates=2)
    assert recommended(few, ["i10"], k=2)[0].tolist() == [9, 11]


def test_at_least_one_item_must_be_asked_for():
    with pytest.raises(RetrievalError, match="k must be a whole number of at least 1, but it is 0"):
        recommended(ListOptions(), ["i09"], k=0)
