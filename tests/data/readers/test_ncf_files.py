from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers.ncf_files import (
    interactions_from_parquet,
    interactions_from_text,
    items_from_parquet,
    negatives_from_parquet,
    negatives_from_text,
    users_from_parquet,
)
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

TEST = pa.table({"user_id": ["0", "1"], "item_id": ["5", "3"]})


def parquet(tmp_path: Path, **columns: object) -> RawFile:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    return RawFile(tmp_path / "a.parquet")


def text(tmp_path: Path, content: str) -> RawFile:
    (tmp_path / "a.txt").write_text(content, encoding="utf-8")
    return RawFile(tmp_path / "a.txt")


def test_ratings_and_timestamps_of_parquet_are_optional(tmp_path: Path) -> None:
    table = interactions_from_parquet(parquet(tmp_path, user=[0, 1], item=[7, 8]))
    assert table.to_pydict() == {"user_id": ["0", "1"], "item_id": ["7", "8"]}
    table = interactions_from_parquet(parquet(tmp_path, user=[0], item=[7], rating=[4], timestamp=[978_300_174]))
    assert table.to_pylist() == [{"user_id": "0", "item_id": "7", "rating": 4.0, "timestamp": 978_300_174}]
    with pytest.raises(DataError, match="must have the column 'item', but its columns are 'user'"):
        interactions_from_parquet(parquet(tmp_path, user=[0]))


def test_text_interactions_have_four_columns(tmp_path: Path) -> None:
    table = interactions_from_text(text(tmp_path, "0\t25\t5\t978824351\n"))
    assert table.to_pylist() == [{"user_id": "0", "item_id": "25", "rating": 5.0, "timestamp": 978_824_351}]


def test_negatives_of_parquet(tmp_path: Path) -> None:
    table = negatives_from_parquet(parquet(tmp_path, user=[1, 0], negatives=[[4, 5], [2, 3]]), TEST)
    assert table.to_pylist() == [
        {"user_id": "1", "item_ids": ["4", "5"]},
        {"user_id": "0", "item_ids": ["2", "3"]},
    ]


def test_negatives_of_text(tmp_path: Path) -> None:
    table = negatives_from_text(text(tmp_path, "(0,5)\t2\t3\n(1, 3)\t4\t5\r\n"), TEST)
    assert table.to_pylist() == [
        {"user_id": "0", "item_ids": ["2", "3"]},
        {"user_id": "1", "item_ids": ["4", "5"]},
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("0,5\t2\t3\n", r"each row must be '\(user,item\)' and its negatives, .* but row 1 is '0,5"),
        ("(0,5)\t2\n(1,4)\t4\n", r"must be of a test interaction, but the pair \(1, 4\) of row 2 is none"),
        ("(0,5)\t2\n(1,3)\t4\t6\n", "must have the same number of negatives, at least one, but they have from 1 to 2"),
        ("(0,5)\t2\n(0,5)\t4\n", "must have one row of negatives, but user '0' has 2"),
        ("(0,5)\t2\n", "each test user must have negatives, but 1 have none, the first of them '1'"),
    ],
)
def test_negatives_that_do_not_fit_the_test_are_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        negatives_from_text(text(tmp_path, content), TEST)


def test_negatives_of_parquet_must_be_lists(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column 'negatives' must hold lists of items, but is of type int64"):
        negatives_from_parquet(parquet(tmp_path, user=[0, 1], negatives=[4, 5]), TEST)


def test_users_are_text_under_the_names_of_movielens(tmp_path: Path) -> None:
    file = parquet(tmp_path, user=[0], gender=["F"], age=[1], occupation=["10"], zipcode=["01002"])
    assert users_from_parquet(file).to_pylist() == [
        {"user_id": "0", "gender": "F", "age": "1", "occupation": "10", "zip_code": "01002"}
    ]


def test_items_are_split_into_title_year_and_genres(tmp_path: Path) -> None:
    file = parquet(tmp_path, item=[0], movie_id=[1193], title=["One Flew Over (1975)"], genres=["Drama|War"])
    assert items_from_parquet(file).to_pylist() == [
        {"item_id": "0", "movie_id": "1193", "title": "One Flew Over", "year": 1975, "genres": ["Drama", "War"]}
    ]
