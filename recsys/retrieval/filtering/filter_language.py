"""The filter language: which items a list may have, by their columns.

A filter is a mapping from columns to conditions, all of which must hold::

    {"genres": {"any_of": ["Drama", "Comedy"], "none_of": ["Horror"]}, "year": {"gte": 1990, "lte": 1999}}

``any_of``: the item has one of the values; ``none_of``: it has none of them; ``gte`` and ``lte``: its number is in the
range, ends included; of a column of dates, the ends are dates such as ``"2024-05-31"``, and the whole day counts.
Filters are combined by ``and``, ``or`` (each with a list of filters) and ``not`` (with one)::

    {"or": [{"genres": {"any_of": ["Drama"]}}, {"not": {"year": {"gte": 1990}}}]}

Parsed filters are immutable and can be compared and hashed. Shape suffixes: I items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from numbers import Real
from typing import Any

import numpy as np

from recsys.errors import RequestError
from recsys.retrieval.item_columns import ItemColumns
from recsys.retrieval.moments import microseconds, moment_text
from recsys.retrieval.shown_value import shown_value
from recsys.retrieval.types import BoolArray

#: Keys that combine filters; no column can be filtered that has one of these names.
COMBINATIONS = ("and", "or", "not")
#: Keys of a condition.
CONDITIONS = ("any_of", "none_of", "gte", "lte")
#: Filters inside each other, at most.
MAX_DEPTH = 16
#: Values of one condition, at most.
MAX_VALUES = 1_000
#: Columns and combinations of one filter, at most.
MAX_PARTS = 1_000
#: No column holds larger whole numbers.
_INT64 = 2**63

_EXAMPLE = "such as {'genres': {'any_of': ['Drama'], 'none_of': ['Horror']}, 'year': {'gte': 1990, 'lte': 1999}}"

Value = str | int | float | bool
#: An end of a range: a number, or a date or time in ISO 8601.
Bound = float | str


@dataclass(frozen=True, slots=True)
class ColumnCondition:
    """What the values of one column must be.

    Args:
        column: of the items.
        any_of: the item has one of these; None: any.
        none_of: the item has none of these.
        gte: the number, or the date as text, is not below this; None: no lower end.
        lte: the number, or the date as text, is not above this; None: no upper end.
    """

    column: str
    any_of: tuple[Value, ...] | None = None
    none_of: tuple[Value, ...] = ()
    gte: Bound | None = None
    lte: Bound | None = None

    def mask(self, columns: ItemColumns) -> BoolArray:
        """Whether each item meets the condition, shape [I].

        A value that no item has, such as a brand that is sold out, is no error: :meth:`without_item` names it.

        Raises:
            RetrievalError: there is no such column, or a value is of another kind.
        """
        allowed = np.ones(columns.num_items, dtype=np.bool_)
        if self.any_of is not None:
            allowed &= columns.with_any(self.column, self.any_of)
        if self.none_of:
            allowed &= ~columns.with_any(self.column, self.none_of)
        if self.gte is not None or self.lte is not None:
            allowed &= columns.between(self.column, self.gte, self.lte)
        return allowed

    def without_item(self, columns: ItemColumns) -> tuple[str, ...]:
        """The values that no item has, as ``column: value``; errors as for :meth:`mask`."""
        named = dict.fromkeys((*(self.any_of or ()), *self.none_of))
        values = columns.without_item(self.column, named) if named else []
        return tuple(f"{self.column}: {value}" for value in values)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are read."""
        return frozenset({self.column})

    def as_mapping(self) -> dict[str, Any]:
        """The condition as it is written."""
        written: dict[str, Any] = {}
        if self.any_of is not None:
            written["any_of"] = list(self.any_of)
        if self.none_of:
            written["none_of"] = list(self.none_of)
        written |= {name: end for name, end in (("gte", self.gte), ("lte", self.lte)) if end is not None}
        return {self.column: written}


@dataclass(frozen=True, slots=True)
class Combination:
    """Filters that are combined.

    Args:
        kind: ``and``, ``or`` or ``not``.
        parts: one or more; exactly one for ``not``.
    """

    kind: str
    parts: tuple[FilterExpression, ...]

    def mask(self, columns: ItemColumns) -> BoolArray:
        """Whether each item is allowed, shape [I]; as for :meth:`ColumnCondition.mask`."""
        masks = [part.mask(columns) for part in self.parts]
        if self.kind == "not":
            return ~masks[0]
        return reduce(np.logical_and if self.kind == "and" else np.logical_or, masks)

    def without_item(self, columns: ItemColumns) -> tuple[str, ...]:
        """As :meth:`ColumnCondition.without_item`, of all parts."""
        return tuple(dict.fromkeys(value for part in self.parts for value in part.without_item(columns)))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are read."""
        return frozenset().union(*(part.columns for part in self.parts))

    def as_mapping(self) -> dict[str, Any]:
        """The combination as it is written."""
        written = [part.as_mapping() for part in self.parts]
        return {self.kind: written[0] if self.kind == "not" else written}


FilterExpression = ColumnCondition | Combination


def parse_filters(filters: object) -> FilterExpression | None:
    """Parse filters as they are written in a request.

    Args:
        filters: a mapping in the language above, or what this function returned; None or an empty mapping: everything
            is allowed.

    Raises:
        RequestError: it is not in the language.

    Example:
        >>> parse_filters({"year": {"gte": 1990}})
        ColumnCondition(column='year', any_of=None, none_of=(), gte=1990, lte=None)
    """
    if filters is None:
        return None
    if isinstance(filters, ColumnCondition | Combination):
        # Whoever made it may have put anything into it, and only what is plain can be compared.
        try:
            filters = filters.as_mapping()
        except (RecursionError, TypeError, AttributeError) as error:
            raise RequestError(f"filters must be {_EXAMPLE}, but {shown_value(filters)} came.") from error
    if isinstance(filters, Mapping) and not filters:
        return None
    return _Parser().expression(filters, depth=0)


class _Parser:
    """Counts what it has parsed, so that no request grows without bounds."""

    def __init__(self) -> None:
        self._num_parts = 0

    def expression(self, written: object, depth: int) -> FilterExpression:
        if not isinstance(written, Mapping) or not written:
            raise RequestError(f"filters must be columns with conditions, {_EXAMPLE}, but {shown_value(written)} came.")
        if depth > MAX_DEPTH:
            raise RequestError(f"filters may be inside each other up to {MAX_DEPTH} deep, but these are deeper.")
        self._num_parts += len(written)
        if self._num_parts > MAX_PARTS:
            raise RequestError(f"filters may have {MAX_PARTS:,} columns and combinations, but these have more.")
        parts = tuple(self._part(name, value, depth) for name, value in written.items())
        return parts[0] if len(parts) == 1 else Combination("and", parts)

    def _part(self, name: object, value: object, depth: int) -> FilterExpression:
        if not isinstance(name, str):
            raise RequestError(f"filters are by the names of columns, {_EXAMPLE}, but {shown_value(name)} came.")
        if name == "not":
            return Combination("not", (self.expression(value, depth + 1),))
        if name in COMBINATIONS:
            if not isinstance(value, Sequence) or isinstance(value, str) or not value:
                raise RequestError(
                    f"{shown_value(name)} combines a list of filters, one or more, but {shown_value(value)} came."
                )
            return Combination(name, tuple(self.expression(part, depth + 1) for part in value))
        return _condition(str.__str__(name), value)


def _condition(column: str, written: object) -> ColumnCondition:
    if not isinstance(written, Mapping) or not written or not set(written) <= set(CONDITIONS):
        raise RequestError(
            f"The filter of the column {column} must have {', '.join(CONDITIONS[:-1])} or {CONDITIONS[-1]}, "
            f"{_EXAMPLE}, but it is {shown_value(written)}."
        )
    any_of, none_of, gte, lte = (written.get(name) for name in CONDITIONS)
    low, high = _bound(column, "gte", gte), _bound(column, "lte", lte)
    if low is not None and high is not None and _is_empty(column, low, high):
        raise RequestError(f"The range of {column} must go from low to high, but it is [{low}, {high}]. Correct it.")
    if any_of is None and none_of is None and low is None and high is None:
        raise RequestError(f"The filter of the column {column} has no condition that is not null. Leave it out.")
    return ColumnCondition(
        column,
        None if any_of is None else _values(column, "any_of", any_of),
        () if none_of is None else _values(column, "none_of", none_of),
        low,
        high,
    )


def _values(column: str, key: str, written: object) -> tuple[Value, ...]:
    values = [written] if isinstance(written, str | bool | Real) else written
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, Sequence | set | frozenset) or not values or len(values) > MAX_VALUES:
        raise RequestError(
            f"{key} of the column {column} must be one value or a list of 1 to {MAX_VALUES:,}, but it is "
            f"{shown_value(written)}."
        )
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    wrong = [value for value in plain if not _is_plain(value)]
    if wrong:
        raise RequestError(
            f"Values of {key} are texts, numbers or truth values, but {shown_value(wrong[0])} came for {column}."
        )
    return tuple(str.__str__(value) if isinstance(value, str) else value for value in plain)


def _is_plain(value: object) -> bool:
    """Whether it is a text, a truth value, or a number that a column may hold."""
    if isinstance(value, str | bool):
        return True
    return isinstance(value, int | float) and (abs(value) < _INT64 if isinstance(value, int) else value == value)


def _bound(column: str, key: str, written: object) -> Bound | None:
    if written is None:
        return None
    if (moment := moment_text(written)) is not None:
        return moment
    if isinstance(written, bool) or not isinstance(written, Real):
        raise RequestError(
            f"{key} of the column {column} must be a number, or a date such as '2024-05-31', but it is "
            f"{shown_value(written)}."
        )
    number = written.item() if isinstance(written, np.generic) else written
    if not isinstance(number, int | float) or not _is_plain(number) or not math.isfinite(number):
        raise RequestError(f"{key} of the column {column} must be a finite number, but it is {shown_value(written)}.")
    return number


def _is_empty(column: str, low: Bound, high: Bound) -> bool:
    """Whether no value is in a range."""
    if isinstance(low, str) and isinstance(high, str):
        return microseconds(low, is_end=False) > microseconds(high, is_end=True)
    if isinstance(low, str) or isinstance(high, str):
        raise RequestError(f"The range of {column} must be of numbers or of dates, but it is [{low}, {high}].")
    return low > high
