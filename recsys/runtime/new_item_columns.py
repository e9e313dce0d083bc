"""The columns of new items in the types that the catalogue has."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import RequestError

_TRUTH = {"true": True, "false": False}


def as_catalogue_columns(items: pa.Table, catalogue: pa.Table, separators: Mapping[str, str]) -> pa.Table:
    """Convert what says the same in another form.

    - a list where the catalogue has text with a separator: joined with it; a text where it has lists: a list of one;
    - dates as ISO 8601 text where the catalogue has dates, ``true`` and ``false`` where it has truth values;
    - numbers, dates and times in another width or unit.

    Args:
        items: a row for each new item.
        catalogue: the items that are there. Columns that it lacks are left as they are.
        separators: what divides the values of text columns that hold several, by their names.

    Raises:
        RequestError: a column cannot be converted.
    """
    for place, name in enumerate(items.column_names):
        if name not in catalogue.column_names:
            continue
        column, required = items.column(name), _plain(catalogue.schema.field(name).type)
        try:
            converted = _converted(column, required, separators.get(name))
        except (pa.ArrowException, KeyError) as error:
            raise RequestError(
                f"The column {name} of new items must be as in the bundle, of type {required}, but it is of type "
                f"{column.type} ({error}). Convert it."
            ) from error
        items = items.set_column(place, name, converted)
    return items


def _converted(column: pa.ChunkedArray, required: pa.DataType, separator: str | None) -> pa.ChunkedArray:
    given = _plain(column.type)
    column = column.cast(given) if given != column.type else column
    if given == required or pa.types.is_null(given) or pa.types.is_null(required):
        return column
    if _is_list(given) and _is_text(required) and separator is not None:
        lists = column.combine_chunks().cast(pa.list_(pa.string()))
        return pa.chunked_array([pc.binary_join(lists, separator)])
    if _is_text(given) and _is_list(required):
        texts = column.combine_chunks().cast(pa.string())
        offsets = pa.array(range(len(texts) + 1), pa.int32())
        return pa.chunked_array([pa.ListArray.from_arrays(offsets, texts, mask=texts.is_null()).cast(required)])
    if _is_text(given) and pa.types.is_boolean(required):
        values = [None if not text else _TRUTH[text.lower()] for text in column.to_pylist()]
        return pa.chunked_array([pa.array(values, pa.bool_())])
    if (_is_number(given) and _is_number(required)) or _is_list(given) or pa.types.is_temporal(required):
        return column.cast(required, safe=not pa.types.is_temporal(given))
    return column


def _plain(type_: pa.DataType) -> pa.DataType:
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _is_list(type_: pa.DataType) -> bool:
    return any(is_kind(type_) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _is_number(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_floating(type_)
