from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, Reader
from recsys.data.readers import movielens
from recsys.data.readers.movielens import RELEASES, MovieLensReader
from recsys.data.sources.checksum import Checksum
from recsys.data.sources.download import Download
from recsys.errors import DataError, SourceError
from tests.data.readers.streamed import read_both
from tests.data.sources.http_files import Answer, serve

FLAGS = 19


def _flags(*genres: int) -> str:
    return "|".join(str(int(number in genres)) for number in range(FLAGS))


OFFICIAL_100K = {
    "u.data": b"196\t242\t3\t881250949\n22\t007\t1\t878887116\n",
    "u.item": (
        f"242|Misérables, Les (1995)|01-Jan-1995||http://url|{_flags(8, 12)}\n"
        f"007|Land Before Time III: The Time (1995) (V)|01-Jan-1995||http://url|{_flags(3, 4)}\n"
        f"267|unknown||||{_flags(0)}\n"
    ).encode("latin-1"),
    "u.user": b"196|49|M|writer|55105\n22|25|M|writer|01002\n",
}
ATOMIC_100K = {
    "ml-100k.inter": (
        b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n22\t007\t1\t878887116\n"
    ),
    "ml-100k.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "242\tMisérables, Les\t1995\tDrama Musical\n"
        "007\tLand Before Time III: The Time (1995)\tV\tAnimation Children's\n"
        "267\tunkonwn\tunkonwn\tunknown\n"
    ).encode(),
    "ml-100k.user": (
        b"user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        b"196\t49\tM\twriter\t55105\n22\t25\tM\twriter\t01002\n"
    ),
}
DAT_1M = {
    "ratings.dat": b"1::1193::5::978300760\n1::661::3::978302109\n",
    "movies.dat": (
        "1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n"
        "661::Star Wars: Épisode :: IV (1977)::Action|Adventure|Children's\n"
    ).encode("latin-1"),
    "users.dat": b"1::F::1::10::48067\n2::M::56::16::01002-12\n",
}
DAT_10M = {
    "ratings.dat": b"1::122::5::838985046\n1::185::4.5::838983525\n",
    "movies.dat": "122::Boomerang (1992)::Comedy|Romance\n185::Nôto: Two (1995)::(no genres listed)\n".encode(),
    "tags.dat": b"15::122::excellent::1215184630\n16::122::a::b::1215184631\n17::122:: Excellent::1\n18::9::none::1\n",
}
CSV = {
    "ratings.csv": b"userId,movieId,rating,timestamp\n1,296,5.0,1147880044\n1,306,3.5,1147868817\n",
    "movies.csv": (
        b"movieId,title,genres\n296,Pulp Fiction (1994),Comedy|Crime\n"
        b'306,"Three Colors: Red (Trois couleurs, Rouge) (1994)",(no genres listed)\n'
    ),
    "tags.csv": (
        b"userId,movieId,tag,timestamp\n3,296,classic,1439472355\n3,296,sci-fi,1439472256\n4,296,Sci-Fi,1\n"
        b'5,296,"""artsy"", slow",2\n6,296,,3\n7,999,lost,4\n'
    ),
}


def _write(directory: Path, files: dict[str, bytes]) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name).write_bytes(content)
    return directory


def _zip(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), content)
    return buffer.getvalue()


def _read(tmp_path: Path, release: str, files: dict[str, bytes]) -> RawDataset:
    return read_both(MovieLensReader(release, tmp_path / "cache", _write(tmp_path / "root", files)))


def _items(dataset: RawDataset) -> list[dict[str, object]]:
    assert dataset.items is not None
    return dataset.items.to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("files", [OFFICIAL_100K, ATOMIC_100K], ids=["official", "atomic"])
def test_both_layouts_of_100k_give_the_same_columns(tmp_path: Path, files: dict[str, bytes]) -> None:
    dataset = _read(tmp_path, "100k", files)
    assert dataset.name == "movielens_100k"
    assert dataset.interactions.to_pylist() == [
        {"user_id": "196", "item_id": "242", "rating": 3.0, "timestamp": 881250949},
        {"user_id": "22", "item_id": "007", "rating": 1.0, "timestamp": 878887116},
    ]
    assert _items(dataset) == [
        {"item_id": "242", "title": "Misérables, Les", "year": 1995, "genres": ["Drama", "Musical"]},
        {
            "item_id": "007",
            "title": "Land Before Time III: The Time",
            "year": 1995,
            "genres": ["Animation", "Children's"],
        },
        {"item_id": "267", "title": "unknown", "year": None, "genres": []},
    ]
    assert dataset.users is not None
    assert dataset.users.to_pylist() == [
        {"user_id": "196", "age": "49", "gender": "M", "occupation": "writer", "zip_code": "55105"},
        {"user_id": "22", "age": "25", "gender": "M", "occupation": "writer", "zip_code": "01002"},
    ]
    id_type = pa.dictionary(pa.int32(), pa.string())
    assert dataset.interactions.schema.types == [id_type, id_type, pa.float32(), pa.int64()]
    assert dataset.items is not None
    assert dataset.items.schema.types == [pa.string(), pa.string(), pa.int64(), pa.list_(pa.string())]


def test_features_of_100k_are_declared(tmp_path: Path) -> None:
    dataset = _read(tmp_path, "100k", OFFICIAL_100K)
    assert dataset.item_features == (
        FeatureColumn("genres", FeatureKind.MULTI_VALUED),
        FeatureColumn("year", FeatureKind.NUMBER),
        FeatureColumn("title", FeatureKind.TEXT),
    )
    assert [(column.name, column.kind) for column in dataset.user_features] == [
        (name, FeatureKind.CATEGORICAL) for name in ("age", "gender", "occupation", "zip_code")
    ]


def test_1m(tmp_path: Path) -> None:
    dataset = _read(tmp_path, "1m", DAT_1M)
    assert dataset.interactions.to_pylist() == [
        {"user_id": "1", "item_id": "1193", "rating": 5.0, "timestamp": 978300760},
        {"user_id": "1", "item_id": "661", "rating": 3.0, "timestamp": 978302109},
    ]
    assert _items(dataset) == [
        {"item_id": "1193", "title": "One Flew Over the Cuckoo's Nest", "year": 1975, "genres": ["Drama"]},
        {
            "item_id": "661",
            "title": "Star Wars: Épisode :: IV",
            "year": 1977,
            "genres": ["Action", "Adventure", "Children's"],
        },
    ]
    assert dataset.users is not None
    assert dataset.users.to_pylist()[1] == {
        "user_id": "2",
        "age": "56",
        "gender": "M",
        "occupation": "16",
        "zip_code": "01002-12",
    }


def test_10m(tmp_path: Path) -> None:
    dataset = _read(tmp_path, "10m", DAT_10M)
    assert dataset.interactions["rating"].to_pylist() == [5.0, 4.5]
    assert _items(dataset) == [
        {
            "item_id": "122",
            "title": "Boomerang",
            "year": 1992,
            "genres": ["Comedy", "Romance"],
            "tags": ["excellent", "a::b"],
        },
        {"item_id": "185", "title": "Nôto: Two", "year": 1995, "genres": [], "tags": []},
    ]
    assert dataset.users is None
    assert dataset.user_features == ()


@pytest.mark.parametrize("release", ["20m", "25m", "32m", "latest_small"])
def test_csv_releases(tmp_path: Path, release: str) -> None:
    dataset = _read(tmp_path, release, CSV)
    assert dataset.name == f"movielens_{release}"
    assert dataset.interactions.to_pylist() == [
        {"user_id": "1", "item_id": "296", "rating": 5.0, "timestamp": 1147880044},
        {"user_id": "1", "item_id": "306", "rating": 3.5, "timestamp": 1147868817},
    ]
    # "sci-fi" was given twice; the others once, in the order of the alphabet
    assert _items(dataset) == [
        {
            "item_id": "296",
            "title": "Pulp Fiction",
            "year": 1994,
            "genres": ["Comedy", "Crime"],
            "tags": ["sci-fi", '"artsy", slow', "classic"],
        },
        {
            "item_id": "306",
            "title": "Three Colors: Red (Trois couleurs, Rouge)",
            "year": 1994,
            "genres": [],
            "tags": [],
        },
    ]
    assert dataset.item_features[-1] == FeatureColumn("tags", FeatureKind.MULTI_VALUED)


def test_csv_releases_do_without_tags(tmp_path: Path) -> None:
    dataset = _read(tmp_path, "25m", {name: CSV[name] for name in ("ratings.csv", "movies.csv")})
    assert "tags" not in _items(dataset)[0]
    assert "tags" not in [column.name for column in dataset.item_features]
    assert [source.name for source in dataset.sources] == ["movies.csv", "ratings.csv"]


def test_an_archive_is_read_in_place(tmp_path: Path) -> None:
    content = _zip("ml-25m", CSV)
    (tmp_path / "copy.zip").write_bytes(content)
    dataset = MovieLensReader("25m", tmp_path / "cache", tmp_path / "copy.zip").read()
    assert len(dataset.interactions) == 2
    assert dataset.sources[0].sha256 == hashlib.sha256(content).hexdigest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.zip"]


def test_the_published_archive_is_downloaded_and_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = _zip("ml-1m", DAT_1M)
    with serve() as http:
        http.answers["/ml-1m.zip"] = Answer(content)
        download = Download(f"{http.url}/ml-1m.zip", Checksum("md5", hashlib.md5(content).hexdigest()))
        monkeypatch.setitem(movielens.RELEASES, "1m", replace(RELEASES["1m"], publications=((download,),)))
        dataset = MovieLensReader("1m", tmp_path).read()
    assert dataset.sources[0].origin == download.url
    assert len(MovieLensReader("1m", tmp_path).read().interactions) == 2  # from the cache: the server is gone


def test_every_release_is_published_at_grouplens_and_100k_also_in_a_wheel() -> None:
    for release, published in RELEASES.items():
        (archive,) = published.publications[0]
        assert archive.origin == f"https://files.grouplens.org/datasets/movielens/ml-{release.replace('_', '-')}.zip"
        assert (archive.checksum is None) == (release == "latest_small")
    assert [len(published.publications) for published in RELEASES.values()] == [2, 1, 1, 1, 1, 1, 1]
    (wheel,) = RELEASES["100k"].publications[1]
    assert wheel.origin == "pip download recbole==1.2.1"
    assert wheel.checksum is not None
    assert wheel.checksum.algorithm == "sha256"


@pytest.mark.parametrize(
    ("release", "files", "name", "content", "message"),
    [
        (
            "100k",
            OFFICIAL_100K,
            "u.data",
            b"1\t2\tx\t4\n",
            r"u\.data: column 'rating' must hold numbers, but row 1 has 'x'",
        ),
        ("100k", OFFICIAL_100K, "u.item", b"1|a|b\n", r"u\.item: each row must have 24 fields, but row 1 has 3"),
        ("100k", OFFICIAL_100K, "u.user", b"", r"u\.user is empty"),
        ("100k", ATOMIC_100K, "ml-100k.inter", b"user_id\titem_id\n1\t2\n", r"must have the columns 'user_id:token'"),
        ("1m", DAT_1M, "ratings.dat", b"1::2::5\n", r"ratings\.dat: each row must have .*'1::2::5'"),
        ("1m", DAT_1M, "movies.dat", b"1::a::b\n2::c\n", r"must have 3 fields divided by '::', but row 2 is '2::c'"),
        ("1m", DAT_1M, "users.dat", b"", r"users\.dat is empty"),
        ("10m", DAT_10M, "movies.dat", b"1::\xff::b\n", r"movies\.dat must be text in utf-8, but is not at byte 4"),
        ("25m", CSV, "movies.csv", b"movieId,title\n1,a\n", r"movies\.csv must have the column 'genres'"),
        ("25m", CSV, "ratings.csv", CSV["ratings.csv"] + b"1,2,3\n", r"must have 4 fields, but row 3 has 3"),
    ],
)
def test_damaged_files_are_refused(
    tmp_path: Path, release: str, files: dict[str, bytes], name: str, content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _read(tmp_path, release, files | {name: content})


def test_another_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"does not have these files; it has ratings\.csv"):
        _read(tmp_path, "1m", {"ratings.csv": b""})


def test_an_unknown_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="MovieLens has the releases 100k, .*; '2m' is none of them"):
        MovieLensReader("2m", tmp_path)


def test_the_fingerprint_tells_releases_and_files_apart(tmp_path: Path) -> None:
    reader = MovieLensReader("25m", tmp_path / "cache", _write(tmp_path / "root", CSV))
    assert isinstance(reader, Reader)
    first = reader.fingerprint()
    assert MovieLensReader("25m", tmp_path / "elsewhere", tmp_path / "root").fingerprint() == first
    assert MovieLensReader("20m", tmp_path / "cache", tmp_path / "root").fingerprint() != first
    assert MovieLensReader("25m", tmp_path / "cache").fingerprint() != first
    os.utime(tmp_path / "root" / "tags.csv", ns=(1, 1))
    assert reader.fingerprint() != first
    with pytest.raises(SourceError, match="does not exist"):
        MovieLensReader("25m", tmp_path / "cache", tmp_path / "none").fingerprint()
