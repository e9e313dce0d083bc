import pytest
from recsys_serving.recommending import history
from recsys_serving.recommending.history import StoredHistory
from recsys_serving.recommending.types import HistoryItem

from recsys.errors import RequestError
from tests.models.board_data import NUM_ITEMS

DAY = 86_400


def test_a_stored_history_goes_on_from_that_of_the_bundle(classic):
    stored = StoredHistory(["i02", "new"], [1.0, None], [1e9, 1e9 + 1])
    merged = history.of_store(stored, "u03", classic.recommender, merges=True)
    assert merged.item_ids == [*(f"i{item:02}" for item in range(NUM_ITEMS)), "i02", "new"]
    # u03 likes odd items; what has no rating counts as just good enough, which is 4 here
    assert merged.ratings == [*([1, 5] * (NUM_ITEMS // 2)), 1.0, 4.0]
    assert merged.timestamps[:2] == [0, DAY] and merged.timestamps[-2:] == [10**9, 10**9 + 1]


def test_an_event_that_both_have_counts_once(classic):
    stored = StoredHistory(["i02"], [1.0], [2.0 * DAY])
    merged = history.of_store(stored, "u03", classic.recommender, merges=True)
    assert merged.item_ids.count("i02") == 1 and len(merged.item_ids) == NUM_ITEMS


def test_where_the_store_has_all_the_bundle_adds_nothing(classic):
    stored = StoredHistory(["i02"], [9.0], [5.0])
    assert history.of_store(stored, "u03", classic.recommender, merges=False) == (["i02"], [5.0], [5])
    assert history.of_store(StoredHistory(), "u03", classic.recommender, merges=False) == ([], [], [])


def test_a_user_without_stored_interactions_is_the_bundles(classic):
    assert history.of_store(StoredHistory(), "u03", classic.recommender, merges=True) is None


def test_a_session_is_taken_as_it_is(classic):
    session = [HistoryItem("i02", 9.0, 5), HistoryItem("i03", None, 6)]
    assert history.of_session(session, classic.recommender) == (["i02", "i03"], [9.0, 4.0], [5, 6])
    assert history.of_session([HistoryItem("i02")], classic.recommender) == (["i02"], None, None)
    assert history.of_session([], classic.recommender) == ([], None, None)


def test_times_are_those_of_all_or_of_none(classic):
    with pytest.raises(RequestError, match="must have a timestamp, or none"):
        history.of_session([HistoryItem("i02", timestamp=5), HistoryItem("i03")], classic.recommender)
