from __future__ import annotations

import gzip
import hashlib
import io
import socket
import time
from pathlib import Path

import pytest
from rich.console import Console

from recsys.data.sources import download
from recsys.data.sources.checksum import Checksum
from recsys.data.sources.download import Download
from recsys.errors import SourceError
from tests.data.sources.http_files import Answer, HttpFiles

BODY = b"some bytes " * 1000
CHECKSUM = Checksum("md5", hashlib.md5(BODY).hexdigest())


def _fails(url: str, target: Path, message: str, checksum: Checksum | None = CHECKSUM) -> None:
    with pytest.raises(SourceError, match=message):
        Download(url, checksum).fetch(target)
    assert not target.exists()
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


def test_fetches_a_file_under_its_name(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/data/file.bin"] = Answer(BODY)
    fetched = Download(f"{http.url}/data/file.bin", CHECKSUM)
    assert fetched.filename == "file.bin"
    assert fetched.origin == f"{http.url}/data/file.bin"
    fetched.fetch(tmp_path / "cache" / "file.bin")
    assert (tmp_path / "cache" / "file.bin").read_bytes() == BODY


def test_follows_a_redirection(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/old"] = Answer(status=302, headers={"Location": f"{http.url}/new"})
    http.answers["/new"] = Answer(BODY)
    Download(f"{http.url}/old", CHECKSUM).fetch(tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_a_truncated_download_is_not_kept(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.bin"] = Answer(BODY[:5000], announced_length=len(BODY))
    _fails(f"{http.url}/file.bin", tmp_path / "file.bin", "broke off", checksum=None)


def test_another_checksum_is_refused(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.bin"] = Answer(BODY + b"!")
    _fails(
        f"{http.url}/file.bin", tmp_path / "file.bin", r"file\.bin is not the file that was published: its md5 must be"
    )


def test_a_refused_download_keeps_the_file_that_was_there(http: HttpFiles, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(b"old")
    http.answers["/file.bin"] = Answer(BODY + b"!")
    with pytest.raises(SourceError):
        Download(f"{http.url}/file.bin", CHECKSUM).fetch(tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == b"old"


@pytest.mark.parametrize(("status", "message"), [(404, "the server answers 404 Not Found"), (503, "answers 503")])
def test_an_error_of_the_server_is_told(http: HttpFiles, tmp_path: Path, status: int, message: str) -> None:
    http.answers["/file.bin"] = Answer(b"sorry", status=status)
    _fails(f"{http.url}/file.bin", tmp_path / "file.bin", message)


def test_a_closed_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as reserved:  # bound but not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        _fails(f"http://127.0.0.1:{port}/file.bin", tmp_path / "file.bin", "no connection: .*refused")


def test_an_unknown_host_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    _fails("http://host.invalid/file.bin", tmp_path / "file.bin", "no connection: .*Name or service not known")


def test_a_host_that_accepts_but_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = download.READ_TIMEOUT_SECONDS
    monkeypatch.setattr(download, "READ_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file.bin"
        _fails(url, tmp_path / "file.bin", "the connection broke: timed out|no connection: timed out")
        assert time.monotonic() - begin < usual


def test_an_unreachable_host_is_given_up_after_the_connect_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[object] = []

    def never_connects(address: object, timeout: object = None, *rest: object) -> socket.socket:
        waited.append(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", never_connects)
    _fails("http://10.255.255.1/file.bin", tmp_path / "file.bin", "no connection: timed out")
    assert waited == [download.CONNECT_TIMEOUT_SECONDS]


def test_https_is_verified(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.bin"] = Answer(BODY)
    _fails(http.url.replace("http:", "https:") + "/file.bin", tmp_path / "file.bin", "no connection: .*SSL")


def test_without_checksum_the_announced_length_is_enough(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.csv"] = Answer(b"a,b\n1,2\n")
    Download(f"{http.url}/file.csv").fetch(tmp_path / "file.csv")
    assert (tmp_path / "file.csv").read_bytes() == b"a,b\n1,2\n"


def test_without_checksum_and_length_a_file_cannot_be_trusted(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.csv"] = Answer(b"a,b\n1,2\n", announced_length=None)
    _fails(f"{http.url}/file.csv", tmp_path / "file.csv", "does not say how long the file is", checksum=None)


def test_without_checksum_and_length_a_whole_gzip_file_is_enough(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.gz"] = Answer(gzip.compress(BODY), announced_length=None)
    Download(f"{http.url}/file.gz").fetch(tmp_path / "file.gz")
    assert gzip.decompress((tmp_path / "file.gz").read_bytes()) == BODY


def test_without_checksum_a_gzip_file_must_be_whole(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.gz"] = Answer(gzip.compress(BODY)[:-10])  # of the announced length, and yet incomplete
    _fails(f"{http.url}/file.gz", tmp_path / "file.gz", "damaged or incomplete", checksum=None)


def test_a_web_page_instead_of_an_archive_is_refused(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/file.zip"] = Answer(b"<html>please log in</html>")
    _fails(f"{http.url}/file.zip", tmp_path / "file.zip", "not a zip file", checksum=None)


def test_progress_is_shown_on_a_terminal(http: HttpFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(download, "Console", lambda stderr: Console(file=screen, force_terminal=True))
    http.answers["/file.bin"] = Answer(BODY)
    Download(f"{http.url}/file.bin", CHECKSUM).fetch(tmp_path / "file.bin")
    assert "file.bin" in screen.getvalue()
    assert (tmp_path / "file.bin").read_bytes() == BODY
