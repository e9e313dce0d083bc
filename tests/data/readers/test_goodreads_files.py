from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.data.readers.goodreads_files import (
    BOOK_FEATURES,
    TranslatedInteractions,
    interactions_in_csv,
    interactions_in_json,
    read_books,
)
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def write(tmp_path: Path, name: str, content: str) -> RawFile:
    (tmp_path / name).write_text(content, encoding="utf-8")
    return RawFile(tmp_path / name)


def lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def interaction(**fields: object) -> dict[str, object]:
    given = {"user_id": "u", "book_id": "1", "rating": 4, "date_updated": "Wed Mar 22 11:37:04 -0700 2017"}
    return given | fields


def test_csv_interactions_keep_the_ids_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", "user_id,book_id,is_read,rating,is_reviewed\n0,948,1,5,0\n1,7,0,0,0\n")
    assert interactions_in_csv(file, rated_only=True).read().to_pylist() == [
        {"user_id": "0", "item_id": "948", "rating": 5.0}
    ]
    assert interactions_in_csv(file, rated_only=False).read().to_pylist() == [
        {"user_id": "0", "item_id": "948"},
        {"user_id": "1", "item_id": "7"},
    ]


def test_dates_become_seconds(tmp_path: Path) -> None:
    # 22 March 2017, 11:37:04 at UTC-7 is 18:37:04 UTC.
    table = interactions_in_json(write(tmp_path, "a.json", lines(interaction())), rated_only=True).read()
    assert table["timestamp"].to_pylist() == [1_490_207_824]


def test_an_empty_date_of_change_falls_back_to_that_of_adding(tmp_path: Path) -> None:
    rows = lines(
        interaction(),
        interaction(date_updated="", date_added="Thu Jan 01 00:00:10 +0000 1970"),
        interaction(date_updated="", date_added=""),
    )
    table = interactions_in_json(write(tmp_path, "a.json", rows), rated_only=True).read()
    assert table["timestamp"].to_pylist()[1:] == [10, None]


def test_an_unreadable_date_is_shown(tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", lines(interaction(date_updated="2017-03-22")))
    with pytest.raises(DataError, match="field 'date_updated' must hold dates such as .*, but has '2017-03-22'"):
        interactions_in_json(file, rated_only=True).read()


def test_book_ids_are_translated_as_a_whole_and_in_batches(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", "user_id,book_id,rating\n0,948,5\n1,7,3\n3,12,0\n2,948,1\n")
    id_map = write(tmp_path, "map.csv", "book_id_csv,book_id\n7,70\n948,836610\n")
    translated = TranslatedInteractions(file, interactions_in_csv(file, rated_only=True), id_map)
    whole = translated.read()
    assert whole["item_id"].to_pylist() == ["836610", "70", "836610"]
    assert whole["item_id"].unify_dictionaries().chunk(0).dictionary.null_count == 0
    batches = list(translated.batches())
    assert [row for batch in batches for row in batch.to_pylist()] == whole.to_pylist()
    assert all(batch.schema == translated.empty().schema for batch in batches)


def test_a_book_that_the_map_lacks_is_told_where_a_row_has_it(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv", "user_id,book_id,rating\n0,948,5\n1,7,3\n")
    id_map = write(tmp_path, "map.csv", "book_id_csv,book_id\n7,70\n")
    translated = TranslatedInteractions(file, interactions_in_csv(file, rated_only=True), id_map)
    for read in (translated.read, lambda: list(translated.batches())):
        with pytest.raises(DataError, match=r"map\.csv has no book_id_csv '948', which the interactions have"):
            read()


def book(**fields: object) -> dict[str, object]:
    given = {"book_id": "1", "title": "Poems", "publication_year": "1994", "num_pages": "", "language_code": "eng"}
    return given | {"average_rating": "3.5", "popular_shelves": []} | fields


def test_the_fields_of_a_book(tmp_path: Path) -> None:
    shelves = [{"count": "9", "name": "to-read"}, {"count": "5", "name": "poetry"}, {"count": "2", "name": "war"}]
    rows = lines(book(popular_shelves=shelves), book(book_id="2", language_code="", publication_year=""))
    first, second = read_books(write(tmp_path, "books.json", rows)).to_pylist()
    assert first == {
        "item_id": "1",
        "title": "Poems",
        "tags": ["poetry", "war"],
        "year": 1994.0,
        "num_pages": None,
        "language_code": "eng",
        "average_rating": 3.5,
    }
    assert (second["language_code"], second["year"], second["tags"]) == (None, None, [])


def test_a_book_has_its_twenty_most_popular_tags(tmp_path: Path) -> None:
    names = ["to-read", *(f"tag{number}" for number in range(25))]
    shelves = [{"count": "1", "name": name} for name in names]
    table = read_books(write(tmp_path, "books.json", lines(book(popular_shelves=shelves))))
    assert table["tags"].to_pylist() == [[f"tag{number}" for number in range(20)]]


def test_the_average_rating_is_no_feature() -> None:
    assert [column.name for column in BOOK_FEATURES] == ["title", "tags", "year", "num_pages", "language_code"]
