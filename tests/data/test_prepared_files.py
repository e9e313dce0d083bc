import errno
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.prepared_files import locked, replaced_when_complete, table_paths, write_table
from recsys.errors import DataError, PreparedDataError


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_the_directory_appears_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "films"
    with replaced_when_complete(target) as partial:
        (partial / "schema.json").write_text("{}")
        assert not target.exists()
    assert names(target) == ["schema.json"]
    assert names(tmp_path) == ["films"]


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError), replaced_when_complete(tmp_path / "films") as partial:
        (partial / "interactions.parquet").write_text("half")
        raise KeyError
    assert names(tmp_path) == []


def test_a_lock_leaves_nothing_behind(tmp_path: Path) -> None:
    with locked(tmp_path / "films"):
        assert names(tmp_path) == [".films.lock"]
    assert names(tmp_path) == []


def test_an_error_leaves_the_older_directory_as_it_was(tmp_path: Path) -> None:
    with replaced_when_complete(tmp_path / "films") as partial:
        (partial / "schema.json").write_text("old")
    with pytest.raises(KeyError), replaced_when_complete(tmp_path / "films") as partial:
        (partial / "schema.json").write_text("new")
        raise KeyError
    assert (tmp_path / "films" / "schema.json").read_text() == "old"


def test_an_older_directory_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("users.parquet", "items.parquet"):
        with replaced_when_complete(tmp_path / "films") as partial:
            (partial / name).write_text(name)
    assert names(tmp_path / "films") == ["items.parquet"]


def test_what_an_interrupted_run_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".films.partial").mkdir()
    (tmp_path / ".films.partial" / "interactions.parquet").write_text("half")
    with replaced_when_complete(tmp_path / "films") as partial:
        assert names(partial) == []
    assert names(tmp_path) == ["films"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    message = r"films could not be written: No space left on device\. Nothing half-written is left\. Free some space"
    with pytest.raises(PreparedDataError, match=message), replaced_when_complete(tmp_path / "films") as partial:
        (partial / "interactions.parquet").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert names(tmp_path) == []


def test_other_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with (
        pytest.raises(PreparedDataError, match=r"cannot be replaced: it holds thesis\.txt, which is no part of"),
        replaced_when_complete(tmp_path),
    ):
        raise AssertionError("not reached")
    with (
        pytest.raises(PreparedDataError, match=r"cannot be replaced: it holds thesis\.txt"),
        replaced_when_complete(tmp_path / "thesis.txt"),
    ):
        raise AssertionError("not reached")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_the_parent_is_made(tmp_path: Path) -> None:
    with locked(tmp_path / "data" / "prepared" / "films"):
        assert (tmp_path / "data" / "prepared").is_dir()


def test_a_parent_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PreparedDataError, match="films could not be written: .*paths.prepared_dir=DIR"):
        with locked(tmp_path / "file" / "films"):
            raise AssertionError("not reached")


def test_the_second_to_ask_waits_for_the_first(tmp_path: Path) -> None:
    order = []
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with locked(tmp_path / "films"):
            order.append("second")

    with locked(tmp_path / "films"):
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        thread.join(timeout=0.2)
        order.append("first")
    thread.join(timeout=600)
    assert order == ["first", "second"]


def test_a_column_that_parquet_cannot_hold_is_told(tmp_path: Path) -> None:
    table = pa.table({"length": pa.array([(1, 2, 3)], pa.month_day_nano_interval())})
    with pytest.raises(
        DataError, match=r"items\.parquet cannot be written as Parquet: .*length: month_day_nano_interval"
    ):
        write_table(table, tmp_path / "items.parquet")


def test_fixed_negatives_are_listed_only_where_they_are(tmp_path: Path) -> None:
    assert len(table_paths(tmp_path)) == 5
    (tmp_path / "fixed_negatives.parquet").write_text("")
    assert len(table_paths(tmp_path)) == 6
