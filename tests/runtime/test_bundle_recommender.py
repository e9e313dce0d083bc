import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from recsys.errors import RecsysError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS

EVEN = [f"i{item:02}" for item in range(0, NUM_ITEMS, 2)]


@pytest.fixture(scope="module")
def ease():
    return BundleRecommender(Bundle.open(board_bundle("ease")))


def test_a_history_is_enough(ease):
    answer = ease.recommend_one(RecommendationRequest(history=["i02", "i08"], k=5))
    assert answer.personalized and answer.model_version == "ease"
    assert set(answer.item_ids) < set(EVEN) - {"i02", "i08"}
    assert answer.scores == sorted(answer.scores, reverse=True)


def test_nothing_known_gets_what_is_popular(ease):
    for asked in (
        RecommendationRequest(),
        RecommendationRequest(user_id="nobody"),
        RecommendationRequest(history=[]),
        RecommendationRequest(history=["no such item"]),
    ):
        answer = ease.recommend_one(asked)
        assert not answer.personalized and len(answer.item_ids) == 10
        counts = ease.bundle.popularity
        assert answer.scores == sorted(counts.tolist(), reverse=True)[:10]


def test_who_has_seen_all_gets_an_empty_list(ease):
    assert ease.recommend_one(RecommendationRequest(user_id="u03")).item_ids == []


def test_more_than_there_is_gives_all_there_is(ease):
    answer = ease.recommend_one(RecommendationRequest(history=["i02"], k=10_000))
    assert len(answer.item_ids) == len(set(answer.item_ids)) == NUM_ITEMS - 1


def test_unknown_items_are_left_out_and_named(ease):
    known = ease.recommend_one(RecommendationRequest(history=["i02", "i08"]))
    answer = ease.recommend_one(RecommendationRequest(history=["i02", "x", "i08", "x"], exclude_items=["y"]))
    assert answer.item_ids == known.item_ids
    assert answer.unknown_items == ("x", "y")


def test_blocked_items_do_not_come(ease):
    first = ease.recommend_one(RecommendationRequest(history=["i02"])).item_ids
    answer = ease.recommend_one(RecommendationRequest(history=["i02"], exclude_items=first[:3]))
    assert not set(first[:3]) & set(answer.item_ids) and len(answer.item_ids) == 10


def test_filters_leave_as_many_as_there_are(ease):
    answer = ease.recommend_one(
        RecommendationRequest(history=["i02"], k=20, filters={"colours": {"any_of": ["white"]}})
    )
    assert len(answer.item_ids) == NUM_ITEMS // 2 and not set(answer.item_ids) & set(EVEN)
    assert (
        ease.recommend_one(
            RecommendationRequest(history=["i02"], exclude_items=[f"i{item:02}" for item in range(NUM_ITEMS)])
        ).item_ids
        == []
    )


def test_ratings_decide_what_was_liked(ease):
    disliked = ease.recommend_one(RecommendationRequest(history=["i02", "i03"], ratings=[5, 1], k=5))
    assert set(disliked.item_ids) < set(EVEN) and "i03" not in disliked.item_ids
    assert ease.recommend_one(RecommendationRequest(history=["i02"], ratings=[1])).personalized is False


def test_of_an_item_that_comes_twice_the_last_counts(ease):
    answer = ease.recommend_one(RecommendationRequest(history=["i03", "i02", "i03"], ratings=[5, 5, 1], k=5))
    assert (
        answer.item_ids
        == ease.recommend_one(RecommendationRequest(history=["i02", "i03"], ratings=[5, 1], k=5)).item_ids
    )


def test_contributions_are_of_items_of_the_history(ease):
    answer = ease.recommend_one(RecommendationRequest(history=["i02", "i08", "i05"], k=4, explain=True))
    assert len(answer.explanations) == 4
    for explanation in answer.explanations:
        named = {contribution.item_id for contribution in explanation.contributions}
        assert named and named <= {"i02", "i08", "i05"}
    assert answer.explanation_method.startswith("Exact")
    assert ease.recommend_one(RecommendationRequest(history=["i02"])).explanations is None


def test_diversity_reorders(ease):
    plain = ease.recommend_one(RecommendationRequest(history=["i02", "i08"], k=10))
    diverse = ease.recommend_one(
        RecommendationRequest(history=["i02", "i08"], k=10, diversity="mmr", diversity_weight=0.9)
    )
    assert diverse.item_ids != plain.item_ids


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"k": 0}, "k must be a whole number of at least 1, but it is 0"),
        ({"k": True}, "k must be a whole number"),
        ({"k": 2.5}, "k must be a whole number"),
        ({"history": "i02"}, "history must be a list of item ids"),
        ({"history": [2.5]}, "history must be a list of item ids"),
        ({"exclude_items": "i02"}, "exclude_items must be a list"),
        ({"user_id": 7.5}, "user_id must be text or a whole number, but it is 7.5"),
        ({"ratings": [5]}, "ratings must be one for each item of the history, but 1 came for no history"),
        ({"history": ["i02"], "timestamps": [1, 2]}, "but 2 came for 1 items"),
        ({"history": ["i02"], "timestamps": [-1]}, "timestamps must be seconds since 1970"),
        ({"history": ["i02"], "ratings": [float("nan")]}, "ratings must be finite numbers"),
        ({"history": ["i02"], "ratings": [6]}, "Ratings of board are from 1 to 5, but 6 came"),
        ({"filters": {"year": [1990]}}, "The filter of the column year must have any_of, none_of, gte or lte"),
        ({"filters": {"genre": {"any_of": ["x"]}}}, "There is no column genre"),
        ({"diversity": "most"}, "diversity must be mmr, calibrated or null, but it is most"),
        ({"diversity": "mmr", "diversity_weight": 2}, "diversity_weight must be a number from 0 to 1, but it is 2"),
    ],
)
def test_what_is_wrong_is_told(ease, asked, message):
    with pytest.raises(RecsysError, match=message):
        ease.recommend_one(RecommendationRequest(**asked))


def test_many_at_once_get_what_each_gets_alone(ease):
    rng = np.random.default_rng(0)
    asked = [
        RecommendationRequest(
            history=[f"i{item:02}" for item in rng.choice(NUM_ITEMS, size=rng.integers(0, 8), replace=False)],
            k=int(rng.integers(1, 12)),
            diversity="mmr" if turn % 5 == 0 else None,
            filters={"colours": {"any_of": ["white"]}} if turn % 7 == 0 else None,
        )
        for turn in range(100)
    ]
    alone = [ease.recommend_one(one) for one in asked]
    together = ease.recommend(asked)
    with ThreadPoolExecutor(16) as pool:
        at_once = list(pool.map(ease.recommend_one, asked))
    for one, two, three in zip(alone, together, at_once, strict=True):
        assert one.item_ids == two.item_ids == three.item_ids
        np.testing.assert_allclose(one.scores, two.scores, rtol=1e-5)


def test_a_list_is_the_same_beside_a_longer_one(ease):
    ranked = BundleRecommender(Bundle.open(board_bundle("ease", "two_tower")))
    short = RecommendationRequest(history=["i02", "i08"], k=3, diversity="mmr")
    long = RecommendationRequest(history=["i05"], k=NUM_ITEMS, diversity="mmr")
    for recommender in (ease, ranked):
        beside = recommender.recommend([short, long])[0]
        assert beside.item_ids == recommender.recommend_one(short).item_ids


def test_similar_items_have_the_same_colour(ease):
    found = ease.similar(["i06", "i07"], k=4)
    assert [one.item_id for one in found] == ["i06", "i07"]
    assert found[0].measure == "weight in the score" and found[0].item_ids
    assert all(int(name[1:]) % 2 == 0 for name in found[0].item_ids)
    assert all(int(name[1:]) % 2 == 1 for name in found[1].item_ids)
    by_content = ease.similar(["i06"], k=4, by="content")[0]
    assert by_content.item_ids == ["i00", "i02", "i04", "i08"]
    assert by_content.similarities == pytest.approx([1.0] * 4, abs=1e-5)


def test_similar_items_must_exist_and_be_counted(ease):
    with pytest.raises(RecsysError, match="There is no item 'nothing' in board"):
        ease.similar(["nothing"], k=4)
    with pytest.raises(RecsysError, match="k must be a whole number of at least 1, but it is 0"):
        ease.similar(["i06"], k=0)
    with pytest.raises(RecsysError, match="by must be model or content, but it is 'taste'"):
        ease.similar(["i06"], k=3, by="taste")


def test_one_wrong_question_does_not_spoil_the_others(ease):
    def ask(turn):
        try:
            return ease.recommend_one(
                RecommendationRequest(history=["i02"], ratings=[9 if turn % 3 == 0 else 5])
            ).item_ids
        except RecsysError as error:
            return str(error)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(60)))
    assert all(("Ratings" in answer) if turn % 3 == 0 else len(answer) == 10 for turn, answer in enumerate(answers))


def test_serving_does_not_import_torch():
    program = (
        "import sys\nfrom recsys.runtime.bundle import Bundle\n"
        "from recsys.runtime.bundle_recommender import BundleRecommender\n"
        "from recsys.runtime.request import RecommendationRequest\n"
        f"recommender = BundleRecommender(Bundle.open({str(board_bundle('mf'))!r}))\n"
        "answer = recommender.recommend_one(RecommendationRequest(k=3))\n"
        "assert len(answer.item_ids) == 3 and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture(scope="module")
def two_tower():
    """Finds and ranks by columns of users as well: their city, age and hobbies."""
    return BundleRecommender(Bundle.open(board_bundle("two_tower", "two_tower")))


class TestUserFeatures:
    HISTORY = ["i02", "i08"]
    FEATURES = {"city": "Kiel", "age": 21, "hobbies": ["chess", "rowing"]}  # those of user u04

    def test_a_stranger_is_known_by_what_is_told(self, two_tower):
        known = two_tower.recommend_one(RecommendationRequest(user_id="u04", history=self.HISTORY))
        stranger = two_tower.recommend_one(RecommendationRequest(history=self.HISTORY, user_features=self.FEATURES))
        assert stranger.item_ids == known.item_ids and stranger.scores == pytest.approx(known.scores)
        assert two_tower.recommend_one(RecommendationRequest(history=self.HISTORY)).scores != pytest.approx(
            known.scores
        )

    def test_what_is_told_counts_in_place_of_what_is_known(self, two_tower):
        known = two_tower.recommend_one(RecommendationRequest(user_id="u05", history=self.HISTORY))
        other = two_tower.recommend_one(
            RecommendationRequest(user_id="u05", history=self.HISTORY, user_features={"age": 60})
        )
        told = {"city": "Kiel", "age": 60, "hobbies": ["chess", "rowing"]}
        same = two_tower.recommend_one(RecommendationRequest(history=self.HISTORY, user_features=told))
        assert other.scores == pytest.approx(same.scores) and other.scores != pytest.approx(known.scores)

    def test_those_who_ask_together_keep_their_own(self, two_tower):
        asked = [
            RecommendationRequest(history=self.HISTORY, user_features=features)
            for features in ({}, self.FEATURES, {"hobbies": []}, {"hobbies": ["rowing"], "age": 70})
        ]
        alone = [two_tower.recommend_one(one).scores for one in asked]
        together = [answer.scores for answer in two_tower.recommend([*asked, RecommendationRequest(user_id="u07")])]
        for scores, own in zip(together, alone, strict=False):
            assert scores == pytest.approx(own, rel=1e-5)

    def test_a_ranker_may_read_them_alone(self):
        ranked = BundleRecommender(Bundle.open(board_bundle("ease", "two_tower")))
        young, old = (
            ranked.recommend_one(RecommendationRequest(history=self.HISTORY, user_features={"age": age}))
            for age in (1, 90)
        )
        assert young.scores != pytest.approx(old.scores)

    def test_without_the_tables_of_users_nothing_is_known_but_what_is_told(self, two_tower):
        bare = BundleRecommender(Bundle.open(board_bundle("two_tower", "two_tower", histories=False)))
        assert not {"users.parquet", "histories.parquet"} & set(bare.bundle.manifest.files)
        told = RecommendationRequest(user_id="u04", history=self.HISTORY, user_features=self.FEATURES)
        assert bare.recommend_one(told).scores == pytest.approx(two_tower.recommend_one(told).scores)
        untold = RecommendationRequest(user_id="u04", history=self.HISTORY)
        assert bare.recommend_one(untold).scores == pytest.approx(
            two_tower.recommend_one(RecommendationRequest(history=self.HISTORY)).scores
        )

    def test_values_that_are_not_known_are_named(self, two_tower):
        answer = two_tower.recommend_one(
            RecommendationRequest(history=self.HISTORY, user_features={"city": "Rome", "hobbies": ["chess"]})
        )
        assert answer.unknown_values == ("city: Rome",)

    def test_what_no_model_reads_is_refused(self, two_tower, ease):
        with pytest.raises(RecsysError, match="size was given, but for these models only city, age, hobbies count"):
            two_tower.recommend_one(RecommendationRequest(history=self.HISTORY, user_features={"size": 3}))
        with pytest.raises(RecsysError, match="age was given, but for these models no columns of users count"):
            ease.recommend_one(RecommendationRequest(history=self.HISTORY, user_features={"age": 3}))
        with pytest.raises(RecsysError, match="user_features must be columns with their values"):
            RecommendationRequest(user_features=["age"])


#: One model of each kind of reading: nothing, ids, histories, ratings, both, columns.
KINDS = ["popularity", "random", "mf", "ease", "bias", "item_knn_ratings", "svd_pp", "two_tower"]


@pytest.mark.parametrize("name", KINDS)
def test_of_a_stranger_no_model_has_a_list_of_their_own(name):
    recommender = BundleRecommender(Bundle.open(board_bundle(name)))
    strangers = [
        RecommendationRequest(),
        RecommendationRequest(user_id="zzz"),
        RecommendationRequest(history=[]),
        RecommendationRequest(user_id="zzz", history=["never", "seen"]),
    ]
    for answer in recommender.recommend(strangers):
        assert not answer.personalized and len(answer.item_ids) == 10
        assert np.isfinite(answer.scores).all()
        assert "what is popular" in " ".join(answer.notes)
        assert name == "popularity" or answer.scores == [20] * 10
    known = recommender.recommend_one(RecommendationRequest(user_id="u00", exclude_seen=False))
    assert known.personalized == (name != "popularity") and np.isfinite(known.scores).all()


def test_seen_items_come_back_as_the_bundle_or_a_request_says(ease):
    now, day = 86_400 * (NUM_ITEMS + 5), 86_400  # item i was rated on day i
    assert ease.recommend_one(RecommendationRequest(user_id="u03")).item_ids == []
    again = ease.recommend_one(RecommendationRequest(user_id="u03", exclude_seen=False, k=NUM_ITEMS))
    assert len(again.item_ids) == NUM_ITEMS
    late = RecommendationRequest(user_id="u03", exclude_seen={"after_days": 25}, now=now, k=NUM_ITEMS)
    assert set(ease.recommend_one(late).item_ids) == {f"i{item:02}" for item in range(11)}
    given = RecommendationRequest(
        history=["i02", "i08"], timestamps=[now - 30 * day, now - day], exclude_seen={"after_days": 25}, now=now, k=100
    )
    found = ease.recommend_one(given).item_ids
    assert "i02" in found and "i08" not in found


def test_what_may_be_in_a_list_is_told_of_single_items(ease):
    asked = RecommendationRequest(
        history=["i02"], exclude_items=["i04"], filters={"colours": {"any_of": ["black"]}}, k=100
    )
    ids = [*(f"i{item:02}" for item in range(NUM_ITEMS)), "none"]
    listed = set(ease.recommend_one(asked).item_ids)
    assert ease.allows(asked, ids) == [name in listed for name in ids]
    assert ease.allows(RecommendationRequest(history=["i02"], exclude_seen=False), ["i02"]) == [True]


def test_rows_and_histories_are_told_by_their_ids(ease):
    rows = ease.items_of(["i08", "none", "i02"])
    assert rows[1] == -1 and ease.ids_of(rows[[0, 2]]) == ["i08", "i02"]
    assert len(ease.history_of("u03").items) == NUM_ITEMS and len(ease.history_of("nobody").items) == 0
    assert ease.catalogue.table.num_rows == NUM_ITEMS
