"""``data=remote`` against a server that speaks S3, by Arrow's own client."""

from __future__ import annotations

import contextlib
import io
import socket
import threading
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.preparing import Preparation
from recsys.data.readers.remote import RemoteReader
from recsys.data.sources import remote_files
from recsys.errors import SourceError

pytestmark = pytest.mark.filterwarnings("ignore")  # those of the server


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Arguments of a URL that lead to a server of this process, with a bucket of ratings and items."""
    server_module = pytest.importorskip("moto.server", reason="moto, a stand-in of S3, is not installed")
    boto3 = pytest.importorskip("boto3")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "made-up")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        store = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
        store.create_bucket(Bucket="shop")
        for number, users in enumerate((["ann", "bob"], ["cy"])):
            file = io.BytesIO()
            pq.write_table(
                pa.table({"user_id": users, "item_id": ["7", "8"][: len(users)], "rating": [4.0] * len(users)}), file
            )
            store.put_object(Bucket="shop", Key=f"ratings/part-{number}.parquet", Body=file.getvalue())
        store.put_object(Bucket="shop", Key="ratings/_SUCCESS", Body=b"")
        store.put_object(Bucket="shop", Key="items.csv", Body=b"item_id,title\n7,Alien\n8,Big\n")
        yield f"?endpoint_override={host}:{port}&scheme=http&region=us-east-1"
    server.stop()


def test_a_bucket_is_prepared(endpoint, tmp_path):
    reader = RemoteReader(f"s3://shop/ratings/*.parquet{endpoint}", items=f"s3://shop/items.csv{endpoint}")
    prepared = Preparation(engine="memory").prepare(reader, tmp_path / "prepared")
    streamed = Preparation(engine="streaming").prepare(reader, tmp_path / "streamed")
    assert streamed.schema.content_hash == prepared.schema.content_hash
    assert prepared.user_vocabulary.ids.to_pylist() == ["ann", "bob", "cy"]
    assert (len(prepared.interactions), prepared.titles([0, 1])) == (3, ["Alien", "Big"])


def test_what_is_not_in_the_bucket_is_told(endpoint):
    for place in ("shop/nothing/", "another/"):
        with pytest.raises(SourceError, match=f"s3://{place}.* has no files. Correct the URL"):
            RemoteReader(f"s3://{place}{endpoint}").read()


def test_a_server_that_says_nothing_is_not_waited_for_long(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setattr(remote_files, "_SILENT_SECONDS", 0.2)
    monkeypatch.setattr(remote_files, "_S3_ATTEMPTS", 2)
    asked = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        threading.Thread(target=_accept, args=(silent, asked), daemon=True).start()
        with pytest.raises(SourceError, match="s3://shop/ratings/.* cannot be read: .*Correct it, or the access"):
            place = f"?endpoint_override=127.0.0.1:{silent.getsockname()[1]}&scheme=http&region=us-east-1"
            RemoteReader(f"s3://shop/ratings/{place}").read()
    assert len(asked) == 2


def _accept(silent: socket.socket, asked: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):  # it was closed
        while True:
            asked.append(silent.accept()[0])
