from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, Reader
from recsys.data.readers.ncf import NcfReader
from recsys.errors import DataError, SourceError
from tests.data.readers.streamed import read_both


def _tables() -> dict[str, pa.Table]:
    return {
        "train.parquet": pa.table(
            {"user": pa.array([0, 0, 1, 0], pa.int32()), "item": pa.array([0, 1, 2, 0], pa.int32())}
        ),
        "test.parquet": pa.table(
            {
                "user": pa.array([0, 1], pa.int32()),
                "item": pa.array([5, 3], pa.int32()),
                "rating": pa.array([5, 3], pa.int8()),
                "timestamp": [978824351, 978300174],
            }
        ),
        "negatives.parquet": pa.table({"user": pa.array([1, 0], pa.int32()), "negatives": [[4, 5], [2, 3]]}),
        "items.parquet": pa.table(
            {
                "item": pa.array([0, 1], pa.int32()),
                "movie_id": [1193, 661],
                "title": pa.array(["One Flew Over (1975)", "James"], pa.large_string()),
                "genres": pa.array(["Drama", "Animation|Musical"], pa.large_string()),
            }
        ),
        "users.parquet": pa.table(
            {
                "user": pa.array([0, 1], pa.int32()),
                "gender": pa.array(["F", "M"], pa.large_string()),
                "age": pa.array([1, 56], pa.int32()),
                "occupation": pa.array(["10", "16"], pa.large_string()),
                "zipcode": pa.array(["48067", "01002"], pa.large_string()),
            }
        ),
    }


def _read(tmp_path: Path, tables: dict[str, pa.Table]) -> RawDataset:
    for name, table in tables.items():
        pq.write_table(table, tmp_path / name)
    return read_both(NcfReader(tmp_path))


def _texts(name: str = "ml-1m") -> dict[str, str]:
    return {
        f"{name}.train.rating": "0\t32\t4\t978824330\n0\t34\t4\t978824330\n1\t4\t5\t978824291\n",
        f"{name}.test.rating": "0\t25\t5\t978824351\n1\t133\t3\t978300174\n",
        f"{name}.test.negative": "(0,25)\t1064\t174\n(1,133)\t1072\t3154\n",
    }


def _write(directory: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (directory / name).write_text(text)
    return directory


def test_parquet_rows_stay_as_they_are_with_their_fold(tmp_path: Path) -> None:
    dataset = _read(tmp_path, _tables())
    # training rows have no rating and no timestamp, so none are read; the repeated row stays
    assert dataset.interactions.to_pylist() == [
        {"user_id": "0", "item_id": "0", "fold": "train"},
        {"user_id": "0", "item_id": "1", "fold": "train"},
        {"user_id": "1", "item_id": "2", "fold": "train"},
        {"user_id": "0", "item_id": "0", "fold": "train"},
        {"user_id": "0", "item_id": "5", "fold": "test"},
        {"user_id": "1", "item_id": "3", "fold": "test"},
    ]
    assert dataset.name == "ncf"
    assert [source.name for source in dataset.sources] == sorted(_tables())


def test_parquet_negatives_users_and_items(tmp_path: Path) -> None:
    dataset = _read(tmp_path, _tables())
    assert dataset.fixed_negatives is not None
    assert dataset.fixed_negatives.to_pylist() == [
        {"user_id": "1", "item_ids": ["4", "5"]},
        {"user_id": "0", "item_ids": ["2", "3"]},
    ]
    assert dataset.items is not None
    assert dataset.items.to_pylist() == [
        {"item_id": "0", "movie_id": "1193", "title": "One Flew Over", "year": 1975, "genres": ["Drama"]},
        {"item_id": "1", "movie_id": "661", "title": "James", "year": None, "genres": ["Animation", "Musical"]},
    ]
    assert dataset.users is not None
    assert dataset.users.to_pylist()[1] == {
        "user_id": "1",
        "gender": "M",
        "age": "56",
        "occupation": "16",
        "zip_code": "01002",
    }
    assert FeatureColumn("zip_code", FeatureKind.CATEGORICAL) in dataset.user_features
    assert FeatureColumn("genres", FeatureKind.MULTI_VALUED) in dataset.item_features


def test_users_and_items_are_optional(tmp_path: Path) -> None:
    tables = {name: table for name, table in _tables().items() if name not in ("items.parquet", "users.parquet")}
    dataset = _read(tmp_path, tables)
    assert (dataset.users, dataset.items, dataset.user_features, dataset.item_features) == (None, None, (), ())


def test_ratings_and_timestamps_are_read_where_training_has_them(tmp_path: Path) -> None:
    tables = _tables()
    rows = len(tables["train.parquet"])
    tables["train.parquet"] = (
        tables["train.parquet"].append_column("rating", [[4] * rows]).append_column("timestamp", [[7] * rows])
    )
    dataset = _read(tmp_path, tables)
    assert dataset.interactions.to_pylist()[-1] == {
        "user_id": "1",
        "item_id": "3",
        "rating": 3.0,
        "timestamp": 978300174,
        "fold": "test",
    }


def test_the_text_files_of_the_authors(tmp_path: Path) -> None:
    dataset = NcfReader(_write(tmp_path, _texts())).read()
    assert dataset.interactions.to_pylist()[2:4] == [
        {"user_id": "1", "item_id": "4", "rating": 5.0, "timestamp": 978824291, "fold": "train"},
        {"user_id": "0", "item_id": "25", "rating": 5.0, "timestamp": 978824351, "fold": "test"},
    ]
    assert dataset.fixed_negatives is not None
    assert dataset.fixed_negatives.to_pylist() == [
        {"user_id": "0", "item_ids": ["1064", "174"]},
        {"user_id": "1", "item_ids": ["1072", "3154"]},
    ]


def test_one_of_several_data_sets_is_chosen_by_name(tmp_path: Path) -> None:
    _write(tmp_path, _texts() | _texts("pinterest-20"))
    with pytest.raises(
        SourceError, match=r"has the splits of ml-1m, pinterest-20\. Choose one with data\.dataset=NAME"
    ):
        NcfReader(tmp_path).read()
    dataset = NcfReader(tmp_path, "pinterest-20").read()
    assert dataset.sources[0].name.startswith("pinterest-20.")
    with pytest.raises(SourceError, match=r"Needed are other\.train\.rating, other\.test\.rating"):
        NcfReader(tmp_path, "other").read()


@pytest.mark.parametrize(
    ("negatives", "message"),
    [
        ([[4, 5], [2]], "the same number of negatives, at least one, but they have from 1 to 2"),
        (pa.array([[], []], pa.list_(pa.int32())), "but they have from 0 to 0"),
        (["4", "5"], "column 'negatives' must hold lists of items, but is of type string"),
        ([[1.5, 2.5], [2.5, 3.5]], "the ids in column 'negatives' must be text or whole numbers"),
    ],
)
def test_bad_negatives_are_refused(tmp_path: Path, negatives: list[object] | pa.Array, message: str) -> None:
    tables = _tables()
    tables["negatives.parquet"] = pa.table({"user": [1, 0], "negatives": negatives})
    with pytest.raises(DataError, match=message):
        _read(tmp_path, tables)


@pytest.mark.parametrize(
    ("users", "message"),
    [([1, 1], "user '1' has 2"), ([1, 7], "1 have none, the first of them '0'")],
)
def test_negatives_of_other_users_are_refused(tmp_path: Path, users: list[int], message: str) -> None:
    tables = _tables()
    tables["negatives.parquet"] = pa.table({"user": users, "negatives": [[4, 5], [2, 3]]})
    with pytest.raises(DataError, match=rf"negatives\.parquet: each .*{message}"):
        _read(tmp_path, tables)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ml-1m.test.negative", "(0,25)\t1\t2\n1,133\t3\t4\n", r"must be '\(user,item\)' .* but row 2 is '1,133"),
        ("ml-1m.test.negative", "(0,25)\t1\t2\n(1,25)\t3\t4\n", r"the pair \(1, 25\) of row 2 is none"),
        ("ml-1m.train.rating", "0\t32\n", "must have 4 fields, but row 1 has 2"),
        ("ml-1m.test.rating", "", r"test\.rating is empty"),
    ],
)
def test_bad_text_files_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        NcfReader(_write(tmp_path, _texts() | {name: content})).read()


def test_missing_columns_are_named(tmp_path: Path) -> None:
    tables = _tables()
    tables["train.parquet"] = tables["train.parquet"].rename_columns(["user", "movie"])
    with pytest.raises(
        DataError, match=r"train\.parquet must have the column 'item', but its columns are 'user', 'movie'"
    ):
        _read(tmp_path, tables)


def test_the_directory_must_be_given_and_have_the_files(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data=ncf needs the directory with the split: give it as data\.root=DIR"):
        NcfReader().read()
    with pytest.raises(SourceError, match="must be a directory with the split, but is none"):
        NcfReader(tmp_path / "none").fingerprint()
    with pytest.raises(
        SourceError, match=r"Needed are train\.parquet, test\.parquet, negatives\.parquet or NAME\.train"
    ):
        NcfReader(tmp_path).read()


def test_the_fingerprint_changes_with_the_files(tmp_path: Path) -> None:
    reader = NcfReader(_write(tmp_path, _texts()))
    assert isinstance(reader, Reader)
    first = reader.fingerprint()
    assert reader.fingerprint() == first
    os.utime(tmp_path / "ml-1m.test.negative", ns=(1, 1))
    assert reader.fingerprint() != first
