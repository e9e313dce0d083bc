"""Changes the text of an id column, once for each distinct id where the column is a dictionary."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

#: Changes N ids: strings in, as many strings or nulls out.
IdChange = Callable[[pa.Array], pa.Array]


def map_ids(table: pa.Table, name: str, change: IdChange) -> pa.Table:
    """A table with changed ids in one column; without such a column it stays as it is.

    Args:
        table: N rows.
        name: of the column, of strings or of a dictionary of strings; it stays what it is.
        change: gives the new ids; null makes an id a missing one.
    """
    if name not in table.column_names:
        return table  # which is told where columns are checked
    column = table[name]
    if pa.types.is_dictionary(column.type):
        chunks = [_changed_dictionary(chunk, change) for chunk in column.chunks]
        column = pa.chunked_array(chunks, pa.dictionary(pa.int32(), pa.string())).unify_dictionaries()
    else:
        column = pa.chunked_array([change(chunk) for chunk in column.chunks], column.type)
    return table.set_column(table.column_names.index(name), name, column)


def _changed_dictionary(chunk: pa.DictionaryArray, change: IdChange) -> pa.DictionaryArray:
    """Ids that become equal share an entry."""
    encoded = change(chunk.dictionary.cast(pa.string())).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(chunk.indices), encoded.dictionary)
