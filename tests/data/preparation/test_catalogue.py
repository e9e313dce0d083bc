import pyarrow as pa
import pytest

from recsys.data.preparation.catalogue import EntityTable, index_fixed_negatives
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError


def vocabulary(column: str, *ids: str) -> Vocabulary:
    return Vocabulary.from_ids(pa.array(ids), column)


ITEMS = vocabulary("item_id", "x", "y", "z")
USERS = vocabulary("user_id", "a", "b")


# --- users and items -------------------------------------------------------------------------------------------------


def test_rows_stand_at_the_indices_of_the_vocabulary() -> None:
    table = EntityTable.check(pa.table({"title": ["Z", "X"], "item_id": ["z", "x"]}), "item_id", ())
    assert table.aligned(ITEMS).to_pydict() == {
        "item_index": [0, 1, 2],
        "item_id": ["x", "y", "z"],
        "title": ["X", None, "Z"],
    }


def test_rows_outside_the_catalogue_are_left_out_and_counted() -> None:
    table = EntityTable.check(pa.table({"item_id": ["x", "other", "more"]}), "item_id", ())
    assert len(table.aligned(ITEMS)) == 3
    assert table.rule(ITEMS).removed == {"rows of items": 2}


def test_of_repeated_ids_the_last_row_stays() -> None:
    raw = pa.table({"item_id": ["x", "y", "x", "", None], "title": ["old", "Y", "new", "empty", "null"]})
    table = EntityTable.check(raw, "item_id", ())
    assert table.aligned(ITEMS).column("title").to_pylist() == ["new", "Y", None]
    assert table.rule(ITEMS).removed == {"rows of items": 3}


def test_without_a_table_only_indices_and_ids_remain() -> None:
    table = EntityTable.check(None, "user_id", ())
    assert table.aligned(USERS).to_pydict() == {"user_index": [0, 1], "user_id": ["a", "b"]}


def test_dictionary_and_list_columns_keep_their_values() -> None:
    raw = pa.table(
        {
            "item_id": pa.array(["y", "x"]).dictionary_encode(),
            "brand": pa.array(["b", None]).dictionary_encode(),
            "tags": [["t"], []],
        }
    )
    aligned = EntityTable.check(raw, "item_id", ()).aligned(ITEMS)
    assert aligned.column("brand").to_pylist() == [None, "b", None]
    assert aligned.schema.field("brand").type == pa.string()
    assert aligned.column("tags").to_pylist() == [[], ["t"], None]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"id": ["x"]}), "The items table needs the column item_id; its columns are id"),
        (pa.table({"item_id": [7]}), "item_id of the items table must be a column of strings, but is of type int64"),
        (pa.table({"item_id": ["x"], "item_index": [1]}), "column item_index, which is reserved .* Rename it"),
        (pa.Table.from_arrays([pa.array(["x"])] * 2, names=["item_id"] * 2), "repeated: .*item_id"),
    ],
)
def test_a_table_of_the_wrong_form_is_refused(table: pa.Table, message: str) -> None:
    with pytest.raises(DataError, match=message):
        EntityTable.check(table, "item_id", ())


def test_a_declared_feature_must_be_a_column() -> None:
    features = (FeatureColumn("genres", FeatureKind.MULTI_VALUED),)
    with pytest.raises(
        DataError, match="features genres are declared, but the items table has only the columns item_id"
    ):
        EntityTable.check(pa.table({"item_id": ["x"]}), "item_id", features)
    with pytest.raises(DataError, match="features genres are declared"):
        EntityTable.check(None, "item_id", features)


# --- fixed negatives -------------------------------------------------------------------------------------------------


def negatives(users: list[str | None], items: list[list[str] | None]) -> pa.Table:
    return pa.table({"user_id": pa.array(users, pa.string()), "item_ids": pa.array(items, pa.list_(pa.string()))})


def test_negatives_become_indices_in_the_given_order() -> None:
    table = index_fixed_negatives(negatives(["b", "a"], [["z", "x"], ["y", "y"]]), USERS, ITEMS)
    assert table.to_pydict() == {"user_index": [1, 0], "item_indices": [[2, 0], [1, 1]]}
    assert table.schema.field("item_indices").type == pa.list_(pa.int32(), 2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"user_id": ["a"]}), r"need the columns user_id and item_ids; they have \['user_id'\]"),
        (negatives(["a", "b"], [["x"], ["x", "y"]]), "the same number of items; lengths go from 1 to 2"),
        (negatives(["a", "b"], [["x"], None]), "lengths go from 0 to 1"),
        (negatives(["a"], [[]]), "lengths go from 0 to 0"),
        (negatives([], []), "lengths go from 0 to 0"),
        (negatives(["a", "a"], [["x"], ["y"]]), "a user occurs twice"),
        (negatives(["c"], [["x"]]), "1 of 1 user_id values .* not part of the catalogue, the first is 'c'"),
        (negatives(["a"], [["x", "q"]]), "1 of 2 item_id values .* the first is 'q'.*include_unrated_items=true"),
    ],
)
def test_negatives_of_the_wrong_form_are_refused(table: pa.Table, message: str) -> None:
    with pytest.raises(DataError, match=message):
        index_fixed_negatives(table, USERS, ITEMS)
