"""A generation has the files of the one before, and one with what was appended."""

from __future__ import annotations

import os

import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.data.appending.append import append
from recsys.data.interaction_files import stored_interactions
from recsys.data.prepared import open_prepared
from recsys.data.preparing import Preparation
from tests.data.appending.test_append import in_pieces, reader

FIRST = [(user, item, 3.0, 10) for user in "uvwxyz" for item in "abcdefg"]


#: What is made up here is unusual now and then.
pytestmark = pytest.mark.filterwarnings("ignore::recsys.errors.DataWarning")


def test_files_are_shared_and_only_new_rows_are_written(tmp_path):
    prepared = Preparation().prepare(reader(FIRST), tmp_path / "toy")
    first = append(prepared, reader([("u", "h", 4.0, 20), ("u", "a", 5.0, 21)])).prepared
    second = append(first, reader([("v", "h", 2.0, 30)])).prepared
    for name in ("interactions.parquet", "interactions.0001.parquet"):
        assert os.path.samefile(first.directory / name, second.directory / name)
    assert pq.read_metadata(second.directory / "interactions.0001.parquet").num_rows == 2
    assert pq.read_metadata(second.directory / "interactions.0002.parquet").num_rows == 1
    assert pq.read_table(second.directory / "amendments.parquet").column("row").to_pylist() == [0]
    for generation in (prepared, first, second):
        open_prepared(generation.directory, verify=True)
        stored = stored_interactions(generation.directory)
        mapped = open_prepared(generation.directory).interactions.columns()
        assert {name: column.tolist() for name, column in stored.items()} == {
            name: column.tolist() for name, column in mapped.items()
        }
    assert second.schema.density == 44 / (6 * 8)


@pytest.mark.parametrize(("limit", "value"), [("MAX_FILES", 2), ("MAX_AMENDED", 0.01)])
def test_all_rows_go_into_one_file_again(tmp_path, monkeypatch, limit, value):
    pieces = [FIRST, [("u", "a", 4.0, 20), ("u", "h", 4.0, 20)], [("v", "h", 2.0, 30)]]
    monkeypatch.setattr("recsys.data.appending.part_writing.MAX_FILES", 32)
    several = in_pieces(tmp_path / "several", pieces, Preparation())
    monkeypatch.setattr(f"recsys.data.appending.part_writing.{limit}", value)
    single = in_pieces(tmp_path / "single", pieces, Preparation())
    assert not (single.directory / "amendments.parquet").exists()
    assert not (single.directory / "interactions.0002.parquet").exists()
    assert (several.directory / "interactions.0002.parquet").exists()
    for name, column in several.interactions.columns().items():
        assert np.array_equal(single.interactions.columns()[name], column)
    open_prepared(single.directory, verify=True)


def test_data_of_earlier_versions_without_digests_are_appended_to(tmp_path):
    prepared = Preparation().prepare(reader(FIRST), tmp_path / "toy")
    path = prepared.directory / "schema.json"
    text = path.read_text()
    start = text.index(',\n  "digests"')
    path.write_text(text[:start] + "\n}\n")
    grown = append(open_prepared(prepared.directory), reader([("u", "h", 4.0, 20)])).prepared
    assert open_prepared(grown.directory, verify=True).schema.digests["interactions.parquet"]
