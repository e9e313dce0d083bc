"""Appending in pieces equals one preparation of all rows, for everything that the rule promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.appending.append import append, preparation_of
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset, RawSource
from recsys.data.splitting.hashed import HashSplit
from recsys.errors import DataError, PreparedDataError
from tests.data.raw_data import FakeReader, films, interactions_table

COLUMNS = ("user_id", "item_id", "rating", "timestamp")


def reader(rows: list[tuple[Any, ...]], columns: tuple[str, ...] = COLUMNS, **tables: Any) -> FakeReader:
    return FakeReader(RawDataset("toy", interactions_table(rows, columns), **tables), settings={"rows": repr(rows)})


@pytest.fixture(autouse=True)
def in_several_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as small as these would be written anew as a whole."""
    monkeypatch.setattr("recsys.data.appending.part_writing.MAX_AMENDED", 1.0)


def by_ids(prepared: PreparedDataset) -> pa.Table:
    """The interactions by their ids, in their order."""
    rows = prepared.interactions
    columns = {
        "user": prepared.user_vocabulary.ids_of(rows.user_index),
        "item": prepared.item_vocabulary.ids_of(rows.item_index),
    }
    names = ("rating", "timestamp", "weight", "subsecond_ns", "first_timestamp")
    columns |= {name: pa.array(getattr(rows, name)) for name in names if getattr(rows, name) is not None}
    return pa.table(columns)


def in_pieces(directory: Path, pieces: list[list[tuple[Any, ...]]], preparation: Preparation, columns: Any = COLUMNS):
    prepared = preparation.prepare(reader(pieces[0], columns), directory / "toy")
    for piece in pieces[1:]:
        prepared = append(prepared, reader(piece, columns)).prepared
    return prepared


#: What is made up here is unusual now and then.
unusual = pytest.mark.filterwarnings("ignore::recsys.errors.DataWarning")

ids = st.sampled_from("abcdefg")
rows = st.tuples(ids, ids, st.integers(1, 5).map(float), st.integers(0, 30))
pieces = st.lists(st.lists(rows, min_size=1, max_size=12), min_size=2, max_size=4)


@unusual
@settings(max_examples=8, deadline=None)
@given(pieces=pieces, repeats=st.sampled_from(["latest", "first", "keep", "aggregate"]))
def test_pieces_equal_one_preparation(tmp_path_factory, pieces, repeats):
    directory = tmp_path_factory.mktemp("pieces")
    preparation = Preparation(repeats=repeats)
    appended = in_pieces(directory, pieces, preparation)
    whole = preparation.prepare(reader([row for piece in pieces for row in piece]), directory / "whole")
    assert by_ids(appended).equals(by_ids(whole))
    open_prepared(appended.directory, verify=True)
    for name in ("num_users", "num_items", "num_interactions", "num_positives", "density", "rating", "timestamp"):
        assert getattr(appended.schema, name) == getattr(whole.schema, name)
    assert appended.schema.weight == whole.schema.weight


@unusual
@settings(max_examples=8, deadline=None)
@given(pieces=pieces, minimums=st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_pieces_admit_whom_one_append_admits(tmp_path_factory, pieces, minimums):
    """The rows that wait are counted again with each piece."""
    directory = tmp_path_factory.mktemp("core")
    preparation = Preparation(min_user_interactions=minimums[0], min_item_interactions=minimums[1])
    first = [(user, item, 3.0, 0) for user in "xyz" for item in "xyz"]
    appended = in_pieces(directory, [first, *pieces], preparation)
    at_once = in_pieces(directory / "once", [first, [row for piece in pieces for row in piece]], preparation)
    assert sorted(map(str, by_ids(appended).to_pylist())) == sorted(map(str, by_ids(at_once).to_pylist()))
    whole = preparation.prepare(reader([*first, *(row for piece in pieces for row in piece)]), directory / "whole")
    names = ["user", "item", "rating", "timestamp"]  # others say of repeats that were admitted
    kept = [by_ids(one).select(names).to_pylist() for one in (whole, at_once)]
    assert sorted(map(str, kept[0])) == sorted(map(str, kept[1]))


@unusual
@settings(max_examples=5, deadline=None)
@given(pieces=pieces)
def test_no_index_moves_and_no_row_changes_its_part(tmp_path_factory, pieces):
    directory = tmp_path_factory.mktemp("still")
    first = [(user, item, 3.0, 0) for user in "wxyz" for item in "tuvwxyz"]
    prepared = Preparation().prepare(reader(first), directory / "toy")
    for piece in pieces:
        grown = append(prepared, reader(piece)).prepared
        assert grown.user_vocabulary.ids[: len(prepared.user_vocabulary)].equals(prepared.user_vocabulary.ids)
        assert grown.item_vocabulary.ids[: len(prepared.item_vocabulary)].equals(prepared.item_vocabulary.ids)
        assert parts(grown).items() >= {pair: part for pair, part in parts(prepared).items()}.items()
        prepared = grown
    assert prepared.schema.generation == len(pieces)


def parts(prepared: PreparedDataset) -> dict[tuple[str, str], str]:
    """The part of each pair by its ids."""
    split = HashSplit(0.3, 0.2, seed=3).split(prepared.interactions)
    table = by_ids(prepared).select(["user", "item"]).to_pylist()
    found = {}
    for part in ("train", "valid", "test"):
        found |= {tuple(table[row].values()): part for row in getattr(split, part).tolist()}
    return found


def test_new_ids_get_the_next_indices_in_the_order_of_their_first_interaction(tmp_path):
    prepared = Preparation().prepare(FakeReader(films()), tmp_path / "films")
    grown = append(prepared, reader([("b", "x", 3.0, 60), ("007", "v", 3.0, 61), ("a", "c", 3.0, 62)])).prepared
    assert grown.user_vocabulary.ids.to_pylist() == ["007", "7", "ánna", "b", "a"]
    assert grown.item_vocabulary.ids.to_pylist() == ["w", "x", "y", "v", "c"]
    assert grown.users.column("age").to_pylist() == [31, 17, None, None, None]
    assert grown.schema.parent == prepared.schema.content_hash
    assert open_prepared(grown.directory, verify=True).schema == grown.schema


def test_rows_of_the_tables_take_the_place_of_earlier_ones(tmp_path):
    prepared = Preparation(include_unrated_items=True).prepare(FakeReader(films()), tmp_path / "films")
    items = pa.table(
        {
            "item_id": ["v", "x", "unseen"],
            "title": ["Vertigo (1958)", "Xanadu again", "Unseen"],
            "genres": ["Thriller", "Musical", "War"],
            "more": [1, 2, 3],
        }
    )
    raw = RawDataset("films", interactions_table([("7", "v", 4.0, 70)], COLUMNS), items=items)
    grown = append(prepared, FakeReader(raw)).prepared
    titles = dict(zip(grown.items.column("item_id").to_pylist(), grown.items.column("title").to_pylist(), strict=True))
    assert titles["x"] == "Xanadu again" and titles["v"] == "Vertigo (1958)" and titles["unseen"] == "Unseen"
    assert titles["z"] == "Zulu (1964)"
    assert grown.items.column_names == prepared.items.column_names


def test_returns_take_off_what_was_bought_before(tmp_path):
    columns = ("user_id", "item_id", "weight", "timestamp")
    preparation = Preparation(repeats="keep")
    bought = [("u", "a", 2.0, 1), ("u", "b", 1.0, 2), ("v", "a", 5.0, 3)]
    grown = in_pieces(tmp_path, [bought, [("u", "a", -2.0, 4), ("v", "a", -1.0, 5)]], preparation, columns)
    assert by_ids(grown).to_pylist() == [
        {"user": "u", "item": "b", "timestamp": 2, "weight": 1.0},
        {"user": "v", "item": "a", "timestamp": 3, "weight": 4.0},
    ]
    assert grown.schema.density == 2 / (2 * 2)
    open_prepared(grown.directory, verify=True)


def test_the_same_append_is_made_once_and_the_old_directory_stays(tmp_path):
    prepared = Preparation().prepare(FakeReader(films()), tmp_path / "films")
    newer = reader([("b", "x", 3.0, 60)])
    first, second = append(prepared, newer), append(prepared, newer)
    assert first.is_new and not second.is_new
    assert first.prepared.directory == second.prepared.directory
    assert open_prepared(tmp_path / "films", verify=True).schema == prepared.schema
    assert preparation_of(first.prepared) == preparation_of(prepared)


def test_a_crash_leaves_the_old_generation_and_nothing_else(tmp_path, monkeypatch):
    prepared = Preparation().prepare(FakeReader(films()), tmp_path / "films")

    def fails(*arguments: Any, **further: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recsys.data.appending.writing.hash_of_digests", fails)
        with pytest.raises(KeyboardInterrupt):
            append(prepared, reader([("b", "x", 3.0, 60)]))
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["films"]
    assert append(prepared, reader([("b", "x", 3.0, 60)])).is_new


def test_what_cannot_be_appended_is_refused(tmp_path):
    raw = replace(films(), sources=(RawSource("day1.csv", "0" * 64, "here"),))
    prepared = Preparation().prepare(FakeReader(raw), tmp_path / "films")
    with pytest.raises(DataError, match="New interactions are required, but day1.csv is part of the data already"):
        append(prepared, FakeReader(raw, settings={"again": True}))
    with pytest.raises(DataError, match="has a rating for each interaction, and the new ones have none"):
        append(prepared, reader([("b", "x")], ("user_id", "item_id")))
    folds = interactions_table([("a", "x", "train"), ("a", "y", "test")], ("user_id", "item_id", "fold"))
    split = Preparation().prepare(FakeReader(RawDataset("split", folds)), tmp_path / "split")
    with pytest.raises(DataError, match="comes already split"):
        append(split, reader([("b", "x")], ("user_id", "item_id")))
    with pytest.raises(PreparedDataError, match="does not say which settings"):
        preparation_of(replace(prepared, schema=replace(prepared.schema, fingerprint={})))


def test_new_rows_within_a_second_are_in_the_order_of_time(tmp_path):
    columns = ("user_id", "item_id", "timestamp", "subsecond_ns")
    piece = [("u", "c", 9, 500), ("u", "b", 9, 100)]
    grown = in_pieces(tmp_path, [[("u", "a", 1, 0), ("v", "a", 2, 5)], piece], Preparation(), columns)
    assert by_ids(grown).column("item").to_pylist() == ["a", "a", "b", "c"]
    assert np.array_equal(grown.interactions.subsecond_ns, [0, 5, 100, 500])
