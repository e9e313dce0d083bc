import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from recsys.data.columns import ITEM_INDEX, RATING, TIMESTAMP, USER_INDEX
from recsys.data.encoded_columns import EncodedColumn, read_columns
from recsys.data.id_index import IdIndex
from recsys.data.raw import FeatureKind
from recsys.export import tables
from recsys.export.tables import neighbour_table, write_histories, write_knowledge, write_neighbours, write_tables
from recsys.models.components.recency import Recency
from recsys.models.ease import EASE
from recsys.recommendation.prepared_tables import catalogue_of
from recsys.recommendation.similar_items import ItemSimilarity
from recsys.runtime.bundle import (
    HISTORIES,
    ITEM_IDS,
    ITEM_VOCABULARY,
    ITEMS,
    KNOWN_ITEMS,
    KNOWN_USERS,
    MAPPED_HISTORIES,
    NEIGHBOURS,
    NUM_INTERACTIONS,
    POPULARITY,
    USER_COLUMNS,
    USER_IDS,
    USER_VOCABULARY,
    USERS,
)
from recsys.runtime.neighbours import NeighbourTable
from recsys.runtime.personalization.knowledge import Knowledge, Reads
from tests.models.board_data import NUM_ITEMS, NUM_USERS, prepared_board

SIMILARITIES = torch.tensor(
    [
        [1.0, 0.2, 0.9, 0.0],
        [0.2, 1.0, -0.5, 0.4],
        [0.9, -0.5, 1.0, 0.3],
        [0.0, 0.4, 0.3, 1.0],
    ]
)
CITY = EncodedColumn("city", FeatureKind.CATEGORICAL, None, ("Bonn", "Kiel", "Ulm"))


class Colours:
    """A model for which items of one colour are alike."""

    def score(self, query):
        raise NotImplementedError

    def item_weights(self, items):
        alike = (items[:, None] % 2 == torch.arange(NUM_ITEMS) % 2).float()
        return alike.masked_fill(items[:, None] == torch.arange(NUM_ITEMS), 0.0)


@pytest.mark.parametrize("most", [tables.MAX_SIMILARITIES, 4])
def test_neighbours_are_those_above_zero_with_the_most_similar_first(monkeypatch, most):
    monkeypatch.setattr(tables, "MAX_SIMILARITIES", most)  # 4: one item at a time
    found = neighbour_table(ItemSimilarity(lambda items: SIMILARITIES[items], ""), 4, 3)
    assert [found.of(item)[0].tolist() for item in range(4)] == [[2, 1], [3, 0], [0, 3], [1, 2]]
    assert found.weights == pytest.approx([0.9, 0.2, 0.4, 0.2, 0.9, 0.3, 0.4, 0.3])
    assert found.weights.dtype == np.float32


def test_no_more_neighbours_than_asked_for():
    found = neighbour_table(ItemSimilarity(lambda items: SIMILARITIES[items], ""), 4, 1)
    assert found.neighbours.tolist() == [2, 3, 0, 1]


def test_an_item_that_is_like_no_other_has_none():
    found = neighbour_table(ItemSimilarity(lambda items: torch.eye(3)[items], ""), 3, 2)
    assert found.offsets.tolist() == [0, 0, 0, 0]
    assert len(found.neighbours) == len(found.weights) == 0


def test_similar_items_are_written_by_the_model_and_by_content(tmp_path):
    measures = write_neighbours(Colours(), prepared_board(), tmp_path, 3)
    assert measures == {"model": "weight in the score", "content": "cosine of colours"}
    for file in NEIGHBOURS.values():
        found, _ = NeighbourTable.read(tmp_path / file, NUM_ITEMS).of(5)
        assert found.tolist() == [1, 3, 7]


def test_histories_are_those_of_all_interactions_oldest_first(tmp_path):
    write_histories(prepared_board(), tmp_path)
    table = pq.read_table(tmp_path / "histories.parquet")
    assert table[USER_INDEX].to_pylist() == [user for user in range(NUM_USERS) for _ in range(NUM_ITEMS)]
    assert table[ITEM_INDEX].to_pylist() == list(range(NUM_ITEMS)) * NUM_USERS
    # user 1 likes the odd items, and their times are days
    assert table[RATING].to_pylist()[NUM_ITEMS : NUM_ITEMS + 4] == [1.0, 5.0, 1.0, 5.0]
    assert table[TIMESTAMP].to_pylist()[:3] == [0, 86_400, 172_800]


KNOWLEDGE = Knowledge.whole(NUM_ITEMS, NUM_USERS, Reads("items", False))


def write_all(directory, histories, popular_days=None):
    board = prepared_board()
    catalogue = catalogue_of(board, popular_days=popular_days)
    write_tables(board, Colours(), [CITY], directory, 2, histories, catalogue, KNOWLEDGE)


def test_what_is_popular_may_be_what_was_lately(tmp_path):
    # The newest interactions are at 29 days, and each item has a day of its own.
    write_all(tmp_path, histories=False, popular_days=2)
    assert np.load(tmp_path / POPULARITY).tolist() == [0] * (NUM_ITEMS - 2) + [NUM_USERS / 2] * 2
    assert np.load(tmp_path / NUM_INTERACTIONS).tolist() == [NUM_USERS] * NUM_ITEMS


def test_what_the_models_know_has_a_row_for_each(tmp_path):
    few = Knowledge(KNOWLEDGE.reads, np.arange(NUM_ITEMS) > 0, np.arange(NUM_USERS) < 3)
    write_knowledge([KNOWLEDGE, few], tmp_path)
    items, users = (np.load(tmp_path / name) for name in (KNOWN_ITEMS, KNOWN_USERS))
    assert items[0].all() and users[0].all()
    assert items[1].tolist() == few.items.tolist() and users[1].tolist() == few.users.tolist()


def test_an_item_that_the_model_has_learnt_nothing_of_is_like_none(tmp_path):
    write_neighbours(Colours(), prepared_board(), tmp_path, NUM_ITEMS, np.arange(NUM_ITEMS) != 3)
    table = NeighbourTable.read(tmp_path / NEIGHBOURS["model"], NUM_ITEMS)
    assert len(table.of(3)[0]) == 0 and 3 not in table.neighbours
    content = NeighbourTable.read(tmp_path / NEIGHBOURS["content"], NUM_ITEMS)
    assert len(content.of(3)[0]) > 0


def test_all_tables_are_written(tmp_path):
    write_all(tmp_path, histories=True)
    ids = {ITEM_VOCABULARY, USER_VOCABULARY, ITEM_IDS, USER_IDS}
    tables = {ITEMS, POPULARITY, NUM_INTERACTIONS, HISTORIES, MAPPED_HISTORIES, USER_COLUMNS, USERS}
    assert {path.name for path in tmp_path.iterdir()} == ids | tables | set(NEIGHBOURS.values())
    for name, vocabulary in (
        (ITEM_IDS, prepared_board().item_vocabulary),
        (USER_IDS, prepared_board().user_vocabulary),
    ):
        known = vocabulary.ids.to_pylist()
        assert IdIndex.map(tmp_path / name).indices_of(known).tolist() == list(range(len(known)))
    assert pq.read_table(tmp_path / ITEMS) == prepared_board().items
    # half of the 40 users like each item, and all have rated it
    assert np.load(tmp_path / POPULARITY).tolist() == [NUM_USERS / 2] * NUM_ITEMS
    assert np.load(tmp_path / NUM_INTERACTIONS).tolist() == [NUM_USERS] * NUM_ITEMS
    assert read_columns(tmp_path / USER_COLUMNS) == [CITY]


def test_of_users_nothing_is_written_but_the_columns_that_models_read(tmp_path):
    write_all(tmp_path, histories=True)
    users = pq.read_table(tmp_path / USERS)
    assert users.column_names == ["city"]
    assert users["city"].combine_chunks() == pa.chunked_array(prepared_board().users["city"]).combine_chunks()


def test_what_is_known_of_users_stays_out_where_it_is_not_wanted(tmp_path):
    write_all(tmp_path, histories=False)
    files = {path.name for path in tmp_path.iterdir()}
    assert not files & {HISTORIES, MAPPED_HISTORIES, USERS}
    assert USER_COLUMNS in files


def test_the_neighbours_of_a_model_with_weights_are_the_largest_of_them(tmp_path):
    model = EASE(NUM_USERS, NUM_ITEMS, Recency())
    model.fit(prepared_board().positives())
    write_neighbours(model, prepared_board(), tmp_path, 4)
    found, weights = NeighbourTable.read(tmp_path / NEIGHBOURS["model"], NUM_ITEMS).of(6)
    expected = model.item_weights(torch.tensor([6]))[0]
    assert set(found % 2) == {0} and 6 not in found
    np.testing.assert_allclose(weights, expected[torch.from_numpy(found)].numpy(), rtol=1e-5)
