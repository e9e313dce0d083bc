from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, Reader
from recsys.data.readers import amazon_reviews
from recsys.data.readers.amazon_reviews import RELEASES, AmazonReviewsReader
from recsys.errors import DataError, SourceError
from tests.data.readers.streamed import read_both
from tests.data.sources.http_files import Answer, serve

OLD_REVIEWS = [
    {"reviewerID": "A1", "asin": "0001", "overall": 5.0, "unixReviewTime": 1400457600, "reviewText": "x", "vote": "3"},
    {"reviewerID": "A2", "asin": "B2", "overall": 3, "unixReviewTime": 1400457601, "style": {"Size:": "L"}, "vote": 4},
]
NEW_REVIEWS = [
    {"user_id": "A1", "asin": "B9", "parent_asin": "0001", "rating": 5.0, "timestamp": 1588687728923, "images": []},
    {
        "user_id": "A2",
        "asin": "B2",
        "parent_asin": "B2",
        "rating": 4.0,
        "timestamp": 1588687728000,
        "images": [{"a": 1}],
    },
]


def _lines(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.name.endswith(".gz") else content)
    return path


def _read(tmp_path: Path, root: Path, **options: object) -> RawDataset:
    return read_both(AmazonReviewsReader(tmp_path / "cache", root=root, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("release", "name"),
    [("2014", "reviews_Beauty_5.json.gz"), ("2018", "Beauty.json.gz"), ("2018", "Beauty_5.json")],
)
def test_reviews_of_2014_and_2018(tmp_path: Path, release: str, name: str) -> None:
    _write(tmp_path / name, _lines(OLD_REVIEWS))
    dataset = _read(tmp_path, tmp_path, release=release, category="Beauty")
    assert dataset.name == f"amazon_{release}_{name.split('.')[0]}"
    assert dataset.interactions.to_pylist() == [
        {"user_id": "A1", "item_id": "0001", "rating": 5.0, "timestamp": 1400457600},
        {"user_id": "A2", "item_id": "B2", "rating": 3.0, "timestamp": 1400457601},
    ]
    assert (dataset.items, dataset.item_features) == (None, ())


def test_reviews_of_2023_have_milliseconds_and_parents(tmp_path: Path) -> None:
    _write(tmp_path / "All_Beauty.jsonl.gz", _lines(NEW_REVIEWS))
    assert _read(tmp_path, tmp_path).interactions.to_pylist() == [
        {"user_id": "A1", "item_id": "0001", "rating": 5.0, "timestamp": 1588687728, "subsecond_ns": 923_000_000},
        {"user_id": "A2", "item_id": "B2", "rating": 4.0, "timestamp": 1588687728, "subsecond_ns": 0},
    ]


@pytest.mark.parametrize(
    ("release", "name", "content", "seconds"),
    [
        ("2014", "ratings_Books.csv", b"U1,0001,5.0,1400457600\n", 1400457600),
        ("2018", "Books.csv", b"0001,U1,5.0,1400457600\n", 1400457600),
        ("2023", "Books.csv.gz", b"user_id,parent_asin,rating,timestamp\nU1,0001,5.0,1588687728923\n", 1588687728),
    ],
)
def test_ratings_only_files(tmp_path: Path, release: str, name: str, content: bytes, seconds: int) -> None:
    _write(tmp_path / name, content)
    expected = [{"user_id": "U1", "item_id": "0001", "rating": 5.0, "timestamp": seconds}]
    by_directory = _read(tmp_path, tmp_path, release=release, category="Books", ratings_only=True)
    by_file = _read(tmp_path, tmp_path / name, release=release)
    for dataset in (by_directory, by_file):
        finest = ["subsecond_ns"] if release == "2023" else []
        assert sorted(dataset.interactions.column_names) == ["item_id", "rating", *finest, "timestamp", "user_id"]
        assert dataset.interactions.select(["user_id", "item_id", "rating", "timestamp"]).to_pylist() == expected


def test_a_file_under_any_name_is_read_by_its_suffix(tmp_path: Path) -> None:
    path = _write(tmp_path / "mine.jsonl", _lines(NEW_REVIEWS))
    dataset = _read(tmp_path, path)
    assert dataset.name == "amazon_2023_mine"
    assert dataset.sources[0].origin == str(path)
    assert len(dataset.interactions) == 2


PRODUCTS_2023 = [
    {
        "parent_asin": "0001",
        "title": "Soap",
        "store": "Acme",
        "price": 9.99,
        "categories": ["Beauty", "Soap"],
        "main_category": "All",
    },
    {
        "parent_asin": "B2",
        "title": "",
        "store": None,
        "price": "from 14.99",
        "categories": [],
        "main_category": "All Beauty",
    },
    {"parent_asin": "B3", "price": None, "details": {"a": 1}},
    {"asin": "no parent"},
]


def test_products_of_2023(tmp_path: Path) -> None:
    _write(tmp_path / "All_Beauty.jsonl.gz", _lines(NEW_REVIEWS))
    _write(tmp_path / "meta_All_Beauty.jsonl.gz", _lines(PRODUCTS_2023))
    dataset = _read(tmp_path, tmp_path)
    assert dataset.items is not None
    assert dataset.items.to_pylist() == [
        {"item_id": "0001", "title": "Soap", "brand": "Acme", "price": 9.99, "categories": ["Beauty", "Soap"]},
        {"item_id": "B2", "title": None, "brand": None, "price": None, "categories": ["All Beauty"]},
        {"item_id": "B3", "title": None, "brand": None, "price": None, "categories": None},
    ]
    assert dataset.item_features == (
        FeatureColumn("title", FeatureKind.TEXT),
        FeatureColumn("brand", FeatureKind.CATEGORICAL),
        FeatureColumn("price", FeatureKind.NUMBER),
        FeatureColumn("categories", FeatureKind.MULTI_VALUED),
    )
    assert [source.name for source in dataset.sources] == ["All_Beauty.jsonl.gz", "meta_All_Beauty.jsonl.gz"]
    assert _read(tmp_path, tmp_path, metadata=False).items is None


def test_products_of_2018_and_2014(tmp_path: Path) -> None:
    _write(tmp_path / "Books.json.gz", _lines(OLD_REVIEWS))
    product = {"asin": "0001", "title": "T", "brand": "B", "price": "$1,005.50", "category": ["A", "B", "A"]}
    _write(tmp_path / "meta_Books.json.gz", _lines([product, {"asin": "2", "price": ".a-box-inner{}"}]))
    dataset = _read(tmp_path, tmp_path, release=2018, category="Books")
    assert dataset.items is not None
    assert dataset.items.to_pylist()[0] == {
        "item_id": "0001",
        "title": "T",
        "brand": "B",
        "price": 1005.5,
        "categories": ["A", "B"],
    }
    assert dataset.items["price"].to_pylist() == [1005.5, None]

    _write(tmp_path / "reviews_Toys.json.gz", _lines(OLD_REVIEWS))
    # Python literals, with nested categories
    line = b"{'asin': '0001', 'title': \"Child's\", 'price': 3, 'categories': [['Toys', 'Games'], ['Toys']]}\n"
    _write(tmp_path / "meta_Toys.json.gz", line)
    dataset = _read(tmp_path, tmp_path, release="2014", category="Toys")
    assert dataset.items is not None
    assert dataset.items.to_pylist() == [
        {"item_id": "0001", "title": "Child's", "brand": None, "price": 3.0, "categories": ["Toys", "Games"]}
    ]
    assert [column.name for column in dataset.item_features] == ["title", "price", "categories"]


def test_reviews_of_another_release_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "mine.jsonl", _lines(OLD_REVIEWS))
    with pytest.raises(DataError, match=r"no line has the fields 'user_id', 'parent_asin', 'rating', 'timestamp'"):
        _read(tmp_path, path)
    with pytest.raises(DataError, match="the releases 2014, 2018, 2023; 2020 is none of them"):
        AmazonReviewsReader(tmp_path, release=2020)


@pytest.mark.parametrize("category", ["../../x", "", "a/b", "All Beauty"])
def test_a_category_that_is_no_part_of_a_name_is_refused(tmp_path: Path, category: str) -> None:
    with pytest.raises(DataError, match="data.category is part of the names of files"):
        AmazonReviewsReader(tmp_path, category=category)


def test_metadata_of_another_release_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "All_Beauty.jsonl", _lines(NEW_REVIEWS))
    _write(tmp_path / "meta_All_Beauty.jsonl", _lines([{"asin": "1"}]))
    with pytest.raises(DataError, match="no line has the field 'parent_asin'"):
        _read(tmp_path, tmp_path)


def test_a_directory_without_the_category_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "Books.jsonl", _lines(NEW_REVIEWS))
    with pytest.raises(SourceError, match=r"it has Books\.jsonl\. Needed is a directory with All_Beauty\.jsonl\.gz or"):
        _read(tmp_path, tmp_path)


@pytest.mark.parametrize("ratings_only", [False, True])
def test_the_published_files_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ratings_only: bool
) -> None:
    with serve() as http:
        local = replace(
            RELEASES["2018"],
            reviews_url=f"{http.url}/reviews",
            ratings_url=f"{http.url}/ratings",
            products_url=f"{http.url}/products",
        )
        monkeypatch.setitem(amazon_reviews.RELEASES, "2018", local)
        http.answers["/reviews/Books.json.gz"] = Answer(gzip.compress(_lines(OLD_REVIEWS)))
        http.answers["/ratings/Books.csv"] = Answer(b"0001,A1,5.0,1\nB2,A2,3.0,2\n")
        http.answers["/products/meta_Books.json.gz"] = Answer(gzip.compress(b'{"asin": "B2", "title": "T"}\n'))
        dataset = AmazonReviewsReader(tmp_path, "2018", "Books", ratings_only=ratings_only).read()
    assert dataset.interactions["item_id"].to_pylist() == ["0001", "B2"]
    assert dataset.items is not None
    assert dataset.items["title"].to_pylist() == ["T"]
    assert all(source.origin.startswith("http://127.0.0.1") for source in dataset.sources)
    again = AmazonReviewsReader(tmp_path, "2018", "Books", ratings_only=ratings_only).read()
    assert again.interactions.equals(dataset.interactions)


def test_the_fingerprint_tells_arguments_apart(tmp_path: Path) -> None:
    reader = AmazonReviewsReader(tmp_path)
    assert isinstance(reader, Reader)
    prints = [
        AmazonReviewsReader(tmp_path, **options).fingerprint()  # type: ignore[arg-type]
        for options in ({}, {"release": 2018}, {"category": "Books"}, {"ratings_only": True}, {"metadata": False})
    ]
    assert all(one != other for index, one in enumerate(prints) for other in prints[:index])
    path = _write(tmp_path / "mine.jsonl", _lines(NEW_REVIEWS))
    files = AmazonReviewsReader(tmp_path, root=path).fingerprint()["files"]
    assert isinstance(files, list)
    assert files[0]["path"] == str(path)
