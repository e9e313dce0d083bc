from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.readers.movielens_files import read_1m, read_10m, read_100k, read_100k_atomic, read_csv
from recsys.data.sources.layout import FoundFiles
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def found(tmp_path: Path, **contents: str | bytes) -> FoundFiles:
    """The files, whose names have "_" in place of "."; text is written in Latin-1."""
    files = {}
    for key, content in contents.items():
        name = key.replace("_", ".", 1)
        (tmp_path / name).write_bytes(content.encode("latin-1") if isinstance(content, str) else content)
        files[name] = RawFile(tmp_path / name)
    return FoundFiles("toy", files)


def flags(*ones: int) -> str:
    return "|".join("1" if place in ones else "0" for place in range(19))


def test_100k_has_a_flag_for_each_genre(tmp_path: Path) -> None:
    # The first of the 19 flags is "unknown"; 1 is Action and 18 is Western.
    items = f"1|Café (1995)|01-Jan-1995||url|{flags(1, 18)}\n2|unknown||||{flags(0)}\n"
    tables = read_100k(found(tmp_path, u_data="7\t1\t4\t880000000\n", u_item=items, u_user="7|24|M|technician|01002\n"))
    assert tables.interactions.read().to_pylist() == [
        {"user_id": "7", "item_id": "1", "rating": 4.0, "timestamp": 880000000}
    ]
    assert tables.items.to_pylist() == [
        {"item_id": "1", "title": "Café", "year": 1995, "genres": ["Action", "Western"]},
        {"item_id": "2", "title": "unknown", "year": None, "genres": []},
    ]
    assert tables.users is not None
    assert tables.users.to_pylist() == [
        {"user_id": "7", "age": "24", "gender": "M", "occupation": "technician", "zip_code": "01002"}
    ]


def test_the_atomic_files_are_mended_where_they_differ(tmp_path: Path) -> None:
    items = (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "1\tHeat\t1995\tAction Crime\n267\tunkonwn\t\tunknown\n1412\tLand Before Time III (1995)\tV\tAnimation\n"
    )
    inter = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\t1\t4\t880000000\n"
    user = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n7\t24\tM\twriter\t01002\n"
    files = {}
    for name, content in (("inter", inter), ("item", items), ("user", user)):
        (tmp_path / f"ml-100k.{name}").write_text(content, encoding="utf-8")
        files[f"ml-100k.{name}"] = RawFile(tmp_path / f"ml-100k.{name}")
    tables = read_100k_atomic(FoundFiles("atomic", files))
    assert tables.items.select(["title", "year", "genres"]).to_pylist() == [
        {"title": "Heat", "year": 1995, "genres": ["Action", "Crime"]},
        {"title": "unknown", "year": None, "genres": []},
        {"title": "Land Before Time III", "year": 1995, "genres": ["Animation"]},
    ]
    assert tables.interactions.read()["timestamp"].type == pa.int64()


def test_1m_reorders_the_columns_of_users(tmp_path: Path) -> None:
    tables = read_1m(
        found(
            tmp_path,
            ratings_dat="1::1193::5::978300760\n",
            movies_dat="1193::Star Wars: Episode IV (1977)::Action|Sci-Fi\n5::Nothing::(no genres listed)\n",
            users_dat="1::F::1::10::48067\r\n",
        )
    )
    assert tables.interactions.read()["rating"].to_pylist() == [5.0]
    assert tables.items.to_pylist() == [
        {"item_id": "1193", "title": "Star Wars: Episode IV", "year": 1977, "genres": ["Action", "Sci-Fi"]},
        {"item_id": "5", "title": "Nothing", "year": None, "genres": []},
    ]
    assert tables.users is not None
    assert tables.users.to_pylist() == [
        {"user_id": "1", "age": "1", "gender": "F", "occupation": "10", "zip_code": "48067"}
    ]


def test_tags_are_lower_case_the_most_frequent_first(tmp_path: Path) -> None:
    # "b" twice and "a", "c" once for item 1; item 9 is not in the catalogue; a blank tag does not count.
    tags = "1::1::B::5\n2::1:: b ::6\n2::1::c::6\n2::1::a::6\n2::9::x::6\n2::1:: ::6\n"
    tables = read_10m(
        found(tmp_path, ratings_dat="1::1::3.5::5\n", movies_dat="1::One (1990)::War\n2::Two::War\n", tags_dat=tags)
    )
    assert tables.users is None
    assert tables.items["tags"].to_pylist() == [["b", "a", "c"], []]
    assert tables.interactions.read()["rating"].to_pylist() == [3.5]


def test_csv_files_may_lack_tags(tmp_path: Path) -> None:
    files = {
        "ratings_csv": "userId,movieId,rating,timestamp\n1,2,4.5,10\n",
        "movies_csv": 'movieId,title,genres\n2,"Hello, Dolly (1969)",Musical\n',
    }
    tables = read_csv(found(tmp_path, **files))
    assert tables.items.to_pylist() == [{"item_id": "2", "title": "Hello, Dolly", "year": 1969, "genres": ["Musical"]}]
    tagged = read_csv(found(tmp_path, **files, tags_csv="userId,movieId,tag,timestamp\n1,2,Fun,10\n"))
    assert tagged.items["tags"].to_pylist() == [["fun"]]


@pytest.mark.parametrize(
    ("movies", "message"),
    [
        (b"", "movies.dat is empty; at least one row is needed"),
        (b"1::One::War\n2::Two\n", "each row must have 3 fields divided by '::', but row 2 is '2::Two'"),
        (b"1::\xff::War\n", "movies.dat must be text in utf-8, but is not at byte 4"),
    ],
)
def test_bad_rows_are_refused_with_their_place(tmp_path: Path, movies: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_10m(found(tmp_path, ratings_dat="1::1::3::5\n", movies_dat=movies, tags_dat="1::1::a::5\n"))
