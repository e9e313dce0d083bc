import gc
import pickle

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

import recsys
from recsys.errors import DataError, DataWarning, PreparedDataError, RecsysError, SettingsError
from tests.api import board


def test_has_the_tables_that_it_was_made_from(data):
    assert repr(data) == "Dataset('board': 30 users, 20 items, 300 interactions)"
    assert (data.name, data.num_users, data.num_items, len(data)) == ("board", 30, 20, 300)
    pd.testing.assert_frame_equal(data.interactions, board.interactions())
    pd.testing.assert_frame_equal(data.items.sort_values("item_id", ignore_index=True), board.items())
    assert data.users["user_id"].tolist() == data.user_ids.tolist() == list(range(100, 130))
    assert data.titles([10, "11", 99]) == ["Square 10", "Square 11", "99"]
    assert "colour" in data.describe() and "categorical" in data.describe()


def test_warnings_about_the_data_are_given_and_errors_if_strict():
    table = pd.concat([board.interactions(), board.interactions().head(200)])
    with pytest.warns(DataWarning, match="200"):
        recsys.Dataset.from_pandas(table)
    with pytest.raises(DataError, match="200.*This is an error because of strict=True"):
        recsys.Dataset.from_pandas(table, strict=True)


def test_arrow_gives_the_same(data):
    arrow = recsys.Dataset.from_arrow(pa.table(board.interactions()), pa.table(board.items()), name="board")
    assert arrow.prepared.schema.content_hash == data.prepared.schema.content_hash


def test_polars_gives_the_same(data):
    frames = polars.from_pandas(board.interactions()), polars.from_pandas(board.items())
    for interactions in (frames[0], frames[0].lazy()):
        made = recsys.Dataset.from_polars(interactions, items=frames[1], name="board")
        assert made.prepared.schema.content_hash == data.prepared.schema.content_hash


def test_names_of_columns():
    table = board.interactions().rename(columns={"user_id": "who", "item_id": "what", "timestamp": "when"})
    made = recsys.Dataset.from_pandas(table, columns={"user": "who", "item": "what", "timestamp": "when"})
    assert len(made) == 300 and made.prepared.interactions.timestamp is not None


@pytest.mark.parametrize(
    ("kind", "back"),
    [
        ("int64", "int64"),
        ("int32", "int32"),
        ("Int64", "int64"),
        ("category", "int64"),
        ("str", "str"),
        ("object", "int64"),
    ],
)
def test_ids_come_back_in_their_type(kind, back):
    table = pd.DataFrame({"user_id": pd.Series([3, 3, 4]).astype(kind), "item_id": ["a", "b", "a"]})
    made = recsys.Dataset.from_pandas(table)
    assert str(made.user_ids.dtype) == back
    assert made.user_ids.astype(str).tolist() == ["3", "4"]
    assert made.interactions["item_id"].tolist() == ["a", "b", "a"]


def test_dates_are_times():
    table = board.interactions()
    dated = table.assign(timestamp=pd.to_datetime(table["timestamp"], unit="s"))
    same = recsys.Dataset.from_pandas(dated).prepared.interactions.timestamp
    assert np.array_equal(same, table["timestamp"])


def test_settings_of_preparation_are_settings_of_the_data():
    table = board.interactions().assign(rating=[1.0, 5.0] * 150)
    made = recsys.Dataset.from_pandas(table, positive_threshold=4, min_user_interactions=np.int64(2))
    assert made.prepared.schema.num_positives == 150


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: recsys.Dataset.from_pandas([1, 2]), DataError, "The table of interactions"),
        (
            lambda: recsys.Dataset.from_pandas(board.interactions(), threshold=1),
            SettingsError,
            "no setting 'threshold'",
        ),
        (
            lambda: recsys.Dataset.from_pandas(board.interactions().drop(columns="user_id")),
            DataError,
            "must have the column 'user_id'",
        ),
        (lambda: recsys.Dataset.load("movielens"), SettingsError, "Did you mean 'movielens"),
        (lambda: recsys.Dataset.load("synthetic", num_usr=3), RecsysError, "no setting 'num_usr'"),
        (lambda: recsys.Dataset.open("nowhere"), PreparedDataError, "no prepared directory"),
        (lambda: recsys.Dataset.movielens, AttributeError, "movielens_100k"),
    ],
)
def test_what_is_wrong_is_said(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_by_the_name_of_a_configuration(tmp_path):
    made = recsys.Dataset.synthetic(directory=tmp_path, num_users=20, num_items=30, num_interactions=50)
    assert (made.num_users, len(made)) == (20, 50)
    again = recsys.Dataset.load("synthetic", directory=tmp_path, num_users=20, num_items=30, num_interactions=50)
    assert again.prepared.directory == made.prepared.directory


def test_from_files(tmp_path, data):
    board.interactions().to_csv(tmp_path / "interactions.csv", index=False)
    board.items().to_parquet(tmp_path / "items.parquet")
    made = recsys.Dataset.from_files(
        tmp_path / "interactions.csv", tmp_path / "items.parquet", directory=tmp_path / "prepared"
    )
    assert made.prepared.user_vocabulary == data.prepared.user_vocabulary
    assert made.user_ids.tolist() == [str(user) for user in range(100, 130)]


def test_saved_and_opened(tmp_path, data):
    kept = data.save(tmp_path / "kept")
    opened = recsys.Dataset.open(tmp_path / "kept")
    assert not kept.is_temporary and data.is_temporary
    pd.testing.assert_frame_equal(opened.interactions, data.interactions)
    with pytest.raises(PreparedDataError, match="notes.txt"):
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "notes.txt").write_text("mine", encoding="utf-8")
        data.save(tmp_path / "other")
    assert (tmp_path / "other" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_directory_of_one_s_own(tmp_path):
    made = recsys.Dataset.from_pandas(board.interactions(), directory=tmp_path / "own")
    assert not made.is_temporary
    assert len(recsys.Dataset.open(tmp_path / "own")) == len(made)


def test_a_temporary_directory_goes_with_the_data():
    made = recsys.Dataset.from_pandas(board.interactions())
    directory = made.prepared.directory
    assert directory.is_dir()
    del made
    gc.collect()
    assert not directory.exists()


def test_travels_to_another_process(data):
    other = pickle.loads(pickle.dumps(data))
    pd.testing.assert_frame_equal(other.interactions, data.interactions)


def test_dates_and_lists_are_read_as_the_user_says():
    table = pd.DataFrame({"user_id": [1, 2, 3] * 4, "item_id": [7, 8, 9, 7] * 3, "timestamp": ["03/04/2024"] * 12})
    items = pd.DataFrame({"item_id": [7, 8, 9], "tags": ["a, b", "b", "c, a"]})
    with pytest.raises(DataError, match="whether the day or the month comes first, as in '03/04/2024'"):
        recsys.Dataset.from_pandas(table)
    made = recsys.Dataset.from_pandas(table, items, day_first=True, list_separators={"tags": ","})
    assert set(made.prepared.interactions.timestamp) == {1712102400}  # 3 April 2024
    assert [one.separator for one in made.prepared.schema.item_features] == [","]
