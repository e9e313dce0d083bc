import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.api.list_parts import ListParts
from recsys.errors import RequestError

SETTINGS = {"model": "abc", "k": 3}
TABLES = [
    pa.table({"user_id": ["a"], "item_id": ["x, y"], "score": [0.1]}),
    pa.table({"user_id": ["b"], "item_id": ['"z"'], "score": [1e-9]}),
]


def written(path, settings=SETTINGS):
    parts = ListParts(path, settings)
    parts.start()
    for number, table in enumerate(TABLES):
        parts.write(number, table)
    parts.finish(len(TABLES))
    return parts


def test_parts_become_one_parquet_file(tmp_path):
    parts = written(tmp_path / "lists.parquet")
    assert pq.read_table(tmp_path / "lists.parquet").equals(pa.concat_tables(TABLES))
    assert not parts.directory.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lists.parquet.finished.json", "lists.parquet"]


def test_parts_become_one_csv_file(tmp_path):
    written(tmp_path / "lists.csv")
    found = pd.read_csv(tmp_path / "lists.csv")
    pd.testing.assert_frame_equal(found, pa.concat_tables(TABLES).to_pandas(), check_dtype=False)


def test_goes_on_with_what_is_done(tmp_path):
    first = ListParts(tmp_path / "new" / "lists.csv", SETTINGS)
    first.start()
    first.write(1, TABLES[1])
    second = ListParts(tmp_path / "new" / "lists.csv", SETTINGS)
    second.start()
    assert [second.has(part) for part in (0, 1)] == [False, True]
    second.write(0, TABLES[0])
    second.finish(2)
    written(tmp_path / "at_once.csv")
    assert (tmp_path / "new" / "lists.csv").read_bytes() == (tmp_path / "at_once.csv").read_bytes()


def test_a_part_that_was_half_written_does_not_count(tmp_path):
    parts = ListParts(tmp_path / "lists.csv", SETTINGS)
    parts.start()
    (parts.directory / ".000000.parquet.partial").write_bytes(b"half")
    assert not parts.has(0)


def test_what_was_joined_before_the_parts_were_removed_is_joined_again(tmp_path):
    parts = ListParts(tmp_path / "lists.csv", SETTINGS)
    parts.start()
    for number, table in enumerate(TABLES):
        parts.write(number, table)
    (tmp_path / "lists.csv").write_text("whole", encoding="utf-8")
    again = ListParts(tmp_path / "lists.csv", SETTINGS)
    again.start()
    again.finish(2)
    assert len(pd.read_csv(tmp_path / "lists.csv")) == 2 and not parts.directory.exists()


def test_parts_of_other_settings_are_refused(tmp_path):
    ListParts(tmp_path / "lists.csv", SETTINGS).start()
    with pytest.raises(RequestError, match="begun with other settings: k was 3, and is 4 now. Go on with the same"):
        ListParts(tmp_path / "lists.csv", {**SETTINGS, "k": 4}).start()


def test_settings_that_were_half_written_do_not_count(tmp_path):
    parts = ListParts(tmp_path / "lists.csv", SETTINGS)
    parts.start()
    assert json.loads((parts.directory / "settings.json").read_text(encoding="utf-8")) == SETTINGS


def test_a_file_that_is_whole_is_finished_for_its_own_settings_alone(tmp_path):
    assert not ListParts(tmp_path / "lists.csv", SETTINGS).finished
    written(tmp_path / "lists.csv")
    assert ListParts(tmp_path / "lists.csv", SETTINGS).finished
    assert not ListParts(tmp_path / "lists.csv", {**SETTINGS, "k": 4}).finished


@pytest.mark.parametrize("note", [None, "", "{", "[]"])
def test_a_file_that_has_changed_or_has_no_note_is_not_finished(tmp_path, note):
    parts = written(tmp_path / "lists.csv")
    if note is None:
        parts.output.write_text("other", encoding="utf-8")
    else:
        (tmp_path / ".lists.csv.finished.json").write_text(note, encoding="utf-8")
    assert not parts.finished


def test_a_file_whose_parts_are_still_there_is_not_finished(tmp_path):
    parts = written(tmp_path / "lists.csv")
    parts.directory.mkdir()
    assert not parts.finished


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    written(tmp_path / "lists.csv")
    with pytest.raises(RequestError, match="lists.csv is there already, and not of this very command. Choose another"):
        ListParts(tmp_path / "lists.csv", {**SETTINGS, "k": 4}).start()


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(
        RequestError,
        match=r"output must end with .parquet or .csv, or have no ending for a directory, but it is .*lists.json",
    ):
        ListParts(tmp_path / "lists.json", SETTINGS)
