from __future__ import annotations

import gzip

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.preparation import engines
from recsys.data.preparing import Preparation, load_or_prepare
from recsys.data.raw_stream import RawStream
from recsys.data.readers.remote import RemoteReader
from recsys.data.readers.table import TableReader
from recsys.errors import DataError, SourceError
from tests.data.readers.streamed import read_both

ROWS = pa.table(
    {
        "user_id": ["ann", "bob", "ann", "cy"],
        "item_id": [7, 8, 8, 7],
        "rating": [4.0, 3.0, 1.0, 5.0],
        "timestamp": [1_700_000_000, 1_700_000_060, 1_700_000_120, 1_700_000_180],
        "page": ["a", "b", "c", "d"],
    }
)


@pytest.fixture
def store():
    """An object store in memory, with the rows in two files."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    put(filesystem, "b/ratings/part-0.parquet", ROWS.slice(0, 3))
    put(filesystem, "b/ratings/part-1.parquet", ROWS.slice(3))
    filesystem.pipe("b/items.csv", b"item_id,title,year\n7,Alien,1979\n8,Big,1988\n")
    yield filesystem
    filesystem.store.clear()


def put(filesystem, path, table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    filesystem.pipe(path, sink.getvalue().to_pybytes())


def test_files_are_read_as_those_of_this_machine_are(store, tmp_path):
    pq.write_table(ROWS, tmp_path / "ratings.parquet")
    (tmp_path / "items.csv").write_bytes(store.cat("b/items.csv"))
    here = TableReader(tmp_path / "ratings.parquet", items=tmp_path / "items.csv").read()
    there = read_both(RemoteReader("memory://b/ratings/*.parquet", items="memory://b/items.csv"))
    assert there.interactions.to_pylist() == here.interactions.to_pylist()
    assert there.items.to_pylist() == here.items.to_pylist()
    assert there.item_features == here.item_features
    assert there.notes == here.notes
    assert "interactions: columns that are not read: page" in there.notes


def test_a_prepared_directory_is_made_again_when_a_file_has_changed(store, tmp_path):
    def prepare():
        made = []
        load_or_prepare(tmp_path, RemoteReader("memory://b/ratings/"), Preparation(), made.append)
        return bool(made)

    assert prepare() and not prepare()
    put(store, "b/ratings/part-1.parquet", ROWS.slice(2))
    assert prepare() and not prepare()
    store.rm("b/ratings/part-1.parquet")
    assert prepare()


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_text_may_be_in_several_files_too(store, ending):
    for number, lines in enumerate((b"user_id,item_id,rating\na,1,2.5\n", b"user_id,item_id,rating\nb,2,3\n")):
        content = gzip.compress(lines) if ending.endswith("gz") else lines
        store.pipe(f"b/text/part-{number}.{ending}", content)
    raw = read_both(RemoteReader(f"memory://b/text/*.{ending}"))
    assert raw.interactions.to_pylist() == [
        {"user_id": "a", "item_id": "1", "rating": 2.5},
        {"user_id": "b", "item_id": "2", "rating": 3.0},
    ]


def test_files_must_be_of_one_format(store):
    store.pipe("b/ratings/part-2.csv", b"user_id,item_id\na,1\n")
    with pytest.raises(DataError, match="memory://b/ratings: the files of a table must be of one format"):
        RemoteReader("memory://b/ratings").read()


def test_a_copy_that_ends_early_is_called_as_its_original(store):
    store.pipe("b/cut.csv.gz", gzip.compress(b"user_id,item_id\n" + b"ann,1\n" * 999)[:-9])
    with pytest.raises(SourceError, match=r"memory://b/cut\.csv\.gz is damaged or incomplete"):
        RemoteReader("memory://b/cut.csv.gz").read()


def test_large_tables_are_read_in_batches(store, monkeypatch):
    monkeypatch.setattr(engines, "STREAM_FROM_BYTES", 100)
    assert isinstance(engines.read_raw(RemoteReader("memory://b/ratings/"), "auto"), RawStream)


def test_copies_stay_on_the_machine_that_made_them(store):
    assert not RemoteReader("memory://b/ratings/").stream().is_local
    store.pipe("b/r.csv", b"user_id,item_id\na,1\n")
    assert RemoteReader("memory://b/r.csv").stream().is_local


def test_a_damaged_file_is_told(store):
    store.pipe("b/ratings/part-0.parquet", b"PAR1 no")
    with pytest.raises(DataError, match=r"memory://b/ratings/part-0\.parquet is no Parquet file, or an incomplete one"):
        RemoteReader("memory://b/ratings").read()


def test_a_table_without_rows_is_refused(store):
    put(store, "b/none.parquet", ROWS.slice(0, 0))
    with pytest.raises(DataError, match="none.parquet has no rows"):
        RemoteReader("memory://b/none.parquet").read()


def test_the_interactions_are_required():
    with pytest.raises(SourceError, match="data=remote needs the interactions"):
        RemoteReader(items="memory://b/items.csv").fingerprint()
