"""The bundles that retraining makes."""

from __future__ import annotations

from datetime import UTC, datetime

from recsys.studies.retraining.retrained_bundles import delete_old_bundles, new_bundle_name, unwanted_users
from tests.export.board_bundles import board_bundle


def test_names_sort_by_time():
    early, late = (new_bundle_name(datetime(2026, 1, day, 12, tzinfo=UTC)) for day in (9, 31))
    assert (early, late) == ("retrained-20260109-120000", "retrained-20260131-120000")


def test_the_oldest_are_deleted_but_protected_ones_and_those_of_others(tmp_path):
    for name in ("first", "retrained-1", "retrained-2", "retrained-3", "retrained-4"):
        (tmp_path / name).mkdir()
    assert delete_old_bundles(tmp_path, 2, {"retrained-1"}) == ["retrained-2"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "retrained-1", "retrained-3", "retrained-4"]


def test_nothing_is_deleted_where_there_are_few(tmp_path):
    (tmp_path / "retrained-1").mkdir()
    assert delete_old_bundles(tmp_path, 1, ()) == []


def test_users_who_may_not_be_trained_with_are_counted(store, database):
    bundle = board_bundle("ease")
    for number in range(40):
        store.users.create(f"u{number:02}")
    assert unwanted_users(bundle, database) == 0
    store.users.update("u07", profiling=False)
    assert unwanted_users(bundle, database) == 1
