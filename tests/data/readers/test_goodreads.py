from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from recsys.data.raw import FeatureKind, RawDataset, Reader
from recsys.data.readers import goodreads
from recsys.data.readers.goodreads import GoodreadsReader
from recsys.errors import DataError, SourceError
from tests.data.readers.streamed import read_both
from tests.data.sources.http_files import Answer, serve


def _interaction(
    user: str, rating: int, updated: str, added: str = "Sat Jan 02 00:00:00 +0000 2010"
) -> dict[str, object]:
    return {
        "user_id": user,
        "book_id": "836610",
        "review_id": "x",
        "is_read": True,
        "rating": rating,
        "date_added": added,
        "date_updated": updated,
        "read_at": "",
    }


# date -d "2017-03-22T11:37:04-07:00" +%s is 1490207824; of 2010-01-01T00:00:00-08:00 1262332800
INTERACTIONS = [
    _interaction("00a", 5, "Wed Mar 22 11:37:04 -0700 2017"),
    _interaction("b", 0, "Fri Jan 01 00:00:00 -0800 2010"),
    _interaction("c", 3, ""),
    _interaction("d", 1, "", ""),
]
BOOKS = [
    {
        "book_id": "836610",
        "title": "Howl",
        "popular_shelves": [
            {"count": "9", "name": "to-read"},
            {"count": "3", "name": "poetry"},
            {"count": "2", "name": "classics"},
        ],
        "publication_year": "1956",
        "num_pages": "57",
        "average_rating": "4.1",
        "language_code": "eng",
        "authors": [{"author_id": "1"}],
    },
    {
        "book_id": "1",
        "title": "Nought",
        "popular_shelves": [{"count": "1", "name": f"s{number}"} for number in range(30)],
        "publication_year": "",
        "num_pages": "",
        "average_rating": "3.5",
        "language_code": "",
    },
]


def _lines(rows: list[dict[str, object]]) -> bytes:
    return gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.fixture
def poetry(tmp_path: Path) -> Path:
    (tmp_path / "goodreads_interactions_poetry.json.gz").write_bytes(_lines(INTERACTIONS))
    (tmp_path / "goodreads_books_poetry.json.gz").write_bytes(_lines(BOOKS))
    return tmp_path


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    (tmp_path / "goodreads_interactions.csv").write_text(
        "user_id,book_id,is_read,rating,is_reviewed\n0,948,1,5,0\n0,947,1,0,1\n1,948,0,2,0\n"
    )
    (tmp_path / "book_id_map.csv").write_text("book_id_csv,book_id\n947,1\n948,836610\n")
    (tmp_path / "goodreads_books.json.gz").write_bytes(_lines(BOOKS))
    return tmp_path


def _read(root: Path, **options: object) -> RawDataset:
    return read_both(GoodreadsReader(root / "cache", root=root, **options))  # type: ignore[arg-type]


def test_one_genre_has_rated_books_with_the_time_of_the_last_change(poetry: Path) -> None:
    dataset = _read(poetry)
    assert dataset.name == "goodreads_poetry"
    assert dataset.interactions.to_pylist() == [
        {"user_id": "00a", "item_id": "836610", "rating": 5.0, "timestamp": 1490207824},
        {"user_id": "c", "item_id": "836610", "rating": 3.0, "timestamp": 1262390400},  # the date of adding
        {"user_id": "d", "item_id": "836610", "rating": 1.0, "timestamp": None},
    ]


def test_unrated_books_count_without_ratings(poetry: Path) -> None:
    dataset = _read(poetry, rated_only=False)
    assert dataset.interactions.column_names == ["user_id", "item_id", "timestamp"]
    assert dataset.interactions.to_pylist()[1] == {"user_id": "b", "item_id": "836610", "timestamp": 1262332800}


def test_books(poetry: Path) -> None:
    dataset = _read(poetry)
    assert dataset.items is not None
    howl, nought = dataset.items.to_pylist()
    assert howl == {
        "item_id": "836610",
        "title": "Howl",
        "tags": ["poetry", "classics"],
        "year": 1956.0,
        "num_pages": 57.0,
        "language_code": "eng",
        "average_rating": 4.1,
    }
    assert nought["tags"] == [f"s{number}" for number in range(20)]
    assert (nought["year"], nought["num_pages"], nought["language_code"]) == (None, None, None)
    assert {column.name: column.kind for column in dataset.item_features} == {
        "title": FeatureKind.TEXT,
        "tags": FeatureKind.MULTI_VALUED,
        "year": FeatureKind.NUMBER,
        "num_pages": FeatureKind.NUMBER,
        "language_code": FeatureKind.CATEGORICAL,
    }
    assert _read(poetry, metadata=False).items is None


def test_all_genres_have_no_timestamps_and_translated_books(everything: Path) -> None:
    dataset = _read(everything, genre=None)
    assert dataset.name == "goodreads_all"
    assert dataset.interactions.to_pylist() == [
        {"user_id": "0", "item_id": "836610", "rating": 5.0},
        {"user_id": "1", "item_id": "836610", "rating": 2.0},
    ]
    assert dataset.items is not None
    assert dataset.items["item_id"].to_pylist() == ["836610", "1"]


def test_without_metadata_books_keep_their_numbers(everything: Path) -> None:
    dataset = _read(everything, genre=None, metadata=False)
    assert dataset.interactions["item_id"].to_pylist() == ["948", "948"]
    assert dataset.items is None


def test_books_without_the_map_are_refused(everything: Path) -> None:
    (everything / "book_id_map.csv").unlink()
    with pytest.raises(SourceError, match=r"book_id_map\.csv is needed to translate them.*data\.metadata=false"):
        _read(everything, genre=None)


def test_a_map_that_lacks_a_book_is_refused(everything: Path) -> None:
    (everything / "book_id_map.csv").write_text("book_id_csv,book_id\n947,1\n")
    with pytest.raises(DataError, match=r"book_id_map\.csv has no book_id_csv '948', which the interactions have"):
        _read(everything, genre=None)


@pytest.mark.parametrize("name", ["mine.json", "mine.csv"])
def test_a_file_under_any_name_is_read_by_its_suffix(tmp_path: Path, name: str) -> None:
    content = "user_id,book_id,rating\n1,2,3\n" if name.endswith("csv") else json.dumps(INTERACTIONS[0])
    (tmp_path / name).write_text(content)
    dataset = GoodreadsReader(tmp_path, root=tmp_path / name).read()
    assert len(dataset.interactions) == 1
    assert dataset.items is None


def test_only_unrated_books_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("user_id,book_id,rating\n1,2,0\n")
    with pytest.raises(DataError, match=r"has no rated books\. Set data\.rated_only=false"):
        GoodreadsReader(tmp_path, root=tmp_path / "mine.csv").read()


def test_other_dates_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(_interaction("a", 5, "2017-03-22")))
    with pytest.raises(DataError, match="field 'date_updated' must hold dates such as .*, but has '2017-03-22'"):
        GoodreadsReader(tmp_path, root=tmp_path / "mine.json").read()


def test_an_unknown_genre_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has the genres children, .*, or null for all; 'drama' is none of them"):
        GoodreadsReader(tmp_path, genre="drama")


def test_the_published_files_are_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as http:
        monkeypatch.setattr(goodreads, "_URL", http.url)
        http.answers["/byGenre/goodreads_interactions_poetry.json.gz"] = Answer(_lines(INTERACTIONS))
        http.answers["/byGenre/goodreads_books_poetry.json.gz"] = Answer(_lines(BOOKS))
        assert len(GoodreadsReader(tmp_path).read().interactions) == 3
        http.answers["/goodreads_interactions.csv"] = Answer(b"user_id,book_id,rating\n1,2,3\n")
        assert len(GoodreadsReader(tmp_path, genre=None, metadata=False).read().interactions) == 1


def test_the_fingerprint_tells_arguments_apart(poetry: Path) -> None:
    assert isinstance(GoodreadsReader(poetry), Reader)
    prints = [
        GoodreadsReader(poetry, **options).fingerprint()  # type: ignore[arg-type]
        for options in ({}, {"genre": None}, {"rated_only": False}, {"metadata": False}, {"root": poetry})
    ]
    assert all(one != other for index, one in enumerate(prints) for other in prints[:index])
