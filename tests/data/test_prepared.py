import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from recsys.data.feature_tensors import NumberFeature
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset
from recsys.data.user_items import UserItems
from recsys.errors import PreparedDataError
from tests.data.raw_data import FakeReader, films, interactions_table


@pytest.fixture
def prepared(tmp_path: Path) -> PreparedDataset:
    preparation = Preparation(positive_threshold=3, include_unrated_items=True)
    return preparation.prepare(FakeReader(films()), tmp_path / "films")


def edit_schema(directory: Path, **changes: Any) -> None:
    content = json.loads((directory / "schema.json").read_text(encoding="utf-8"))
    (directory / "schema.json").write_text(json.dumps(content | changes))


def edit_table(path: Path, column: str, values: list[Any]) -> None:
    table = pq.read_table(path)
    position = table.column_names.index(column)
    pq.write_table(table.set_column(position, column, pa.array(values, table.schema.field(column).type)), path)


# --- what it offers --------------------------------------------------------------------------------------------------


def test_positives_are_rated_at_least_the_threshold(prepared: PreparedDataset) -> None:
    positives = prepared.positives()
    assert positives.rating is not None
    assert positives.rating.tolist() == [5.0, 3.0, 4.0]
    assert (positives.num_users, positives.num_items) == (3, 4)


def test_every_interaction_is_positive_without_a_threshold(tmp_path: Path) -> None:
    prepared = Preparation().prepare(FakeReader(films()), tmp_path / "films")
    assert len(prepared.positives()) == len(prepared.interactions) == 5


def test_a_missing_or_empty_title_is_replaced_by_the_id(prepared: PreparedDataset) -> None:
    # Items w (no row in the table), x, y (an empty title), z.
    assert prepared.titles(np.array([3, 0, 2, 1, 1])) == ["Zulu (1964)", "w", "y", "Xanadu (1980)", "Xanadu (1980)"]
    assert prepared.titles([]) == []


def test_ids_stand_for_titles_where_there_are_none(tmp_path: Path) -> None:
    raw = RawDataset("bare", interactions_table([("a", "é"), ("a", "x")]))
    assert Preparation().prepare(FakeReader(raw), tmp_path / "bare").titles([1, 0]) == ["é", "x"]


def test_features_have_a_row_for_each_index(prepared: PreparedDataset) -> None:
    age = prepared.user_features()["age"]
    assert isinstance(age, NumberFeature)
    assert age.missing.tolist() == [False, False, True]  # 007, 7, ánna
    genres = prepared.item_features().multi_hot("genres")
    assert genres.tolist() == [[0, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1]]  # Fantasy, Musical, War


def test_arrays_may_become_tensors_without_a_warning(prepared: PreparedDataset) -> None:
    interactions = prepared.interactions
    for column in (interactions.user_index, interactions.item_index, interactions.rating, interactions.timestamp):
        assert column is not None
        assert len(torch.from_numpy(column)) == 5
    assert len(UserItems.from_interactions(interactions)) == 5


# --- what is refused -------------------------------------------------------------------------------------------------


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        PreparedDataError, match=r"There is no prepared directory .*nowhere\. Make it with python scripts/prepare"
    ):
        open_prepared(tmp_path / "nowhere")


def test_a_directory_without_schema_is_incomplete(prepared: PreparedDataset) -> None:
    (prepared.directory / "schema.json").unlink()
    with pytest.raises(PreparedDataError, match=r"has no schema\.json, so it is incomplete"):
        open_prepared(prepared.directory)


def test_another_format_version_is_refused(prepared: PreparedDataset) -> None:
    edit_schema(prepared.directory, format_version=99)
    with pytest.raises(PreparedDataError, match="has format version 99.*a newer version of recsys wrote it"):
        open_prepared(prepared.directory)


@pytest.mark.parametrize("name", ["interactions.parquet", "users.parquet", "items.parquet"])
@pytest.mark.parametrize("content", [None, b"", b"PAR1nonsensePAR1"], ids=["missing", "empty", "nonsense"])
def test_a_missing_or_damaged_table_is_told(prepared: PreparedDataset, name: str, content: bytes | None) -> None:
    path = prepared.directory / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(PreparedDataError, match=f"{name} is missing or damaged"):
        open_prepared(prepared.directory)


@pytest.mark.parametrize(
    ("count", "name"),
    [("num_interactions", "interactions"), ("num_users", "users"), ("num_items", "items")],
)
def test_other_counts_than_the_schema_states_are_told(prepared: PreparedDataset, count: str, name: str) -> None:
    edit_schema(prepared.directory, **{count: 1_000})
    with pytest.raises(PreparedDataError, match=rf"{name}\.parquet has \d rows, but schema\.json states 1,000"):
        open_prepared(prepared.directory)


def test_a_vocabulary_of_another_size_is_told(prepared: PreparedDataset) -> None:
    path = prepared.directory / "item_vocabulary.parquet"
    pq.write_table(pq.read_table(path).slice(0, 2), path)
    with pytest.raises(PreparedDataError, match=r"item_vocabulary\.parquet has 2 rows, but schema\.json states 4"):
        open_prepared(prepared.directory)


def test_missing_columns_are_told(prepared: PreparedDataset) -> None:
    path = prepared.directory / "interactions.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["rating"]), path)
    with pytest.raises(
        PreparedDataError, match="should have the columns user_index, item_index, rating, timestamp and"
    ):
        open_prepared(prepared.directory)


@pytest.mark.parametrize("index", [-1, 3])
def test_indices_outside_the_vocabulary_are_told(prepared: PreparedDataset, index: int) -> None:
    edit_table(prepared.directory / "interactions.parquet", "user_index", [0, 1, 2, 0, index])
    with pytest.raises(PreparedDataError, match="values of user_index that the vocabulary lacks"):
        open_prepared(prepared.directory)


def test_a_changed_value_is_found_when_verified(prepared: PreparedDataset) -> None:
    assert len(open_prepared(prepared.directory, verify=True).interactions) == 5
    edit_table(prepared.directory / "interactions.parquet", "rating", [5.0, 3.0, 4.0, 1.0, 2.5])
    assert len(open_prepared(prepared.directory).interactions) == 5
    with pytest.raises(PreparedDataError, match=r"was changed or damaged: its content hash should be \w{64}, but is"):
        open_prepared(prepared.directory, verify=True)


def test_fixed_negatives_of_another_length_are_told(tmp_path: Path) -> None:
    negatives = pa.table({"user_id": ["7", "007"], "item_ids": [["y", "w"], ["x", "x"]]})
    raw = RawDataset("films", films().interactions, fixed_negatives=negatives)
    prepared = Preparation().prepare(FakeReader(raw), tmp_path / "films")
    edit_schema(prepared.directory, num_fixed_negatives=3)
    with pytest.raises(PreparedDataError, match="should have 3 negatives for each user"):
        open_prepared(prepared.directory)
    (prepared.directory / "fixed_negatives.parquet").unlink()
    with pytest.raises(PreparedDataError, match=r"fixed_negatives\.parquet is missing or damaged"):
        open_prepared(prepared.directory)


def test_interactions_are_mapped_and_the_same_as_those_of_the_table(prepared: PreparedDataset) -> None:
    mapped = open_prepared(prepared.directory).interactions.columns()
    assert all(isinstance(column.base, np.memmap) for column in mapped.values())
    (prepared.directory / "interactions.arrow").unlink()
    read = open_prepared(prepared.directory, verify=True).interactions.columns()
    assert {name: column.tolist() for name, column in read.items()} == {
        name: column.tolist() for name, column in mapped.items()
    }
    assert {name: column.dtype for name, column in read.items()} == {
        name: column.dtype for name, column in mapped.items()
    }


def test_mapped_columns_that_were_changed_are_found_when_verified(prepared: PreparedDataset) -> None:
    path = prepared.directory / "interactions.arrow"
    content = bytearray(path.read_bytes())
    place = content.index(np.float32(5.0).tobytes())
    content[place : place + 4] = np.float32(4.5).tobytes()
    path.write_bytes(content)
    with pytest.raises(PreparedDataError, match=r"interactions\.arrow should have the rating of interactions\.parquet"):
        open_prepared(prepared.directory, verify=True)
