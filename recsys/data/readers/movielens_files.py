"""The file formats of the MovieLens releases, each read into the same columns.

Interactions: ``user_id``, ``item_id``, ``rating`` (float32), ``timestamp`` (int64, seconds). Items: ``item_id``,
``title`` (without the year), ``year`` (int64, null where unknown), ``genres`` (list of strings) and, where the release
has tags, ``tags`` (list of strings). Users: ``user_id``, ``age``, ``gender``, ``occupation``, ``zip_code``, all as the
release writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from recsys.data.readers.delimited import read_delimited
from recsys.data.readers.identifiers import ID_TYPE
from recsys.data.readers.interaction_files import DelimitedInteractions, InteractionFile
from recsys.data.readers.lists import gather_lists, split_strings
from recsys.data.readers.titles import split_year
from recsys.data.sources.layout import FoundFiles
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

AGE, GENDER, OCCUPATION, ZIP_CODE = "age", "gender", "occupation", "zip_code"
YEAR, GENRES, TAGS = "year", "genres", "tags"

_NO_GENRES = "(no genres listed)"
#: The flags of u.item in their order, without the first, which stands for an unknown genre.
_FLAGS = (
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
_INTERACTION_TYPES = {USER_ID: ID_TYPE, ITEM_ID: ID_TYPE, RATING: pa.float32(), TIMESTAMP: pa.int64()}
_USER_COLUMNS = (USER_ID, AGE, GENDER, OCCUPATION, ZIP_CODE)


@dataclass(frozen=True, slots=True)
class MovieLensTables:
    """The tables of one release; ``users`` is None if the release has no user attributes."""

    interactions: InteractionFile
    items: pa.Table
    users: pa.Table | None = None


def read_100k(found: FoundFiles) -> MovieLensTables:
    """ML-100K as GroupLens publishes it: ``u.data``, ``u.item`` (Latin-1, one flag for each genre), ``u.user``."""
    interactions = DelimitedInteractions(
        found["u.data"],
        _INTERACTION_TYPES,
        list(_INTERACTION_TYPES),
        separator="\t",
        column_names=list(_INTERACTION_TYPES),
        quoted=False,
    )
    item_columns = [ITEM_ID, TITLE, "release_date", "video_release_date", "url", "unknown", *_FLAGS]
    types = {ITEM_ID: pa.string(), TITLE: pa.string()} | dict.fromkeys(_FLAGS, pa.int8())
    rows = read_delimited(
        found["u.item"], types, separator="|", column_names=item_columns, encoding="latin-1", quoted=False
    )
    title, year = split_year(rows[TITLE])
    flags = np.stack([rows[name].to_numpy() for name in _FLAGS], axis=1)
    item, genre = np.nonzero(flags)
    genres = gather_lists(item, pa.array(_FLAGS).take(pa.array(genre)), len(rows))
    users = read_delimited(
        found["u.user"],
        dict.fromkeys(_USER_COLUMNS, pa.string()),
        separator="|",
        column_names=list(_USER_COLUMNS),
        quoted=False,
    )
    return MovieLensTables(interactions, _items(rows[ITEM_ID], title, year, genres), users)


def read_100k_atomic(found: FoundFiles) -> MovieLensTables:
    """ML-100K as it is in the RecBole wheel: tab-separated with typed headers, the year in its own column."""
    headers = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    interactions = DelimitedInteractions(
        found["ml-100k.inter"],
        dict(zip(headers, _INTERACTION_TYPES.values(), strict=True)),
        list(_INTERACTION_TYPES),
        separator="\t",
        quoted=False,
    )
    rows = _read_atomic(
        found["ml-100k.item"],
        {
            "item_id:token": (ITEM_ID, pa.string()),
            "movie_title:token_seq": (TITLE, pa.string()),
            "release_year:token": (YEAR, pa.string()),
            "class:token_seq": (GENRES, pa.string()),
        },
    )
    # Two films differ from the original: the unknown one is misspelt, and one has "V" (for video) as its year.
    title = pc.replace_substring_regex(rows[TITLE], "^unkonwn$", "unknown")
    has_year = pc.match_substring_regex(rows[YEAR], r"^\d{4}$")
    shorter, year_in_title = split_year(title)
    year = pc.if_else(has_year, rows[YEAR], pa.scalar(None, pa.string())).cast(pa.int64())
    title = pc.if_else(has_year, title, shorter)
    items = _items(
        rows[ITEM_ID], title, pc.coalesce(year, year_in_title), split_strings(rows[GENRES], " ", missing="unknown")
    )
    users = _read_atomic(
        found["ml-100k.user"],
        {
            "user_id:token": (USER_ID, pa.string()),
            "age:token": (AGE, pa.string()),
            "gender:token": (GENDER, pa.string()),
            "occupation:token": (OCCUPATION, pa.string()),
            "zip_code:token": (ZIP_CODE, pa.string()),
        },
    )
    return MovieLensTables(interactions, items, users)


def read_1m(found: FoundFiles) -> MovieLensTables:
    """ML-1M: fields separated by ``::``, Latin-1."""
    users = _read_double_colon(found["users.dat"], (USER_ID, GENDER, AGE, OCCUPATION, ZIP_CODE), "latin-1")
    return MovieLensTables(
        _ratings_dat(found["ratings.dat"]),
        _items_from_text(_read_double_colon(found["movies.dat"], (ITEM_ID, TITLE, GENRES), "latin-1", TITLE)),
        users.select(_USER_COLUMNS),
    )


def read_10m(found: FoundFiles) -> MovieLensTables:
    """ML-10M: fields separated by ``::``, UTF-8, with tags."""
    items = _items_from_text(_read_double_colon(found["movies.dat"], (ITEM_ID, TITLE, GENRES), "utf-8", TITLE))
    tags = _read_double_colon(found["tags.dat"], (USER_ID, ITEM_ID, TAGS, TIMESTAMP), "utf-8", TAGS)
    return MovieLensTables(_ratings_dat(found["ratings.dat"]), _with_tags(items, tags[ITEM_ID], tags[TAGS]))


def read_csv(found: FoundFiles) -> MovieLensTables:
    """ML-20M and later: comma-separated with a header, with tags."""
    headers = ("userId", "movieId", "rating", "timestamp")
    interactions = DelimitedInteractions(
        found["ratings.csv"],
        dict(zip(headers, _INTERACTION_TYPES.values(), strict=True)),
        list(_INTERACTION_TYPES),
    )
    movies = read_delimited(found["movies.csv"], dict.fromkeys(("movieId", "title", "genres"), pa.string()))
    items = _items_from_text(movies.rename_columns([ITEM_ID, TITLE, GENRES]))
    tag_file = found.get("tags.csv")
    if tag_file is not None:
        tags = read_delimited(tag_file, dict.fromkeys(("movieId", "tag"), pa.string()))
        items = _with_tags(items, tags["movieId"], tags["tag"])
    return MovieLensTables(interactions, items)


def _read_atomic(file: RawFile, columns: dict[str, tuple[str, pa.DataType]]) -> pa.Table:
    types = {header: type_ for header, (_, type_) in columns.items()}
    table = read_delimited(file, types, separator="\t", quoted=False)
    return table.rename_columns([name for name, _ in columns.values()])


def _ratings_dat(file: RawFile) -> InteractionFile:
    """Ratings hold no colons, so the separator is a single colon, with an empty column between fields."""
    names = [USER_ID, "", ITEM_ID, "", RATING, "", TIMESTAMP]
    columns = [name or f"empty_{position}" for position, name in enumerate(names)]
    return DelimitedInteractions(
        file, _INTERACTION_TYPES, list(_INTERACTION_TYPES), separator=":", column_names=columns, quoted=False
    )


def _read_double_colon(file: RawFile, columns: Sequence[str], encoding: str, text: str | None = None) -> pa.Table:
    """Rows with the separator ``::``, all columns as strings; only the column ``text`` may contain colons."""
    with file.open() as stream:
        content = stream.read()
    try:
        decoded = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{file} must be text in {encoding}, but is not at byte {error.start + 1:,}.") from error
    # Not splitlines: titles in Latin-1 may hold characters that it takes for the end of a line.
    rows = pa.array(decoded.replace("\r\n", "\n").rstrip("\n").split("\n"))
    if len(rows) == 1 and rows[0].as_py() == "":
        raise DataError(f"{file} is empty; at least one row is needed. Check that it is the right file.")
    fields = (f"(?P<{column}>{'.*' if column == text else '[^:]*'})" for column in columns)
    parts = pc.extract_regex(rows, f"^{'::'.join(fields)}$")
    if parts.null_count:
        bad = pc.index(parts.is_null(), True).as_py()
        raise DataError(
            f"{file}: each row must have {len(columns)} fields divided by '::', but row {bad + 1:,} is "
            f"{rows[bad].as_py()[:200]!r}. Correct the row."
        )
    return pa.table({column: pc.struct_field(parts, column) for column in columns})


def _items_from_text(rows: pa.Table) -> pa.Table:
    """Items whose title ends in the year and whose genres are one string."""
    title, year = split_year(rows[TITLE])
    return _items(rows[ITEM_ID], title, year, split_strings(rows[GENRES], "|", missing=_NO_GENRES))


def _items(ids: pa.ChunkedArray, title: pa.ChunkedArray, year: pa.ChunkedArray, genres: pa.ListArray) -> pa.Table:
    return pa.table({ITEM_ID: ids, TITLE: title, YEAR: year, GENRES: genres})


def _with_tags(items: pa.Table, tagged: pa.ChunkedArray, tags: pa.ChunkedArray) -> pa.Table:
    """``items`` with each item's distinct tags in lower case, the most frequent first, ties in alphabetical order."""
    applied = pa.table(
        {
            "row": pc.index_in(tagged, value_set=items[ITEM_ID].combine_chunks()),
            "tag": pc.utf8_trim_whitespace(pc.utf8_lower(tags)),
        }
    )
    applied = applied.filter(pc.and_(pc.is_valid(applied["row"]), pc.not_equal(applied["tag"], "")))
    distinct = applied.group_by(["row", "tag"]).aggregate([([], "count_all")])
    distinct = distinct.sort_by([("row", "ascending"), ("count_all", "descending"), ("tag", "ascending")])
    rows = distinct["row"].to_numpy().astype(np.int64)
    return items.append_column(TAGS, gather_lists(rows, distinct["tag"].combine_chunks(), len(items)))
