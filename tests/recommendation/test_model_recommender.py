import numpy as np
import pytest
import torch

from recsys.errors import RecsysError
from recsys.models.ease import EASE
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runtime.recommendation import Recommender
from recsys.runtime.request import RecommendationRequest
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board
from tests.models.test_contract import fitted


class NearestNumber:
    """Scores items by how near their index is to the last one of the history; unscored without a history."""

    def score(self, query):
        return self.score_histories(query.histories)

    def score_histories(self, histories):
        scores = torch.full((len(histories), NUM_ITEMS), torch.nan)
        for row in range(len(histories)):
            own = histories.items[histories.offsets[row] : histories.offsets[row + 1]]
            if len(own) > 0:
                scores[row] = -(torch.arange(NUM_ITEMS) - own[-1]).abs().float()
        return scores


class OnlyKnownUsers:
    """Scores users of the training alone: higher items are better."""

    def score(self, query):
        return torch.where(query.users[:, None] >= 0, torch.arange(NUM_ITEMS).float(), torch.nan)


@pytest.fixture(scope="module")
def nearest():
    return ModelRecommender(NearestNumber(), prepared_board(), num_candidates=20, name="nearest")


def ask(recommender, ids=None, **options):
    return recommender.recommend_one(RecommendationRequest(history=ids, **{"k": 3, **options}))


def test_is_a_recommender(nearest):
    assert isinstance(nearest, Recommender)


def test_a_new_user_gets_the_best_unseen_items(nearest):
    # 9 and 10 are seen; 8 and 12 are equally near, and the lower index comes first
    found = ask(nearest, ["i09", "i10"])
    assert found.personalized and found.model_version == "nearest"
    assert found.item_ids == ["i11", "i08", "i12"]
    assert found.scores == [-1, -2, -2]
    assert found.notes == ()


def test_a_known_user_who_has_seen_everything_gets_an_empty_list(nearest):
    found = ask(nearest, user_id="u03")
    assert found.item_ids == []
    assert found.notes == ("Nothing is left to recommend: every item was seen.",)


def test_a_history_that_tells_nothing_gives_what_is_popular(nearest):
    found = ask(nearest, ["nowhere"], filters={"item_index": {"gte": 4}})
    assert not found.personalized
    assert found.item_ids == ["i04", "i05", "i06"]
    assert found.unknown_items == ("nowhere",)
    assert found.notes == (
        "Not in board, and left out: nowhere. Ids are compared as text, leading zeros included.",
        "Nothing is left of the history: here is what is popular.",
    )


def test_popular_items_are_counted(nearest):
    # every square is liked by half of the users: ties go to the lower index
    found = ask(nearest, k=2, filters={"colours": {"none_of": ["black"]}})
    assert found.item_ids == ["i01", "i03"]
    assert found.scores == [NUM_USERS // 2] * 2
    assert found.notes == ("Nothing is known of this user: here is what is popular.",)


def test_an_unknown_user_is_named(nearest):
    found = ask(nearest, user_id="zzz")
    assert not found.personalized
    assert found.notes == (
        "User zzz is not in board, so nothing is known of them: here is what is popular. Ids are compared as text, "
        "leading zeros included.",
    )
    told = ask(nearest, ["i09"], user_id="zzz")
    assert told.personalized and told.notes[0].startswith("User zzz is not in board. Ids are")


def test_filters_that_leave_nothing_say_so(nearest):
    found = ask(nearest, ["i09"], filters={"item_index": {"any_of": [9]}})
    assert found.item_ids == []
    assert found.notes == ("The filters leave 0 unseen items.",)


def test_unscored_items_among_what_the_filters_allow_give_what_is_popular():
    class OnlyLow(NearestNumber):
        def score_histories(self, histories):
            return super().score_histories(histories).masked_fill(torch.arange(NUM_ITEMS) > 5, torch.nan)

    found = ask(ModelRecommender(OnlyLow(), prepared_board()), ["i01"], filters={"item_index": {"gte": 8}})
    assert not found.personalized and found.item_ids == ["i08", "i09", "i10"]
    assert found.notes == ("The model finds nothing among what the filters allow: here is what is popular.",)


def test_filters_that_leave_less_than_was_asked_for_say_so(nearest):
    found = ask(nearest, ["i09"], filters={"item_index": {"gte": 8, "lte": 10}})
    assert found.personalized
    assert found.item_ids == ["i08", "i10"]
    assert found.notes == ("The filters leave 2 unseen items.",)
    # without filters it is the catalogue that ends
    assert ask(nearest, ["i09"], k=NUM_ITEMS).notes == ()


def test_excluded_items_are_left_out_and_unknown_ones_do_no_harm(nearest):
    found = ask(nearest, ["i09", "i10"], exclude_items=["i11", "nowhere"])
    assert found.item_ids == ["i08", "i12", "i07"]


def test_what_was_rated_low_is_seen_but_no_part_of_the_history(nearest):
    found = ask(nearest, ["i07", "i02", "i03"], ratings=[5, 1, 5])
    assert found.item_ids == ["i04", "i01", "i05"]
    assert ask(nearest, ["i03", "i07"], ratings=[5, 1]).item_ids == ["i02", "i04", "i01"]


def test_of_a_repeated_item_the_last_counts(nearest):
    assert ask(nearest, ["i10", "i02", "i10"]).item_ids == ["i09", "i11", "i08"]


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ([5], "but 1 came for 2 items"),
        (5, "ratings must be a list"),
        ([5, 6], "are from 1 to 5, but 6 came"),
        ([5, "good"], "ratings must be finite numbers, but 'good' came"),
        ([5, float("nan")], "but nan came"),
        ([5, 10**400], "ratings must be finite numbers"),
    ],
)
def test_ratings_must_fit(nearest, ratings, message):
    with pytest.raises(RecsysError, match=message):
        ask(nearest, ["i01", "i02"], ratings=ratings)


def test_arrays_and_their_numbers_are_taken(nearest):
    found = ask(nearest, ["i03", "i07"], ratings=np.array([5.0, 1.0], dtype=np.float32), k=np.int64(2))
    assert found.item_ids == ["i02", "i04"]


def test_diversity_chooses_among_the_candidates(nearest):
    # 11 and 9 are as near, and both are white: 8 is the nearest black one. Among 2 candidates there is none.
    assert ask(nearest, ["i10"], k=2, diversity="mmr", diversity_weight=1).item_ids == ["i09", "i08"]
    few = ModelRecommender(NearestNumber(), prepared_board(), num_candidates=2)
    assert ask(few, ["i10"], k=2, diversity="mmr", diversity_weight=1).item_ids == ["i09", "i11"]


def test_diversity_may_be_by_another_column(nearest):
    found = ask(nearest, ["i10"], k=2, diversity="mmr", diversity_weight=1, diversity_column="title")
    assert found.item_ids == ["i09", "i11"]  # no two titles are the same


def test_a_model_that_does_not_fold_in_says_so():
    recommender = ModelRecommender(OnlyKnownUsers(), prepared_board())
    found = ask(recommender, ["i09"])
    assert not found.personalized
    assert found.notes == ("The model scores only users that it was trained with: here is what is popular.",)
    assert "only users" not in " ".join(ask(recommender, user_id="u01").notes)


def test_a_list_is_the_same_in_any_company(nearest):
    requests = [
        RecommendationRequest(history=[f"i{item:02}"], k=2 + item % 3, diversity="mmr" if item % 2 else None)
        for item in range(12)
    ]
    together = nearest.recommend(requests)
    for request, found in zip(requests, together, strict=True):
        assert found.item_ids == nearest.recommend_one(request).item_ids


def test_a_ranker_orders_the_candidates_of_the_retriever():
    class Backwards(NearestNumber):
        def score(self, query):
            return -super().score(query)

    ranked = ModelRecommender(NearestNumber(), prepared_board(), ranker=Backwards(), num_candidates=4)
    # the four nearest to 10 are 9, 11, 8 and 12: the farthest of them come first
    assert ask(ranked, ["i10"]).item_ids == ["i08", "i12", "i09"]


def test_only_the_latest_of_a_long_history_may_count():
    class Mean(NearestNumber):
        def score_histories(self, histories):
            means = torch.tensor([histories.items.float().mean()])
            return -(torch.arange(NUM_ITEMS) - means[:, None]).abs().float()

    short = ModelRecommender(Mean(), prepared_board(), max_history=1)
    # scored by 10 alone; what was seen before is still not recommended
    assert ask(short, ["i09", "i11", "i10"]).item_ids == ["i08", "i12", "i07"]


def test_similar_items_by_the_model_and_by_content():
    board = fitted("ease")
    recommender = ModelRecommender(board.model, prepared_board())
    by_model, by_content = (recommender.similar(["i06"], k=4, by=by)[0] for by in ("model", "content"))
    assert by_model.measure == "weight in the score" and len(by_model.item_ids) == 4
    assert by_content.item_ids == ["i00", "i02", "i04", "i08"]
    with pytest.raises(RecsysError, match="There is no item 'nothing' in board"):
        recommender.similar(["nothing"], k=1)


def test_explanations_are_those_of_the_model():
    board = fitted("ease")
    assert isinstance(board.model, EASE)
    found = ask(ModelRecommender(board.model, prepared_board()), ["i02", "i08"], explain=True)
    assert found.explanation_method.startswith("Exact")
    for score, explanation in zip(found.scores, found.explanations, strict=True):
        assert sum(contribution.value for contribution in explanation.contributions) == pytest.approx(score, rel=1e-4)
    assert ask(ModelRecommender(board.model, prepared_board()), explain=True).explanations is None
