import numpy as np
import pytest

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.recommendation.prepared_tables import (
    catalogue_of,
    data_of,
    min_rating_of_history,
    user_columns_of,
    user_tables,
)
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board

AGE = EncodedColumn("age", FeatureKind.NUMBER, None, None)
CITY = EncodedColumn("city", FeatureKind.CATEGORICAL, None, ("Bonn", "Kiel", "Ulm"))


class Likes:
    """A model that learns from likes and reads nothing else."""


class Ratings:
    """A model of ratings."""

    def predict_ratings(self, query, rows, items):
        raise NotImplementedError


class Reads:
    """A model that reads columns of users."""

    def __init__(self, *columns):
        self._columns = columns

    def set_user_features(self, features):
        raise NotImplementedError

    def user_columns(self):
        return self._columns


def test_a_model_of_likes_has_likes_in_its_histories_and_one_of_ratings_has_all():
    assert min_rating_of_history(Likes(), prepared_board()) == 4
    assert min_rating_of_history(Ratings(), prepared_board()) is None


def test_the_data_are_those_of_the_schema():
    prepared = prepared_board()
    data = data_of(prepared, Likes())
    assert (data.name, data.num_users, data.num_items) == ("board", NUM_USERS, NUM_ITEMS)
    assert data.content_hash == prepared.schema.content_hash
    assert (data.min_rating, data.rating_range) == (4, (1, 5))
    assert data.item_features == (FeatureColumn("colours", FeatureKind.MULTI_VALUED, "|"),)
    assert data.content_column == "colours"


def test_each_column_of_users_is_read_once():
    assert user_columns_of([Reads(AGE), Likes(), Reads(CITY, AGE)]) == (AGE, CITY)
    assert user_columns_of([Likes()]) == ()


def test_tables_have_what_users_did_oldest_first_whatever_they_rated():
    tables = user_tables(prepared_board(), [Likes()])
    assert tables.user_ids.ids_of(np.arange(NUM_USERS)) == [f"u{user:02}" for user in range(NUM_USERS)]
    assert tables.item_ids.ids_of(np.arange(NUM_ITEMS)) == [f"i{item:02}" for item in range(NUM_ITEMS)]
    # everybody rated every item, 5 where the numbers add up to an even one, and the items one after the other
    assert tables.histories.counts.tolist() == [NUM_ITEMS] * NUM_USERS
    assert tables.histories.items[:NUM_ITEMS].tolist() == list(range(NUM_ITEMS))
    assert tables.histories.rating[:4].tolist() == [5, 1, 5, 1]
    assert tables.histories.timestamp[:3].tolist() == [0, 86_400, 172_800]


def test_the_first_model_says_what_enters_a_history():
    prepared = prepared_board()
    assert user_tables(prepared, [Likes(), Ratings()]).data.min_rating == 4
    assert user_tables(prepared, [Ratings(), Likes()]).data.min_rating is None


def test_columns_of_users_are_those_that_the_models_read():
    features = user_tables(prepared_board(), [Likes(), Reads(AGE, CITY)]).user_features
    found, unknown = features.of(4, {})
    # user 4 is 20 + 4 // 4 years old and lives in the city at 4 // 2 of Ulm, Bonn and Kiel
    assert {name: values.tolist() for name, values in found.items()} == {"age": [21], "city": [[1]]}
    assert unknown == ()


@pytest.mark.parametrize("max_history", [None, 7])
def test_the_latest_interactions_are_as_many_as_is_said(max_history):
    assert user_tables(prepared_board(), [Likes()], max_history).max_history == max_history


def test_a_catalogue_has_all_items_with_their_counts():
    state = catalogue_of(prepared_board())
    assert state.available.tolist() == [True] * NUM_ITEMS
    # all users rated each item, and half of them liked it
    assert state.popularity.tolist() == [NUM_USERS / 2] * NUM_ITEMS
    assert state.num_interactions.tolist() == [NUM_USERS] * NUM_ITEMS
    assert state.mask({"colours": {"any_of": ["white"]}}).tolist() == [item % 2 == 1 for item in range(NUM_ITEMS)]


def test_histories_of_some_users_are_theirs_and_those_of_the_others_empty():
    all_of_them, some = (
        user_tables(prepared_board(), [Likes()], users=users).histories for users in (None, np.array([3, 0]))
    )
    counts = np.zeros(NUM_USERS, dtype=np.int64)
    counts[[0, 3]] = all_of_them.counts[[0, 3]]
    assert some.counts.tolist() == counts.tolist() and counts.sum() > 0
    for user in (0, 3):
        np.testing.assert_array_equal(some.take(np.array([user])).items, all_of_them.take(np.array([user])).items)
