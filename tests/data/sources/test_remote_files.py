from __future__ import annotations

import fsspec
import pytest

from recsys.data.sources.remote_files import RemoteFiles
from recsys.errors import SourceError


@pytest.fixture
def store():
    """An object store in memory."""
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    for path in ("b/r/part-1.parquet", "b/r/part-0.parquet", "b/r/deep/part-2.parquet", "b/r/_SUCCESS", "b/one.csv"):
        filesystem.pipe(path, path.encode())
    yield filesystem
    filesystem.store.clear()


@pytest.mark.parametrize(
    ("url", "paths"),
    [
        ("memory://b/one.csv", ["b/one.csv"]),
        ("memory://b/r", ["b/r/deep/part-2.parquet", "b/r/part-0.parquet", "b/r/part-1.parquet"]),
        ("memory://b/r/*.parquet", ["b/r/part-0.parquet", "b/r/part-1.parquet"]),
        ("memory://b/r/*/*.parquet", ["b/r/deep/part-2.parquet"]),
    ],
)
def test_the_files_of_a_url_are_in_the_order_of_their_paths(store, url, paths):
    found = RemoteFiles.find(url)
    assert found.paths == paths
    assert [size for _, size, _ in found.files] == [len(path) for path in paths]
    with found.open(paths[0]) as stream:
        assert stream.read() == paths[0].encode()


@pytest.mark.parametrize("url", ["memory://b/no", "memory://b/r/*.csv"])
def test_where_nothing_is_there_it_is_said(store, url):
    with pytest.raises(SourceError, match="has no files. Correct the URL"):
        RemoteFiles.find(url)


@pytest.mark.parametrize("url", ["ratings.csv", "https://host/ratings.csv", "file:///ratings.csv", "s3:///x"])
def test_what_is_no_object_store_is_refused(url):
    with pytest.raises(SourceError, match="data=remote reads object stores"):
        RemoteFiles.find(url)


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/x", "s3://bucket/x?secret_key=secret"])
def test_keys_in_a_url_are_refused_and_not_repeated(url):
    with pytest.raises(SourceError, match="must have no keys") as refused:
        RemoteFiles.find(url)
    assert "secret@" not in str(refused.value) and "=secret" not in str(refused.value)


def test_a_scheme_without_a_library_is_told():
    with pytest.raises(SourceError, match="nosuch://bucket/x cannot be read: .*nosuch"):
        RemoteFiles.find("nosuch://bucket/x")
