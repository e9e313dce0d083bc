import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.content_hash import content_hash

TABLE = pa.table(
    {
        "index": pa.array([0, 1, 2, 3], pa.int32()),
        "rating": pa.array([1.0, None, 3.0, -0.5], pa.float32()),
        "title": ["é", None, "", "long title"],
        "genres": pa.array([["a", "bc"], [], None, ["d"]], pa.list_(pa.string())),
        "seen": [True, False, None, True],
        "born": [datetime.date(1990, 1, 2), None, None, None],
    }
)


def hashed(table: pa.Table, tmp_path: Path, **options: Any) -> str:
    pq.write_table(table, tmp_path / "table.parquet", **options)
    return content_hash({"table": tmp_path / "table.parquet"})


def test_the_hash_is_the_same_every_time(tmp_path: Path) -> None:
    # A fixed value: a change of this number means that older prepared directories no longer verify.
    table = pa.table({"index": pa.array([0, 1], pa.int32()), "title": ["é", None]})
    assert hashed(table, tmp_path) == "7f36e72d52052a6ea632085501176226b72ababb3adfa57c84e9ff03d57d0ad0"


@pytest.mark.parametrize(
    "stored",
    [{"row_group_size": 1}, {"row_group_size": 3}, {"compression": "none"}, {"use_dictionary": False}],
    ids=str,
)
def test_how_a_table_is_stored_does_not_matter(tmp_path: Path, stored: dict[str, Any]) -> None:
    assert hashed(TABLE, tmp_path, **stored) == hashed(TABLE, tmp_path)


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    assert hashed(TABLE.select(TABLE.column_names[::-1]), tmp_path) == hashed(TABLE, tmp_path)


def test_dictionaries_and_wide_offsets_do_not_matter(tmp_path: Path) -> None:
    other = TABLE.set_column(2, "title", TABLE.column("title").dictionary_encode())
    other = other.set_column(3, "genres", TABLE.column("genres").cast(pa.large_list(pa.large_string())))
    assert hashed(other, tmp_path) == hashed(TABLE, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.take([1, 0, 2, 3]),
        lambda table: table.slice(0, 3),
        lambda table: table.rename_columns(["other", *table.column_names[1:]]),
        lambda table: table.set_column(0, "index", table.column("index").cast(pa.int64())),
        lambda table: table.set_column(2, "title", pa.array(["é", "", "", "long title"])),
        lambda table: table.set_column(2, "title", pa.array(["", None, "é", "long title"])),
        lambda table: table.set_column(1, "rating", pa.array([1.0, 0.0, 3.0, -0.5], pa.float32())),
        lambda table: table.set_column(3, "genres", pa.array([["a"], ["bc"], None, ["d"]])),
        lambda table: table.set_column(3, "genres", pa.array([["a", "bc"], None, None, ["d"]])),
        lambda table: table.set_column(4, "seen", pa.array([True, None, None, True])),
        lambda table: table.set_column(5, "born", pa.array([datetime.date(1990, 1, 3), None, None, None])),
    ],
    ids=["rows swapped", "row lost", "column renamed", "type", "null to empty", "moved text", "null to zero"]
    + ["list moved", "empty list to null", "boolean to null", "date"],
)
def test_what_a_table_says_matters(tmp_path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    assert hashed(change(TABLE), tmp_path) != hashed(TABLE, tmp_path)


def test_the_names_of_the_files_matter(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    assert content_hash({"a": tmp_path / "a.parquet"}) != content_hash({"b": tmp_path / "a.parquet"})


@given(st.lists(st.none() | st.text(st.characters(exclude_categories=("Cs",)))), st.integers(1, 5))
def test_texts_are_told_apart_whatever_the_row_groups(texts: list[str | None], rows: int) -> None:
    def digest(values: list[str | None], **options: Any) -> str:
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table({"text": pa.array(values, pa.string())}), sink, **options)
        return content_hash({"table": pa.BufferReader(sink.getvalue())})

    assert digest(texts, row_group_size=rows) == digest(texts)
    assert digest([*texts, ""]) != digest(texts)
    joined = ["".join(text or "" for text in texts)]
    assert (digest(joined) == digest(texts)) == (joined == texts)


def test_an_empty_table_has_a_hash(tmp_path: Path) -> None:
    assert hashed(TABLE.slice(0, 0), tmp_path) != hashed(TABLE.select(["index"]).slice(0, 0), tmp_path)
