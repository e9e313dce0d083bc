from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from recsys.data.sources.checksum import Checksum
from recsys.data.sources.download import Download
from recsys.data.sources.layout import Layout
from recsys.data.sources.locate import Located, Publication, locate
from recsys.errors import SourceError
from tests.data.sources.http_files import Answer, HttpFiles

LAYOUT = Layout("csv", ("ratings.csv",), folders=("small",))


def _archive(content: bytes = b"1,2,3\n") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("small/ratings.csv"), content)
    return buffer.getvalue()


ARCHIVE = _archive()


def _download(http: HttpFiles, name: str = "small.zip", body: bytes = ARCHIVE) -> Download:
    return Download(f"{http.url}/{name}", Checksum("md5", hashlib.md5(body).hexdigest()))


def _locate(publications: list[Publication], cache: Path, root: Path | None = None) -> Located:
    return locate("small_data", [LAYOUT], publications, cache, root)


def _content(located: Located) -> bytes:
    with located.found["ratings.csv"].open() as stream:
        return stream.read()


def test_an_archive_is_downloaded_once_and_then_read_from_the_cache(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/small.zip"] = Answer(ARCHIVE)
    for _ in range(2):
        located = _locate([[_download(http)]], tmp_path / "cache")
        assert _content(located) == b"1,2,3\n"
        (source,) = located.sources
        assert source.name == "small.zip"
        assert source.sha256 == hashlib.sha256(ARCHIVE).hexdigest()
        assert source.origin == f"{http.url}/small.zip"
    assert http.requested == ["/small.zip"]
    assert (tmp_path / "cache" / "raw" / "small_data" / "small.zip").read_bytes() == ARCHIVE


def test_a_damaged_cache_is_fetched_anew(http: HttpFiles, tmp_path: Path) -> None:
    cached = tmp_path / "raw" / "small_data" / "small.zip"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(ARCHIVE[:50])
    http.answers["/small.zip"] = Answer(ARCHIVE)
    assert _content(_locate([[_download(http)]], tmp_path)) == b"1,2,3\n"
    assert cached.read_bytes() == ARCHIVE


def test_the_next_publication_is_tried_when_one_fails(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/other.whl"] = Answer(ARCHIVE)
    located = _locate([[_download(http)], [_download(http, "other.whl")]], tmp_path)
    assert located.sources[0].name == "other.whl"
    assert http.requested == ["/small.zip", "/other.whl"]


def test_any_cached_publication_comes_before_a_download(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/other.whl"] = Answer(ARCHIVE)
    publications: list[Publication] = [[_download(http)], [_download(http, "other.whl")]]
    _locate(publications, tmp_path)
    http.requested.clear()
    assert _locate(publications, tmp_path).sources[0].name == "other.whl"
    assert http.requested == []


def test_the_final_message_lists_what_was_tried_and_how_to_give_a_path(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/other.whl"] = Answer(ARCHIVE[:-20])
    with pytest.raises(SourceError) as caught:
        _locate([[_download(http)], [_download(http, "other.whl")]], tmp_path)
    cache = tmp_path / "raw" / "small_data"
    lines = str(caught.value).splitlines()
    assert lines[0] == "The raw files of small_data could not be found. Tried in this order:"
    assert lines[1] == f"  1. the cache: {cache} has no small.zip"
    assert lines[2] == f"  2. the cache: {cache} has no other.whl"
    assert lines[3] == f"  3. {http.url}/small.zip: the server answers 404 Not Found"
    assert lines[4].startswith(f"  4. {http.url}/other.whl: other.whl is not the file that was published")
    assert lines[5].endswith(
        "give its path: data.root=PATH, where PATH is the archive small.zip, or a directory with ratings.csv."
    )
    assert not list(cache.iterdir())


def test_several_plain_files_make_up_a_publication(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/ratings.csv"] = Answer(b"4,5,6\n")
    http.answers["/items.csv"] = Answer(b"7\n")
    layout = Layout("csv", ("ratings.csv",), optional=("items.csv",))
    publication = [Download(f"{http.url}/ratings.csv"), Download(f"{http.url}/items.csv")]
    located = locate("small_data", [layout], [publication], tmp_path)
    assert _content(located) == b"4,5,6\n"
    assert [source.name for source in located.sources] == ["items.csv", "ratings.csv"]
    http.answers.clear()
    assert _content(locate("small_data", [layout], [publication], tmp_path)) == b"4,5,6\n"


def test_only_the_missing_file_of_a_publication_is_fetched(http: HttpFiles, tmp_path: Path) -> None:
    http.answers["/ratings.csv"] = Answer(b"4,5,6\n")
    layout = Layout("csv", ("ratings.csv",), optional=("items.csv",))
    publication = [Download(f"{http.url}/ratings.csv"), Download(f"{http.url}/items.csv")]
    with pytest.raises(SourceError, match=r"2\. .*ratings\.csv and .*items\.csv: the server answers 404"):
        locate("small_data", [layout], [publication], tmp_path)
    http.answers["/items.csv"] = Answer(b"7\n")
    locate("small_data", [layout], [publication], tmp_path)
    assert http.requested == ["/ratings.csv", "/items.csv", "/items.csv"]


@pytest.mark.parametrize(
    "place", ["files", "files in a folder", "directory with archive", "archive", "renamed archive"]
)
def test_root_is_the_only_source(http: HttpFiles, tmp_path: Path, place: str) -> None:
    http.answers["/small.zip"] = Answer(_archive(b"from the web"))
    root = tmp_path / "own"
    root.mkdir()
    if place.startswith("files"):
        directory = root / "small" if "folder" in place else root
        directory.mkdir(exist_ok=True)
        (directory / "ratings.csv").write_bytes(b"1,2,3\n")
    else:
        name = "renamed.zip" if "renamed" in place else "small.zip"
        (root / name).write_bytes(ARCHIVE)
        if "directory" not in place:
            root = root / name
    located = _locate([[_download(http)]], tmp_path / "cache", root)
    assert _content(located) == b"1,2,3\n"
    assert located.sources[0].origin.startswith(str(tmp_path / "own"))
    assert http.requested == []
    assert not (tmp_path / "cache").exists()


def test_an_archive_under_its_published_name_must_have_its_checksum(http: HttpFiles, tmp_path: Path) -> None:
    (tmp_path / "small.zip").write_bytes(_archive(b"changed"))
    with pytest.raises(
        SourceError, match=r"data\.root=.* cannot be used: .*small\.zip is not the file that was published"
    ):
        _locate([[_download(http)]], tmp_path / "cache", tmp_path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "does not have these files; it has nothing"),
        (lambda path: path.write_bytes(b"x"), "is not a zip archive"),
    ],
)
def test_an_unusable_root_is_an_error_even_where_others_would_do(
    http: HttpFiles, tmp_path: Path, make: object, message: str
) -> None:
    http.answers["/small.zip"] = Answer(ARCHIVE)
    make(tmp_path / "own")  # type: ignore[operator]
    with pytest.raises(SourceError, match=message) as caught:
        _locate([[_download(http)]], tmp_path / "cache", tmp_path / "own")
    assert "Needed is the archive small.zip, or a directory with ratings.csv." in str(caught.value)
    assert http.requested == []
