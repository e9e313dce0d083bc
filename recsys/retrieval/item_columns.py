"""The columns of the items, for filters and for the diversity of lists.

Shape suffixes: I items, M values of all items together, V distinct values, W values of one item at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import RetrievalError
from recsys.retrieval.moments import microseconds, moment_text
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

IndexArray = npt.NDArray[np.int32]

_NO_SEPARATORS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The values of a column, coded; an item may have any number of them.

    Args:
        items: the item that each value belongs to, ascending, shape [M], int64.
        codes: positions in ``vocabulary``, shape [M], int64; an item has a code once.
        vocabulary: the V distinct values in Unicode order.
        num_items: I.
    """

    items: IntArray
    codes: IntArray
    vocabulary: tuple[str, ...]
    num_items: int

    def multi_hot(self) -> FloatArray:
        """Shape [I, V], float32: 1 where the item has the value."""
        ones = np.zeros((self.num_items, len(self.vocabulary)), dtype=np.float32)
        ones[self.items, self.codes] = 1
        return ones

    def padded(self) -> IntArray:
        """The codes of each item, shape [I, W], int64, filled up with -1."""
        counts = np.bincount(self.items, minlength=self.num_items)
        place = np.arange(len(self.items)) - np.repeat(np.cumsum(counts) - counts, counts)
        codes = np.full((self.num_items, counts.max(initial=0)), -1, dtype=np.int64)
        codes[self.items, place] = self.codes
        return codes


class ItemColumns:
    """A table of items, one row for each item index.

    Args:
        table: I rows. Columns of strings, lists, truth values or dates have values; columns of numbers or dates have
            ranges.
        separators: what divides the values of a string, by column; a string of another column is one value.
    """

    def __init__(self, table: pa.Table, separators: Mapping[str, str] = _NO_SEPARATORS) -> None:
        self._table = table
        self._separators = separators
        self._coded: dict[str, tuple[IndexArray, IndexArray, pa.Array]] = {}

    @property
    def num_items(self) -> int:
        """I."""
        return self._table.num_rows

    def values(self, column: str) -> Values:
        """The values of ``column``, as text; missing and empty ones are left out.

        Raises:
            RetrievalError: there is no such column, or it holds numbers.
        """
        items, text = self._text(column)
        distinct = pc.unique(text)
        vocabulary = distinct.take(pc.array_sort_indices(distinct))
        codes = pc.index_in(text, value_set=vocabulary).to_numpy(zero_copy_only=False).astype(np.int64)
        # An item that names a value twice has it once.
        keys = np.unique(items * max(1, len(vocabulary)) + codes)
        items, codes = np.divmod(keys, max(1, len(vocabulary)))
        return Values(items, codes, tuple(vocabulary.to_pylist()), self.num_items)

    def with_any(self, column: str, wanted: Iterable[object]) -> BoolArray:
        """Whether an item has any of the ``wanted`` values, shape [I]; of a column of numbers, any of these numbers.

        Texts are compared as they are, truth values as ``true`` and ``false``, dates as ``2024-05-31``. Of a column of
        zeros and ones, truth values may be asked for as well. A value that no item has is none's.

        Args:
            column: of the items.
            wanted: the values, one or more.

        Raises:
            RetrievalError: there is no such column, or a value is of another type.
        """
        wanted = list(dict.fromkeys(wanted))
        if _is_number(self._column(column).type):
            return self._with_any_number(column, wanted)
        items, codes, vocabulary = self._codes(column)
        names = pa.array(self._names(column, wanted), vocabulary.type)
        mask = np.zeros(self.num_items, dtype=np.bool_)
        is_wanted = pc.is_in(vocabulary, value_set=names).to_numpy(zero_copy_only=False)
        mask[items[is_wanted[codes]]] = True
        return mask

    def without_item(self, column: str, wanted: Iterable[object]) -> list[str]:
        """Which of the ``wanted`` values no item has, as text; arguments and errors as for :meth:`with_any`.

        Truth values are known whether or not an item has them.
        """
        wanted = list(dict.fromkeys(wanted))
        type_ = self._column(column).type
        if _is_number(type_):
            self._with_any_number(column, wanted)  # which refuses what is no number
            there = np.isin(np.array(wanted, dtype=np.float64), self._numbers(column))
            return [str(value) for value, is_there in zip(wanted, there.tolist(), strict=True) if not is_there]
        _, _, vocabulary = self._codes(column)
        names = self._names(column, wanted)
        if pa.types.is_boolean(type_):
            return []
        found = pc.is_in(pa.array(names, vocabulary.type), value_set=vocabulary).to_pylist()
        return [name for name, is_there in zip(names, found, strict=True) if not is_there]

    def _names(self, column: str, wanted: list[object]) -> list[str]:
        """Values as the text of a column."""
        type_ = self._column(column).type
        names = [str(value).lower() if isinstance(value, bool) else str(value) for value in wanted]
        if pa.types.is_boolean(type_):
            wrong, kind = [name for name in names if name not in ("true", "false")], "truth values, true or false"
        elif _is_date(type_):
            wrong, kind = [name for name in names if moment_text(name) is None], "dates such as '2024-05-31'"
        else:
            wrong, kind = [], "values"
        if wrong or not names:
            raise RetrievalError(
                f"The column {column} holds {kind}, and such are required, but {wrong[0] if wrong else 'none'} came. "
                "Correct the filter."
            )
        return names

    def _with_any_number(self, column: str, wanted: list[object]) -> BoolArray:
        numbers = self._numbers(column)
        is_truth = bool(np.isin(numbers[~np.isnan(numbers)], (0, 1)).all())
        wrong = [
            value
            for value in wanted
            if not isinstance(value, int | float) or (isinstance(value, bool) and not is_truth)
        ]
        if wrong or not wanted:
            raise RetrievalError(
                f"The column {column} holds numbers, so numbers are required, but {wrong[0] if wrong else 'none'!r} "
                "came. Give numbers, or a range by gte and lte."
            )
        mask: BoolArray = np.isin(numbers, np.array(wanted, dtype=np.float64))
        return mask

    def between(self, column: str, low: float | str | None, high: float | str | None) -> BoolArray:
        """Whether the number or the date of an item is from ``low`` to ``high``, both included; shape [I].

        Args:
            column: of numbers or dates.
            low: the lower end, of dates in ISO 8601; None: open.
            high: the upper end; a day is in the range as a whole.

        An item whose number is missing is in no range.

        Raises:
            RetrievalError: there is no such column, it holds no numbers, or the range is empty.
        """
        values = self._column(column)
        if not (_is_number(values.type) or _is_date(values.type)):
            raise RetrievalError(
                f"A range needs a column of numbers or dates, but {column} is of type {values.type}. "
                f"{self._of_kind('numbers or dates', numbers=True)}"
            )
        low, high = self._end(column, low, -np.inf), self._end(column, high, np.inf)
        if not low <= high:
            raise RetrievalError(f"A range goes from low to high, but that of {column} is [{low}, {high}]. Correct it.")
        numbers = self._numbers(column)
        inside: BoolArray = (numbers >= low) & (numbers <= high)
        return inside

    def _end(self, column: str, written: float | str | None, open_end: float) -> float:
        """An end of a range in the unit of :meth:`_numbers`."""
        if written is None:
            return open_end
        if not _is_date(self._column(column).type):
            if isinstance(written, str):
                raise RetrievalError(
                    f"The column {column} holds numbers, so a range needs numbers, but {written!r} came."
                )
            return written
        moment = moment_text(written)
        if moment is None:
            raise RetrievalError(
                f"The column {column} holds dates, so a range needs dates such as '2024-05-31', but {written!r} came."
            )
        return microseconds(moment, is_end=open_end > 0)

    def _numbers(self, column: str) -> FloatArray:
        """The numbers of a column, shape [I]; of dates the microseconds since 1970; NaN where one is missing."""
        values = self._column(column)
        if _is_date(values.type):
            values = values.cast(pa.timestamp("us", getattr(values.type, "tz", None)), safe=False).cast(pa.int64())
        numbers: FloatArray = pc.fill_null(values.cast(pa.float64(), safe=False), np.nan).to_numpy(zero_copy_only=False)
        return numbers

    def _column(self, name: str) -> pa.Array:
        """The values of a column without chunks and dictionary."""
        if name not in self._table.column_names:
            raise RetrievalError(
                f"There is no column {name} of items. The columns are {', '.join(self._table.column_names) or 'none'}."
            )
        values = self._table.column(name).combine_chunks()
        return values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values

    def _codes(self, name: str) -> tuple[IndexArray, IndexArray, pa.Array]:
        """The item of each value of a column and its code, shape [M] each, int32, and the values by their codes.

        Texts are taken apart once, for the first filter of a column: then a filter is a look-up.
        """
        if (coded := self._coded.get(name)) is None:
            items, text = self._text(name)
            encoded = pc.dictionary_encode(text)
            codes = encoded.indices.to_numpy(zero_copy_only=False)
            coded = items.astype(np.int32), codes.astype(np.int32, copy=False), encoded.dictionary
            self._coded[name] = coded
        return coded

    def _text(self, name: str) -> tuple[IntArray, pa.Array]:
        """The item of each value of a column, shape [M], and the values, M strings."""
        values = self._column(name)
        if name in self._separators:
            values = pc.split_pattern(values, self._separators[name])
        elif not _is_list(values.type):
            if not any(
                is_kind(values.type)
                for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean, _is_date)
            ):
                raise RetrievalError(
                    f"Values are required, but the column {name} is of type {values.type}. "
                    f"{self._of_kind('values', numbers=False)} Numbers are asked for by a range."
                )
            values = pa.ListArray.from_arrays(np.arange(len(values) + 1, dtype=np.int32), values.cast(pa.string()))
        items = pc.list_parent_indices(values).to_numpy(zero_copy_only=False).astype(np.int64)
        text = pc.utf8_trim_whitespace(pc.list_flatten(values).cast(pa.string()))
        kept = pc.fill_null(pc.not_equal(text, ""), False)
        return items[kept.to_numpy(zero_copy_only=False)], text.filter(kept)

    def _of_kind(self, kind: str, numbers: bool) -> str:
        """A sentence on which columns there are."""
        names = [
            field.name for field in self._table.schema if _is_date(field.type) or _is_number(field.type) == numbers
        ]
        return f"Columns with {kind} are {', '.join(names) or 'none'}."


def _is_number(type_: pa.DataType) -> bool:
    return any(is_kind(type_) for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _is_date(type_: pa.DataType) -> bool:
    return pa.types.is_date(type_) or pa.types.is_timestamp(type_)


def _is_list(type_: pa.DataType) -> bool:
    return any(is_kind(type_) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
