from __future__ import annotations

import pickle
from collections.abc import Iterator

import fsspec
import pytest

from recsys.data.sources.remote_file import RemoteFile
from recsys.data.sources.remote_files import RemoteFiles
from recsys.errors import DataError, SourceError


@pytest.fixture
def files() -> Iterator[RemoteFiles]:
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pipe("b/r/0.parquet", b"12345")
    store.pipe("b/r/1.parquet", b"67")
    yield RemoteFiles.find("memory://b/r/*.parquet")
    store.store.clear()


def test_a_table_is_read_by_its_files_from_any_place_in_them(files: RemoteFiles) -> None:
    table = pickle.loads(pickle.dumps(RemoteFile.table(files)))
    assert (str(table), table.name, table.num_bytes()) == ("memory://b/r/*.parquet", "0.parquet", 4 * 7)
    first, second = table.shards()
    assert (str(second), second.name, second.num_bytes()) == ("memory://b/r/1.parquet", "1.parquet", 8)
    assert list(second.shards()) == [second]
    with first.open() as stream:
        stream.seek(3)
        assert stream.read() == b"45"


def test_a_file_that_went_away_is_told(files: RemoteFiles) -> None:
    fsspec.filesystem("memory").rm("b/r/1.parquet")
    with pytest.raises(
        SourceError, match=r"memory://b/r/1\.parquet has to stay as it is .* but was replaced or deleted"
    ):
        with RemoteFile.table(files).shards()[1].open():
            pass


@pytest.mark.parametrize("error", [DataError("it is damaged"), None])
def test_a_file_that_is_replaced_while_it_is_read_is_told(files: RemoteFiles, error: DataError | None) -> None:
    with pytest.raises(SourceError, match=r"memory://b/r/1\.parquet has to stay as it is .* Run the command again"):
        with RemoteFile.table(files).shards()[1].open():
            fsspec.filesystem("memory").pipe("b/r/1.parquet", b"another")
            if error is not None:
                raise error


def test_what_a_reader_says_of_a_file_that_stayed_is_told(files: RemoteFiles) -> None:
    with pytest.raises(DataError, match="it is damaged"), RemoteFile.table(files).shards()[1].open():
        raise DataError("it is damaged")
