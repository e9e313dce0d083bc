from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.imports.bulk_import import ImportOptions
from recsys_serving.store.items.records import ItemDraft, ItemSource
from recsys_serving.store.store import Store
from sqlalchemy import text

from recsys.errors import PreparedDataError
from tests.serving.store.moments import NOON, watched
from tests.serving.store.prepared_directory import LONG_AGO, prepare


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("data") / "prepared")


def counts(result):
    return result.users, result.items, result.interactions, result.repeated


def events(store):
    with store.transaction() as connection:
        found = connection.execute(text("SELECT event_id, user_id, occurred_at FROM interactions ORDER BY 1")).all()
        assert found == connection.execute(text("SELECT * FROM interaction_keys ORDER BY 1")).all()
    return {row.event_id for row in found}


def test_everything_is_there_afterwards(store, directory):
    assert counts(store.import_prepared(directory)) == (3, 3, 5, 0)
    state = store.users.state("ada", repeats="all")
    assert (state.item_ids, state.values) == (("1", "2", "1"), (5.0, 3.5, 2.0))
    assert state.types == ("rating",) * 3
    assert state.timestamps == (LONG_AGO, LONG_AGO + 1, NOON.timestamp() + 60)
    assert store.users.get("ada").properties == {"age": 36}
    assert store.users.get("bob").properties == {}
    item = store.items.get("1")
    assert (item.title, item.properties, item.source) == ("Alien", {"genres": ["SF"]}, ItemSource.BUNDLE)
    assert store.items.get("2").title is None


def test_each_new_item_has_a_revision_of_the_catalogue(store, directory):
    store.items.put(ItemDraft("2", "Bigger"))
    store.import_prepared(directory)
    assert [item.item_id for item in store.items.changes_since(0)] == ["2", "1", "3"]
    assert store.items.revision() == 3


def test_what_the_store_knows_stays_as_it_is(store, directory):
    store.users.create("ada", {"age": 37}, profiling=False)
    store.items.put(ItemDraft("1", "Aliens"))
    assert counts(store.import_prepared(directory)) == (2, 2, 5, 0)
    assert (store.users.get("ada").properties, store.users.get("ada").profiling) == ({"age": 37}, False)
    assert store.items.get("1").title == "Aliens"


def test_a_second_import_adds_nothing(store, directory):
    store.import_prepared(directory)
    before, revision = events(store), store.users.get("ada").revision
    assert counts(store.import_prepared(directory)) == (0, 0, 0, 5)
    assert events(store) == before
    assert store.users.get("ada").revision == revision


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_the_size_of_the_chunks_changes_nothing(store, directory, chunk):
    store.import_prepared(directory)
    before = events(store)
    assert counts(store.import_prepared(directory, ImportOptions(chunk=chunk))) == (0, 0, 0, 5)
    for event_id in before:
        store.interactions.delete(event_id)
    assert store.import_prepared(directory, ImportOptions(chunk=chunk)).interactions == 5
    assert events(store) == before


def test_an_import_goes_on_where_one_was_interrupted(store, directory):
    store.import_prepared(directory)
    before = events(store)
    lost = sorted(before)[:2]
    for event_id in lost:
        store.interactions.delete(event_id)
    assert counts(store.import_prepared(directory)) == (0, 0, 2, 3)
    assert events(store) == before


def test_revisions_of_users_with_new_interactions_alone_grow(store, directory):
    store.import_prepared(directory)
    ada, bob = store.users.get("ada").revision, store.users.get("bob").revision
    store.interactions.delete(store.users.export("bob").interactions[0].event_id)
    deleted = store.users.get("bob").revision
    store.import_prepared(directory)
    assert store.users.get("ada").revision == ada
    assert store.users.get("bob").revision > deleted > bob


def test_interactions_of_a_merged_user_go_to_the_account_once(store, directory):
    for user_id in ("ada", "lovelace"):
        store.users.create(user_id)
    store.users.merge("ada", "lovelace")
    store.import_prepared(directory)
    assert len(store.users.export("lovelace").interactions) == 3
    assert store.import_prepared(directory).interactions == 0


def test_further_interactions_of_imported_users_are_appended(store, directory):
    store.import_prepared(directory)
    store.interactions.append([watched("e1", "ada", "3", occurred_at=NOON + timedelta(days=1))])
    assert store.users.state("ada").item_ids == ("2", "1", "3")


def test_data_without_ratings_and_times_have_the_moment_and_the_type_that_are_given(store, tmp_path):
    directory = prepare(tmp_path / "prepared", ("rating", "timestamp"), repeats="latest")
    store.import_prepared(directory, ImportOptions(type="purchase", occurred_at=NOON))
    state = store.users.state("bob")
    assert (state.types, state.values, state.timestamps) == (("purchase",), (None,), (NOON.timestamp(),))


def test_data_without_ratings_and_times_are_the_oldest_interactions_where_nothing_is_given(store, tmp_path):
    store.import_prepared(prepare(tmp_path / "prepared", ("rating", "timestamp")))
    state = store.users.state("bob")
    assert (state.types, state.timestamps) == (("interaction",), (0.0,))


def test_rows_that_say_the_same_are_all_imported(store, tmp_path):
    directory = prepare(tmp_path / "prepared", ("rating", "timestamp"))
    assert store.import_prepared(directory).interactions == 5
    assert store.users.state("ada", repeats="all").item_ids.count("1") == 2


def test_imported_moments_are_in_partitions_of_their_time(store, directory):
    store.import_prepared(directory)
    with store.transaction() as connection:
        spans = connection.execute(
            text("SELECT tableoid::regclass::text, count(*) FROM interactions GROUP BY 1 ORDER BY 1")
        ).all()
    assert spans[0] == ("interactions_1998", 2)
    assert datetime.fromtimestamp(LONG_AGO, UTC).year == 1998


def test_a_directory_of_something_else_is_an_error(store, tmp_path):
    with pytest.raises(PreparedDataError, match="must be a prepared directory"):
        store.import_prepared(tmp_path)


def test_an_import_into_a_database_that_is_away_is_unavailable(directory, tmp_path):
    with pytest.raises(StoreUnavailable):
        Store.connect(f"postgresql://postgres@/x?host={tmp_path}").import_prepared(directory)
