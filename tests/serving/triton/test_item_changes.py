import os
import time
from pathlib import Path

import pyarrow as pa
import pytest
from recsys_serving.triton.item_changes import ItemChanges, values_since_export

from recsys.errors import RequestError, ServingError

ITEMS = pa.table({"item_id": ["a", "b"], "genres": ["Drama", None]})


class Recorder:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def add_items(self, items: pa.Table) -> None:
        self.told.append(items.to_pydict())

    def remove_items(self, ids: object) -> None:
        self.told.append(ids)

    def update_items(self, values: object) -> None:
        self.told.append(values)


def test_changes_are_told_once_and_in_their_order(tmp_path: Path):
    reader = Recorder()
    changes, writing = ItemChanges(tmp_path / "items", reader), ItemChanges(tmp_path / "items", Recorder())
    changes.apply_new()
    assert reader.told == []
    writing.append_added(ITEMS)
    writing.append_removed(["a"])
    for _ in range(2):
        changes.apply_new()
        assert reader.told == [ITEMS.to_pydict(), ["a"]]
    writing.append_removed(["é"])
    changes.apply_new()
    assert reader.told[2:] == [["é"]]
    late = Recorder()
    ItemChanges(tmp_path / "items", late).apply_new()
    assert late.told == reader.told


def test_who_wrote_a_change_is_not_told_of_it(tmp_path: Path):
    writer = Recorder()
    changes = ItemChanges(tmp_path / "items", writer)
    changes.append_removed(["a"])
    changes.apply_new()
    assert writer.told == []


def test_a_directory_that_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    changes = ItemChanges(tmp_path / "items", Recorder())
    changes.append_removed(["a"])
    os.utime(tmp_path / "items", ns=(0, time.time_ns() - 10_000_000_000))
    changes.apply_new()
    monkeypatch.setattr(Path, "iterdir", lambda path: pytest.fail("read again"))
    changes.apply_new()


def test_a_change_that_is_written_only_in_part_is_none(tmp_path: Path):
    changes = ItemChanges(tmp_path / "items", Recorder())
    changes.append_removed(["a"])
    (tmp_path / "items" / ".killed.partial").write_text("[", encoding="utf-8")
    reader = Recorder()
    ItemChanges(tmp_path / "items", reader).apply_new()
    assert reader.told == [["a"]]


def test_a_missing_change_is_told(tmp_path: Path):
    changes = ItemChanges(tmp_path / "items", Recorder())
    for name in ("a", "b", "c"):
        changes.append_removed([name])
    (tmp_path / "items" / "000002-remove.json").unlink()
    reader = Recorder()
    with pytest.raises(ServingError, match="Change 2 of the items is required in .*, but it is missing"):
        ItemChanges(tmp_path / "items", reader).apply_new()
    assert reader.told == [["a"]]


@pytest.mark.parametrize("name", ["000001-add.parquet", "000001-remove.json", "000001-update.json"])
def test_a_damaged_change_is_told(tmp_path: Path, name: str):
    (tmp_path / name).write_text("[", encoding="utf-8")
    with pytest.raises(ServingError, match=f"{name} says which items changed, but it cannot be read"):
        ItemChanges(tmp_path, Recorder()).apply_new()


def test_new_values_are_told_in_their_turn_and_the_latest_of_each_is_known(tmp_path: Path):
    changes = ItemChanges(tmp_path / "items", Recorder())
    first, second = {"in_stock": {"a": False, "é": True}}, {"in_stock": {"a": True}, "price": {"b": 2.5}}
    changes.append_updated(first)
    changes.append_removed(["c"])
    changes.append_updated(second)
    reader = Recorder()
    ItemChanges(tmp_path / "items", reader).apply_new()
    assert reader.told == [first, ["c"], second]
    assert values_since_export(tmp_path / "items") == {"in_stock": {"a": True, "é": True}, "price": {"b": 2.5}}
    assert values_since_export(tmp_path / "none") == {}


def test_values_that_json_does_not_hold_are_refused(tmp_path: Path):
    with pytest.raises(RequestError, match="must be texts, numbers, truth values or lists"):
        ItemChanges(tmp_path / "items", Recorder()).append_updated({"since": {"a": object()}})
