"""Readers of the single files of the NCF protocol, which return the framework's columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from recsys.data.readers.delimited import read_delimited
from recsys.data.readers.identifiers import ID_TYPE, as_identifiers, as_strings
from recsys.data.readers.interaction_files import DelimitedInteractions
from recsys.data.readers.lists import split_strings
from recsys.data.readers.numbers import as_numbers
from recsys.data.readers.parquet import parquet_columns, read_parquet
from recsys.data.readers.required_columns import require_columns
from recsys.data.readers.tables.table_batches import TableBatches, parquet_table_batches
from recsys.data.readers.timestamps import as_seconds
from recsys.data.readers.titles import split_year
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

_USER_COLUMNS = {"user": USER_ID, "gender": "gender", "age": "age", "occupation": "occupation", "zipcode": "zip_code"}


def interactions_from_parquet(file: RawFile) -> pa.Table:
    """``train.parquet`` or ``test.parquet``: user and item, and rating and timestamp if the file has them."""
    table = read_parquet(file)
    require_columns(table.column_names, ("user", "item"), str(file))
    columns = {
        USER_ID: as_identifiers(table["user"], "user", str(file)),
        ITEM_ID: as_identifiers(table["item"], "item", str(file)),
    }
    if "rating" in table.column_names:
        columns[RATING] = as_numbers(table["rating"], "rating", str(file), decimal_comma=None)
    if "timestamp" in table.column_names:
        columns[TIMESTAMP] = as_seconds(table["timestamp"], "timestamp", str(file))
    return pa.table(columns)


def interactions_from_text(file: RawFile) -> pa.Table:
    """``NAME.train.rating`` or ``NAME.test.rating``: user, item, rating and timestamp, separated by tabs."""
    types = {USER_ID: ID_TYPE, ITEM_ID: ID_TYPE, RATING: pa.float32(), TIMESTAMP: pa.int64()}
    return read_delimited(file, types, separator="\t", column_names=list(types), quoted=False)


def batches_from_parquet(file: RawFile) -> TableBatches:
    """The table of :func:`interactions_from_parquet` in batches."""
    found = parquet_columns(file)
    require_columns(found, ("user", "item"), str(file))
    wanted = {USER_ID: "user", ITEM_ID: "item"} | {name: name for name in (RATING, TIMESTAMP) if name in found}
    return parquet_table_batches(file, wanted)


def batches_from_text(file: RawFile) -> DelimitedInteractions:
    """The table of :func:`interactions_from_text` in batches."""
    types = {USER_ID: pa.string(), ITEM_ID: pa.string(), RATING: pa.float32(), TIMESTAMP: pa.int64()}
    return DelimitedInteractions(file, types, list(types), "\t", list(types), quoted=False)


def negatives_from_parquet(file: RawFile, test: pa.Table) -> pa.Table:
    """``negatives.parquet``: a user and a list of items in each row.

    Returns:
        ``user_id`` and ``item_ids``.

    Raises:
        DataError: the lists do not fit the test interactions, or are not of one length.
    """
    table = read_parquet(file, ("user", "negatives"))
    lists = table["negatives"].combine_chunks()
    if not (pa.types.is_list(lists.type) or pa.types.is_large_list(lists.type)):
        raise DataError(f"{file}: column 'negatives' must hold lists of items, but is of type {lists.type}.")
    items = as_strings(pa.chunked_array([lists.flatten()]), "negatives", str(file)).combine_chunks()
    offsets = np.concatenate([[0], np.cumsum(pc.fill_null(pc.list_value_length(lists), 0).to_numpy())])
    users = as_strings(table["user"], "user", str(file)).combine_chunks()
    return _checked(users, pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items), test, str(file))


def negatives_from_text(file: RawFile, test: pa.Table) -> pa.Table:
    """``NAME.test.negative``: a test interaction as ``(user,item)`` and its negatives, separated by tabs.

    Returns:
        ``user_id`` and ``item_ids``.

    Raises:
        DataError: a row has another format, or the lists do not fit the test interactions or are not of one length.
    """
    with file.open() as stream:
        rows = pa.array(stream.read().decode("utf-8", errors="replace").rstrip("\n").replace("\r", "").split("\n"))
    parts = pc.extract_regex(rows, r"^\((?P<user>[^\t]*),\s*(?P<item>[^\t,]*)\)\t(?P<negatives>.*)$")
    if parts.null_count:
        bad = pc.index(parts.is_null(), True).as_py()
        raise DataError(
            f"{file}: each row must be '(user,item)' and its negatives, divided by tabs, but row {bad + 1:,} is "
            f"{rows[bad].as_py()[:100]!r}. Correct the row."
        )
    users, items = pc.struct_field(parts, "user"), pc.struct_field(parts, "item")
    pairs = [
        pc.binary_join_element_wise(user.cast(pa.string()), item.cast(pa.string()), "\t")
        for user, item in ((users, items), (test[USER_ID], test[ITEM_ID]))
    ]
    known = pc.is_in(pairs[0], value_set=pairs[1].combine_chunks())
    if not pc.all(known).as_py():
        bad = pc.index(known, False).as_py()
        raise DataError(
            f"{file}: each row must be of a test interaction, but the pair ({users[bad]}, {items[bad]}) of row "
            f"{bad + 1:,} is none. The files must be of one split."
        )
    negatives = split_strings(pa.chunked_array([pc.struct_field(parts, "negatives")]), "\t")
    return _checked(users, negatives, test, str(file))


def _checked(users: pa.Array, items: pa.ListArray, test: pa.Table, place: str) -> pa.Table:
    """The table of negatives, checked: each test user needs one row, and all rows the same number of negatives."""
    lengths = pc.list_value_length(items)
    shortest, longest = pc.min(lengths).as_py(), pc.max(lengths).as_py()
    if shortest != longest or shortest == 0:
        raise DataError(
            f"{place}: each user must have the same number of negatives, at least one, but they have from {shortest} "
            f"to {longest}. Take the files of one split, unchanged."
        )
    rows_of_user = pc.value_counts(users)
    several = rows_of_user.filter(pc.greater(rows_of_user.field("counts"), 1))
    if len(several):
        raise DataError(
            f"{place}: each user must have one row of negatives, but user {several[0]['values'].as_py()!r} has "
            f"{several[0]['counts']}. Take the files of one split, unchanged."
        )
    tested = pc.unique(test[USER_ID].cast(pa.string()))
    missing = tested.filter(pc.invert(pc.is_in(tested, value_set=users)))
    if len(missing):
        raise DataError(
            f"{place}: each test user must have negatives, but {len(missing):,} have none, the first of them "
            f"{missing[0].as_py()!r}. Take the files of one split, unchanged."
        )
    return pa.table({USER_ID: users, "item_ids": items})


def users_from_parquet(file: RawFile) -> pa.Table:
    """``users.parquet`` in the columns of MovieLens, all as text."""
    table = read_parquet(file, list(_USER_COLUMNS))
    return pa.table({name: as_strings(table[column], column, str(file)) for column, name in _USER_COLUMNS.items()})


def items_from_parquet(file: RawFile) -> pa.Table:
    """``items.parquet`` in the columns of MovieLens, with MovieLens' own id as ``movie_id``."""
    table = read_parquet(file, ("item", "movie_id", "title", "genres"))
    title, year = split_year(table["title"].cast(pa.string()))
    return pa.table(
        {
            ITEM_ID: as_strings(table["item"], "item", str(file)),
            "movie_id": as_strings(table["movie_id"], "movie_id", str(file)),
            TITLE: title,
            "year": year,
            "genres": split_strings(table["genres"], "|"),
        }
    )
