"""What is held out of the store."""

from __future__ import annotations

from datetime import timedelta

import pyarrow.parquet as pq

from recsys.studies.retraining.newest_interactions import HistoryEvent, read_newest
from tests.studies.retraining.conftest import BEGIN, NEW_USERS

SECONDS = int(BEGIN.timestamp())


def test_the_last_share_is_held_out_and_the_rest_is_history(visited, database, tmp_path):
    newest = read_newest(database, None, 0.2, "all", tmp_path / "held_out.parquet")
    assert (newest.num_new, newest.until) == (100, BEGIN + timedelta(hours=3))
    held_out = pq.read_table(newest.table).to_pylist()
    assert newest.num_held_out == len(held_out) == 40
    assert {one["item_id"] for one in held_out} == {"i10", "i04"}
    assert newest.histories.keys() == set(NEW_USERS)
    assert newest.histories["n03"] == [
        HistoryEvent("i00", None, SECONDS),
        HistoryEvent("i02", None, SECONDS + 3600),
        HistoryEvent("i06", None, SECONDS + 7200),
    ]


def test_unprompted_ones_name_no_list(visited, database, tmp_path):
    newest = read_newest(database, None, 0.2, "unprompted", tmp_path / "held_out.parquet")
    assert {one["item_id"] for one in pq.read_table(newest.table).to_pylist()} == {"i04"}


def test_only_what_the_live_model_does_not_know_counts(visited, database, tmp_path):
    newest = read_newest(database, SECONDS + 3 * 3600, 1.0, "all", tmp_path / "held_out.parquet")
    assert (newest.num_new, newest.num_held_out) == (20, 20)
    assert read_newest(database, SECONDS + 4 * 3600, 1.0, "all", tmp_path / "held_out.parquet") is None


def test_erased_users_are_neither_held_out_nor_history(visited, database, tmp_path):
    visited.users.update("n04", profiling=False)
    newest = read_newest(database, None, 0.2, "all", tmp_path / "held_out.parquet")
    assert "n04" not in newest.histories
    assert "n04" not in pq.read_table(newest.table).column("user_id").to_pylist()


def test_ratings_are_kept_where_all_have_one(visited, database, tmp_path):
    newest = read_newest(database, None, 0.2, "all", tmp_path / "held_out.parquet")
    assert "rating" not in pq.read_table(newest.table).column_names


def test_what_came_before_is_held_out_in_its_turn(visited, database, tmp_path):
    first = read_newest(database, None, 0.2, "all", tmp_path / "held_out.parquet")
    before = read_newest(database, None, 0.2, "all", tmp_path / "validation.parquet", first.until)
    assert before.until < first.until and before.num_new == first.num_new - first.num_held_out
    assert not set(map(tuple, rows(before.table))) & set(map(tuple, rows(first.table)))


def rows(table):
    return [(one["user_id"], one["item_id"]) for one in pq.read_table(table).to_pylist()]
