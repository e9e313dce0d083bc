"""Readers of the single files of the UCSD Book Graph, which return the framework's columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.delimited import read_delimited
from recsys.data.readers.identifiers import ID_TYPE, as_identifiers
from recsys.data.readers.interaction_files import DelimitedInteractions, InteractionFile, JsonInteractions
from recsys.data.readers.json_lines import read_json_lines
from recsys.data.readers.lists import gather_lists
from recsys.data.readers.numbers import as_numbers
from recsys.data.readers.timestamps import as_seconds
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

BOOK_FEATURES = (
    FeatureColumn(TITLE, FeatureKind.TEXT),
    FeatureColumn("tags", FeatureKind.MULTI_VALUED),
    FeatureColumn("year", FeatureKind.NUMBER),
    FeatureColumn("num_pages", FeatureKind.NUMBER),
    FeatureColumn("language_code", FeatureKind.CATEGORICAL),
)

_NUM_TAGS = 20
#: Shelves that say what the user does with a book, not what the book is about.
_STATUS_SHELVES = (
    "to-read",
    "currently-reading",
    "read",
    "re-read",
    "favorites",
    "favourites",
    "owned",
    "i-own",
    "books-i-own",
    "owned-books",
    "to-buy",
    "wish-list",
    "my-books",
    "my-library",
    "library",
    "default",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def interactions_in_csv(file: RawFile, rated_only: bool) -> InteractionFile:
    """``goodreads_interactions.csv``: user, book and rating, without timestamps."""
    types = {"user_id": ID_TYPE, "book_id": ID_TYPE, "rating": pa.float32()}
    return DelimitedInteractions(file, types, (USER_ID, ITEM_ID, RATING), convert=partial(_rated, rated_only))


def interactions_in_json(file: RawFile, rated_only: bool) -> InteractionFile:
    """``goodreads_interactions_GENRE.json.gz``: user, book, rating and the time of the last change."""
    texts = ("user_id", "book_id", "date_updated", "date_added")
    required = ("user_id", "book_id", "rating", "date_updated")
    types = dict.fromkeys(texts, pa.string()) | {"rating": pa.float32()}
    return JsonInteractions(file, types, required, partial(_of_line, str(file), rated_only))


def _of_line(place: str, rated_only: bool, part: pa.Table) -> pa.Table:
    updated, added = (_seconds(part[name], name, place) for name in ("date_updated", "date_added"))
    columns = {
        USER_ID: as_identifiers(part["user_id"], "user_id", place),
        ITEM_ID: as_identifiers(part["book_id"], "book_id", place),
        RATING: part["rating"],
        TIMESTAMP: pc.coalesce(updated, added),
    }
    return _rated(rated_only, pa.table(columns))


def _rated(rated_only: bool, part: pa.Table) -> pa.Table:
    """The rated books of a part; or all of them, and no ratings."""
    return part.filter(pc.greater(part[RATING], 0)) if rated_only else part.drop_columns([RATING])


@dataclass(frozen=True, slots=True)
class TranslatedInteractions(InteractionFile):
    """Interactions of the CSV file with the book ids of the metadata.

    Args:
        file: the file.
        interactions: what is read from it.
        id_map: ``book_id_map.csv``, with a row for each book; it is in memory as a whole.
    """

    file: RawFile
    interactions: InteractionFile
    id_map: RawFile

    def read(self) -> pa.Table:
        """See :class:`.InteractionFile`."""
        return self._translated(self.interactions.read(), self._read_map())

    def empty(self) -> pa.Table:
        """See :class:`.InteractionFile`."""
        return self.interactions.empty()

    def batches(self) -> Iterator[pa.Table]:
        """See :class:`.InteractionFile`."""
        id_map = self._read_map()
        for batch in self.interactions.batches():
            translated = self._translated(batch, id_map)
            yield translated.cast(batch.schema)

    def _read_map(self) -> pa.Table:
        return read_delimited(self.id_map, {"book_id_csv": pa.string(), "book_id": pa.string()}).combine_chunks()

    def _translated(self, interactions: pa.Table, id_map: pa.Table) -> pa.Table:
        column = as_identifiers(interactions[ITEM_ID], ITEM_ID, str(self.file)).unify_dictionaries().combine_chunks()
        position = pc.index_in(column.dictionary, value_set=id_map["book_id_csv"])
        unknown = column.indices.filter(pc.is_null(position.take(column.indices)))
        if len(unknown):
            raise DataError(
                f"{self.id_map} has no book_id_csv {column.dictionary[unknown[0].as_py()].as_py()!r}, which the "
                "interactions have. Take files of one release."
            )
        books = id_map["book_id"].combine_chunks().take(position)
        translated = pa.DictionaryArray.from_arrays(column.indices, books)
        if position.null_count:  # of books without a rating, which no row has
            translated = translated.cast(pa.string()).dictionary_encode()
        return interactions.set_column(interactions.column_names.index(ITEM_ID), ITEM_ID, translated)


def read_books(file: RawFile) -> pa.Table:
    """``goodreads_books*.json.gz``: title, tags, year, number of pages, language and average rating."""
    shelves = pa.list_(pa.struct([("count", pa.string()), ("name", pa.string())]))
    texts = ("book_id", "title", "publication_year", "num_pages", "language_code", "average_rating")
    schema = pa.schema([*((name, pa.string()) for name in texts), ("popular_shelves", shelves)])

    def convert(part: pa.Table) -> pa.Table:
        language = part["language_code"]
        return pa.table(
            {
                ITEM_ID: part["book_id"],
                TITLE: part["title"],
                "tags": _tags(part["popular_shelves"].combine_chunks()),
                "year": as_numbers(part["publication_year"], "publication_year", str(file), pa.float64()),
                "num_pages": as_numbers(part["num_pages"], "num_pages", str(file), pa.float64()),
                "language_code": pc.if_else(pc.equal(language, ""), pa.scalar(None, pa.string()), language),
                "average_rating": as_numbers(part["average_rating"], "average_rating", str(file), pa.float64()),
            }
        )

    return read_json_lines(file, schema, ("book_id", "title"), convert)


def _tags(shelves: pa.ListArray) -> pa.ListArray:
    """The first names of each list, which is ordered by popularity, without status shelves."""
    rows = pc.list_parent_indices(shelves).to_numpy()
    names = pc.struct_field(pc.list_flatten(shelves), "name")
    kept = pc.invert(pc.is_in(names, value_set=pa.array(_STATUS_SHELVES))).to_numpy(zero_copy_only=False)
    rows, names = rows[kept], names.filter(pa.array(kept))
    first = np.searchsorted(rows, np.arange(len(shelves)))
    among_first = np.arange(len(rows)) - first[rows] < _NUM_TAGS
    return gather_lists(rows[among_first], names.filter(pa.array(among_first)), len(shelves))


def _seconds(column: pa.ChunkedArray, name: str, place: str) -> pa.ChunkedArray:
    """Dates such as ``Wed Mar 22 11:37:04 -0700 2017`` in seconds since 1970; empty ones become null."""
    pattern = r"^\w{3} (?P<month>\w{3}) (?P<day>\d{2}) (?P<time>\d{2}:\d{2}:\d{2}) (?P<zone>[+-]\d{4}) (?P<year>\d{4})$"
    parts = pc.extract_regex(column, pattern)
    month = pc.index_in(pc.struct_field(parts, "month"), value_set=pa.array(_MONTHS))
    number = pa.array([f"{number:02}" for number in range(1, 13)]).take(month.combine_chunks())
    unreadable = pc.and_(number.is_null(), pc.not_equal(column, ""))
    if pc.any(unreadable).as_py():
        bad = column.filter(unreadable)[0].as_py()
        raise DataError(
            f"{place}: field {name!r} must hold dates such as 'Wed Mar 22 11:37:04 -0700 2017', but has {bad!r}. "
            "Correct the value, or leave it empty if it is unknown."
        )
    field = {part: pc.struct_field(parts, part) for part in ("year", "day", "time", "zone")}
    date = pc.binary_join_element_wise(field["year"], pa.chunked_array([number]), field["day"], "-")
    return as_seconds(pc.binary_join_element_wise(date, "T", field["time"], field["zone"], ""), name, place)
