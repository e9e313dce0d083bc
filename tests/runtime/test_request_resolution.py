import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.id_index import IdIndex
from recsys.data.raw import FeatureKind
from recsys.errors import RequestError
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runtime.manifest import BundleData
from recsys.runtime.onnx_inputs import NO_TIMESTAMP
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, UserTables, batch_of
from recsys.runtime.user_features import UserFeatures

USERS, ITEMS = ["ann", "bob"], ["a", "b", "c", "d"]


def tables(max_history=None, **data):
    """Ann has seen a, b and c, and rated b low; Bob has seen nothing. Users tell their age."""
    known = {"num_users": 2, "num_items": 4, "min_rating": 4.0, "rating_range": (1.0, 5.0)}
    described = BundleData(
        **{"name": "small", "content_hash": "", "item_features": (), "content_column": None, **known, **data}
    )
    histories = RaggedItems(
        np.array([0, 3, 3]), np.array([0, 1, 2]), np.array([5, 1, 4], dtype=np.float32), np.array([10, 20, 30])
    )
    features = UserFeatures([EncodedColumn("age", FeatureKind.NUMBER, None, None)], pa.table({"age": [20, 30]}))
    return UserTables(described, IdIndex.of(USERS), IdIndex.of(ITEMS), histories, features, max_history)


@pytest.fixture
def resolver():
    return RequestResolver(tables())


def resolve(resolver, **request):
    return resolver.resolve(RecommendationRequest(**request))


def test_a_known_user_has_what_the_data_have(resolver):
    found = resolve(resolver, user_id="ann")
    assert found.user == 0 and found.is_known
    # b is rated too low for a history, and was seen all the same
    assert found.history.tolist() == [0, 2] and found.seen.tolist() == [0, 1, 2]
    assert found.ratings.tolist() == [5, 4] and found.timestamps.tolist() == [10, 30]
    assert found.features["age"].tolist() == [20]
    assert (found.unknown_items, found.unknown_values) == ((), ())


def test_a_known_user_without_interactions_is_known(resolver):
    found = resolve(resolver, user_id="bob")
    assert found.user == 1 and found.is_known and found.history.tolist() == []


@pytest.mark.parametrize("user_id", [None, "zoe", "Ann", ""])
def test_of_anyone_else_nothing_is_known(resolver, user_id):
    found = resolve(resolver, user_id=user_id)
    assert found.user == -1 and not found.is_known
    assert found.history.tolist() == [] and found.seen.tolist() == []
    assert np.isnan(found.features["age"]).tolist() == [True]


def test_a_history_of_the_request_counts_in_place_of_that_of_the_data(resolver):
    found = resolve(resolver, user_id="ann", history=["d"])
    assert found.user == 0
    assert found.history.tolist() == [3] and found.seen.tolist() == [3]
    assert found.ratings is None and found.timestamps is None


def test_an_empty_history_counts_as_well(resolver):
    found = resolve(resolver, user_id="ann", history=[])
    assert found.history.tolist() == [] and found.seen.tolist() == [] and found.is_known
    assert not resolve(resolver, history=[]).is_known


def test_a_stranger_is_known_by_a_history_or_by_features(resolver):
    assert resolve(resolver, history=["d"]).is_known
    assert not resolve(resolver, history=["nowhere"]).is_known
    told = resolve(resolver, user_features={"age": 50})
    assert told.is_known and told.features["age"].tolist() == [50]


def test_of_an_item_that_comes_twice_the_last_counts(resolver):
    found = resolve(resolver, history=["a", "b", "a", "c", "b"], ratings=[1, 1, 5, 4, 5], timestamps=[1, 2, 3, 4, 5])
    assert found.history.tolist() == [0, 2, 1]
    assert found.ratings.tolist() == [5, 4, 5] and found.timestamps.tolist() == [3, 4, 5]


def test_unknown_items_are_named_once_and_have_no_effect(resolver):
    found = resolve(resolver, history=["x", "a", "y", "x"], ratings=[1, 5, 2, 3], exclude_items=["b", "y", "z"])
    assert found.history.tolist() == [0] and found.ratings.tolist() == [5]
    assert found.exclude_items.tolist() == [1]
    assert found.unknown_items == ("x", "y", "z")


def test_what_is_rated_too_low_is_seen_and_no_part_of_the_history(resolver):
    found = resolve(resolver, history=["a", "b", "c"], ratings=[3.5, 4, 1])
    assert found.history.tolist() == [1] and found.seen.tolist() == [0, 1, 2]
    assert not resolve(resolver, history=["a"], ratings=[1]).is_known


def test_without_a_least_rating_everything_is_part_of_the_history():
    found = resolve(RequestResolver(tables(min_rating=None)), history=["a", "b"], ratings=[1, 5])
    assert found.history.tolist() == [0, 1]


def test_only_the_latest_of_a_history_reach_the_models_with_their_ratings_and_times():
    found = resolve(
        RequestResolver(tables(max_history=2)),
        history=["a", "b", "c", "d"],
        ratings=[5, 4, 1, 5],
        timestamps=[1, 2, 3, 4],
    )
    # c is rated too low for a history, and was seen all the same
    assert found.history.tolist() == [1, 3] and found.seen.tolist() == [0, 1, 2, 3]
    assert found.ratings.tolist() == [4, 5] and found.timestamps.tolist() == [2, 4]


def test_histories_of_the_data_are_cut_as_well():
    assert resolve(RequestResolver(tables(max_history=1)), user_id="ann").history.tolist() == [2]


def test_new_items_are_found_and_seen_but_tell_the_models_nothing(resolver):
    resolver.add_items(["e", "f"])
    assert resolver.items_of(["f", "a", "g"]).tolist() == [5, 0, -1]
    assert resolver.ids_of(np.array([5, 4, 0])) == ["f", "e", "a"]
    found = resolve(resolver, history=["e", "a"], exclude_items=["f"])
    assert found.history.tolist() == [0] and found.seen.tolist() == [4, 0]
    assert found.exclude_items.tolist() == [5] and found.unknown_items == ()


def test_new_items_of_one_resolver_are_not_those_of_another():
    shared = tables()
    RequestResolver(shared).add_items(["e"])
    assert RequestResolver(shared).items_of(["e"]).tolist() == [-1] and len(shared.item_ids) == len(ITEMS)


@pytest.mark.parametrize(("rating", "said"), [(0.5, "0.5"), (6, "6")])
def test_ratings_out_of_range_are_refused(resolver, rating, said):
    with pytest.raises(RequestError, match=f"Ratings of small are from 1 to 5, but {said} came. Correct it"):
        resolve(resolver, history=["a", "b"], ratings=[5, rating])


def test_ratings_of_unknown_items_are_checked_as_well(resolver):
    with pytest.raises(RequestError, match="but 6 came"):
        resolve(resolver, history=["nowhere"], ratings=[6])


def test_data_without_ratings_take_none():
    resolver = RequestResolver(tables(rating_range=None, min_rating=None))
    with pytest.raises(RequestError, match="Ratings were given, but small has none. Leave ratings out"):
        resolve(resolver, history=["a"], ratings=[5])
    assert resolve(resolver, history=["a"]).history.tolist() == [0]


def test_a_feature_that_no_model_reads_is_refused(resolver):
    with pytest.raises(RequestError, match="The user feature size was given, but for these models only age count"):
        resolve(resolver, user_features={"size": 3})


class TestBatch:
    def test_each_request_keeps_its_own(self, resolver):
        contexts = [
            resolve(resolver, user_id="ann", exclude_items=["d"]),
            resolve(resolver),
            resolve(resolver, history=["d", "a"], user_features={"age": 50}),
        ]
        batch = batch_of(contexts)
        assert batch.users.tolist() == [0, -1, -1]
        assert (batch.history.offsets.tolist(), batch.history.items.tolist()) == ([0, 2, 2, 4], [0, 2, 3, 0])
        assert (batch.seen.offsets.tolist(), batch.seen.items.tolist()) == ([0, 3, 3, 5], [0, 1, 2, 3, 0])
        assert (batch.exclude_items.offsets.tolist(), batch.exclude_items.items.tolist()) == ([0, 1, 1, 1], [3])
        np.testing.assert_array_equal(batch.features["age"], np.array([20, np.nan, 50], dtype=np.float32))

    def test_who_has_no_ratings_and_times_gets_padding_beside_those_who_have(self, resolver):
        batch = batch_of([resolve(resolver, user_id="ann"), resolve(resolver, history=["d"])])
        np.testing.assert_array_equal(batch.history.rating, np.array([5, 4, np.nan], dtype=np.float32))
        assert batch.history.rating.dtype == np.float32
        assert batch.history.timestamp.tolist() == [10, 30, NO_TIMESTAMP]

    def test_where_nobody_has_them_there_are_none(self, resolver):
        batch = batch_of([resolve(resolver, history=["d"]), resolve(resolver, history=["a"])])
        assert batch.history.rating is None and batch.history.timestamp is None


@pytest.mark.parametrize(("repeats", "history", "ratings"), [(False, [0, 3], [4, 5]), (True, [3, 0, 3], [4, 4, 5])])
def test_an_item_that_comes_twice_counts_twice_only_where_the_data_have_such(repeats, history, ratings):
    resolver = RequestResolver(tables(repeats=repeats))
    found = resolve(resolver, history=["d", "a", "d"], ratings=[4, 4, 5])
    assert found.history.tolist() == history and found.ratings.tolist() == ratings


class TestWhatWasSeen:
    """Ann has seen a, b and c at 10, 20 and 30 seconds."""

    DAY = 86_400

    @pytest.mark.parametrize(
        ("exclude_seen", "now", "seen"),
        [
            (None, 30, [0, 1, 2]),
            (True, 10**9, [0, 1, 2]),
            (False, 30, []),
            ({"after_days": 1}, 10 + DAY - 1, [0, 1, 2]),
            ({"after_days": 1}, 10 + DAY, [1, 2]),
            ({"after_days": 1}, 30 + DAY, []),
            ({"after_days": 2}, 25 + 2 * DAY, [2]),
        ],
    )
    def test_items_come_back_as_a_request_says(self, resolver, exclude_seen, now, seen):
        found = resolve(resolver, user_id="ann", exclude_seen=exclude_seen, now=now)
        assert found.seen.tolist() == seen and not found.undated
        assert found.history.tolist() == [0, 2]  # which is scored from all the same

    def test_a_request_goes_before_the_default(self):
        resolver = RequestResolver(replace(tables(), exclude_seen=SeenPolicy(False)))
        assert resolve(resolver, user_id="ann").seen.tolist() == []
        assert resolve(resolver, user_id="ann", exclude_seen=True).seen.tolist() == [0, 1, 2]

    def test_the_clock_is_the_default_of_now(self):
        resolver = RequestResolver(replace(tables(), exclude_seen=SeenPolicy(True, 1)))
        assert resolve(resolver, user_id="ann").seen.tolist() == []
        assert resolve(resolver, history=["a"], timestamps=[int(time.time()) - 5]).seen.tolist() == [0]

    def test_without_times_a_request_that_asks_for_days_is_refused(self, resolver):
        with pytest.raises(RequestError, match=r"exclude_seen={after_days: 3} needs to know when .* Give timestamps"):
            resolve(resolver, history=["a"], exclude_seen={"after_days": 3})
        assert resolve(resolver, exclude_seen={"after_days": 3}).seen.tolist() == []

    def test_without_times_a_default_of_days_leaves_all_out_and_says_so(self):
        resolver = RequestResolver(replace(tables(), exclude_seen=SeenPolicy(True, 3)))
        found = resolve(resolver, history=["a", "d"])
        assert found.seen.tolist() == [0, 3] and found.undated
        assert not resolve(resolver, user_id="bob").undated


def test_the_whole_history_is_told_by_the_id(resolver):
    whole = resolver.history_of("ann")
    assert whole.items.tolist() == [0, 1, 2] and whole.timestamp.tolist() == [10, 20, 30]
    assert len(resolver.history_of("bob").items) == 0 == len(resolver.history_of("zoe").items)
