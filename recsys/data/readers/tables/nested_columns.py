"""Columns of objects, and of lists of objects, as plain columns."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

#: What the name of an object is called, the best first.
_NAMES = ("name", "title", "label", "value", "text", "id")

#: Objects inside each other that are laid flat.
_MAX_DEPTH = 3


def flatten_columns(columns: Mapping[str, pa.ChunkedArray]) -> tuple[dict[str, pa.ChunkedArray], list[str]]:
    """Lay objects flat: ``meta = {"year": 1990}`` becomes ``meta.year``, and ``[{"name": "War"}]`` becomes ``["War"]``.

    Of the objects in a list their name is taken: the field ``name``, ``title``, ``label``, ``value``, ``text`` or
    ``id``, or else the only field that holds text. Lists of other objects stay as they are.

    Args:
        columns: by name.

    Returns:
        All columns, in their order, and a sentence on each that was changed or cannot be used.
    """
    flat: dict[str, pa.ChunkedArray] = {}
    notes: list[str] = []
    for name, column in columns.items():
        if pa.types.is_struct(column.type):
            fields = {field: part for field, part in _fields(name, column).items() if field not in columns}
            flat |= fields
            notes.append(f"{name} holds objects, which are read as {', '.join(fields) or 'nothing, as they are empty'}")
        elif _is_list_of_objects(column.type):
            field = _name_field(column.type.value_type)
            flat[name] = column if field is None else _named(column, field)
            notes.append(
                f"{name} holds lists of objects, of which {field!r} is read"
                if field is not None
                else f"{name} holds lists of objects without a name, so it is no feature; write lists of text instead"
            )
        else:
            flat[name] = column
    return flat, notes


def _fields(name: str, column: pa.ChunkedArray, depth: int = 1) -> dict[str, pa.ChunkedArray]:
    fields: dict[str, pa.ChunkedArray] = {}
    for position in range(column.type.num_fields):
        field = column.type.field(position).name
        # Of a row without an object, the fields are null as well.
        values = pc.struct_field(column, [position])
        inner = f"{name}.{field}"
        if pa.types.is_struct(values.type) and depth < _MAX_DEPTH:
            fields |= _fields(inner, values, depth + 1)
        elif _is_list_of_objects(values.type) and (of_objects := _name_field(values.type.value_type)) is not None:
            fields[inner] = _named(values, of_objects)
        else:
            fields[inner] = values
    return fields


def _is_list_of_objects(type_: pa.DataType) -> bool:
    return (pa.types.is_list(type_) or pa.types.is_large_list(type_)) and pa.types.is_struct(type_.value_type)


def _name_field(objects: pa.StructType) -> str | None:
    fields = {objects.field(position).name: objects.field(position).type for position in range(objects.num_fields)}
    texts = [name for name, type_ in fields.items() if pa.types.is_string(type_) or pa.types.is_large_string(type_)]
    chosen = next((name for name in _NAMES if name in texts), None)
    if chosen is None and len(texts) == 1:
        return texts[0]
    if chosen is None:
        chosen = next((name for name in _NAMES if name in fields and pa.types.is_integer(fields[name])), None)
    return chosen


def _named(column: pa.ChunkedArray, field: str) -> pa.ChunkedArray:
    """One field of each object of lists, as lists of text."""
    lists = column.combine_chunks()
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int64()), pc.cumulative_sum(lengths.cast(pa.int64()))]).cast(
        pa.int32()
    )
    values = pc.struct_field(lists.flatten(), field).cast(pa.string())
    return pa.chunked_array([pa.ListArray.from_arrays(offsets, values, mask=lists.is_null())])
