"""Chooses the feature columns of a user's own tables and their kinds: as declared, or inferred from their types."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import TITLE
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.date_order import AmbiguousDatesError
from recsys.data.readers.numbers import as_numbers
from recsys.data.readers.tables.list_texts import parse_lists
from recsys.data.readers.tables.text_dates import parse_dates
from recsys.errors import DataError

#: A kind by its name, or ``{"kind": ..., "separator": ...}``.
Declaration = str | Mapping[str, str | None]

#: A column of strings is categorical if its values occur at least this many times on average, and text otherwise.
_MIN_OCCURRENCES = 2

#: May be declared for text of dates; they are numbers to models.
_DATE = "date"
_MAX_CATEGORIES = 10_000

#: Types of what models read as a number.
_NUMBERS = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
)


_NO_SEPARATORS: Mapping[str, str] = MappingProxyType({})


def infer_features(
    table: pa.Table, id_column: str, separators: Mapping[str, str] = _NO_SEPARATORS
) -> tuple[FeatureColumn, ...]:
    """The kind of each column by its type and values.

    - text with one of the ``separators``: multi-valued;
    - lists of strings, integers or truth values: multi-valued;
    - numbers, dates and times: number;
    - truth values: categorical;
    - strings: text for the column ``title``; otherwise categorical if there are at most 10,000 distinct values that
      occur at least twice on average, and text if not;
    - anything else (nested data, lists of fractions), the ids, and columns without a value: no feature.

    Args:
        table: users or items.
        id_column: the column of ids.
        separators: what divides the values of text columns that hold several, by their names.
    """
    features = []
    for name in table.column_names:
        if name in separators:
            features.append(FeatureColumn(name, FeatureKind.MULTI_VALUED, separators[name]))
        elif name != id_column and (kind := _infer(table[name], name)) is not None:
            features.append(FeatureColumn(name, kind))
    return tuple(features)


def _infer(column: pa.ChunkedArray, name: str) -> FeatureKind | None:
    present = len(column) - column.null_count
    if present == 0:
        return None
    if _is_list(column.type):
        return FeatureKind.MULTI_VALUED
    if pa.types.is_boolean(column.type):
        return FeatureKind.CATEGORICAL
    if any(is_type(column.type) for is_type in _NUMBERS):
        return FeatureKind.NUMBER
    if not pa.types.is_string(column.type):
        return None
    if name == TITLE:
        return FeatureKind.TEXT
    distinct = pc.count_distinct(column).as_py()
    few = distinct <= _MAX_CATEGORIES and distinct * _MIN_OCCURRENCES <= present
    return FeatureKind.CATEGORICAL if few else FeatureKind.TEXT


def declare_features(
    table: pa.Table,
    declared: Mapping[str, Declaration],
    id_column: str,
    place: str,
    option: str,
    day_first: bool | None = None,
) -> tuple[pa.Table, tuple[FeatureColumn, ...]]:
    """The declared features, and the table with their columns converted to types that fit.

    Args:
        table: users or items.
        declared: columns and their kinds.
        id_column: the column of ids, which is not a feature.
        place: the file that the table is from, for messages.
        option: name of the setting, for messages, such as ``data.item_features``.
        day_first: whether the day comes before the month in dates such as 03/04/2024; None to find out.

    Raises:
        DataError: a column does not exist, a kind is none of :class:`recsys.data.raw.FeatureKind`, or a column cannot
            be of its kind.
    """
    features = []
    for name, declaration in declared.items():
        given = {"kind": declaration} if isinstance(declaration, str) else dict(declaration)
        kinds = {kind.value: kind for kind in FeatureKind} | {_DATE: FeatureKind.NUMBER}
        kind = kinds.get(given.get("kind") or "")
        if kind is None or set(given) - {"kind", "separator"}:
            raise DataError(
                f"{option}.{name} must be one of {', '.join(kinds)}, or {{kind: ..., separator: ...}}, but is "
                f"{declaration!r}."
            )
        if name not in table.column_names or name == id_column:
            raise DataError(
                f"{option} declares the column {name!r}, but {place} has the columns "
                f"{', '.join(repr(column) for column in table.column_names if column != id_column) or 'none'}. "
                "Correct the name."
            )
        column = table[name]
        # Lists need no separator: what the user wants is there already.
        separated = kind is not FeatureKind.MULTI_VALUED or not _is_list(column.type)
        feature = FeatureColumn(name, kind, given.get("separator") if separated else None)
        if given.get("kind") == _DATE and not pa.types.is_temporal(column.type):
            column = _as_dates(column, name, place, option, day_first)
        column = _as_kind(column, feature, place, option)
        table = table.set_column(table.column_names.index(name), name, column)
        features.append(feature)
    return table, tuple(features)


def _as_kind(column: pa.ChunkedArray, feature: FeatureColumn, place: str, option: str) -> pa.ChunkedArray:
    if feature.separator is not None and feature.kind is not FeatureKind.MULTI_VALUED:
        raise DataError(f"{option}.{feature.name} is {feature.kind}, and only multi_valued columns have a separator.")
    if feature.kind is FeatureKind.NUMBER:
        if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            return column
        return as_numbers(column, feature.name, place, pa.float64(), decimal_comma=None)
    if feature.kind is FeatureKind.MULTI_VALUED and feature.separator is None:
        if pa.types.is_string(column.type) and (lists := parse_lists(column)) is not None:
            return lists
        if not _is_list(column.type):
            if not pa.types.is_string(column.type):
                raise DataError(
                    f"{option}.{feature.name} is multi_valued, so {place} must have lists of text or numbers there, "
                    f"but the column is of type {column.type}. Convert it, or leave it out."
                )
            raise DataError(
                f"{option}.{feature.name} is multi_valued, so {place} must have lists there or a separator must be "
                f"given, but the column is of type {column.type}. Declare it as "
                f"{{kind: multi_valued, separator: '|'}} with the separator that the file uses."
            )
        return column.cast(pa.list_(pa.string()))
    try:
        return column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"{option}.{feature.name} is {feature.kind}, so {place} must have text there, but the column is of type "
            f"{column.type}. "
            + ("Declare it as multi_valued." if _is_list(column.type) else "Convert it, or leave it out.")
        ) from error


def _as_dates(column: pa.ChunkedArray, name: str, place: str, option: str, day_first: bool | None) -> pa.ChunkedArray:
    try:
        dates = parse_dates(column, name, day_first) if pa.types.is_string(column.type) else None
    except AmbiguousDatesError as error:
        raise DataError(
            f"{option}.{name} is date, but in {place} nothing tells whether the day or the month comes first, as in "
            f"{error.example!r}. Set data.day_first=true or data.day_first=false."
        ) from error
    if dates is None:
        present = column.drop_null()
        example = f", such as {present[0].as_py()!r}" if len(present) else ""
        raise DataError(
            f"{option}.{name} is date, so {place} must have dates there, such as 2024-05-31 or 31.05.2024, but the "
            f"column is of type {column.type}{example}. Convert it, or declare another kind."
        )
    return dates.column


def _is_list(type_: pa.DataType) -> bool:
    if not (pa.types.is_list(type_) or pa.types.is_large_list(type_)):
        return False
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean)
    return any(is_kind(type_.value_type) for is_kind in kinds)
