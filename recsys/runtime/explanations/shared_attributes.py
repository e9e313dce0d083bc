"""What two items have in common, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.column_values import (
    as_numbers,
    as_text,
    codes_of,
    distinct,
    is_date,
    plain_type,
    split_values,
    split_words,
)
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.runtime.recommendation import SharedAttribute

#: A word of a text that more than this share of the items have says nothing about them ("the", "of").
COMMON_WORD = 0.02
#: So does a shorter one ("ii", "el").
SHORTEST_WORD = 3
#: A truth value that more than this share of the items have says nothing about them ("in stock: true").
COMMON_TRUTH = 0.5
#: A column of whole numbers in this range holds years.
YEARS = (1800, 2100)


class SharedAttributes:
    """Finds values of the declared features that two items share.

    These are values of categorical and multi-valued columns (brands, genres, tags), truth values that at most half of
    the items have, words of texts that are not common, and the year or the decade of columns that hold years. Other
    numbers are left out.

    Args:
        items: a row for each item; features that it lacks are left out.
        features: the declared features of the items.
    """

    def __init__(self, items: pa.Table, features: Sequence[FeatureColumn]) -> None:
        self._columns: list[_ValueColumn | _YearColumn] = []
        for column in features:
            if column.name not in items.column_names:
                continue
            values = items.column(column.name)
            if column.kind is not FeatureKind.NUMBER:
                self._columns.append(_ValueColumn(column, values))
            elif (years := _years(values)) is not None:
                self._columns.append(_YearColumn(years))

    def between(self, item: int, other: int) -> tuple[SharedAttribute, ...]:
        """What two items (internal indices) have in common, the rarest first."""
        found = [shared for column in self._columns for shared in column.between(item, other)]
        return tuple(sorted(found, key=lambda shared: -shared.weight))

    def closest(self, item: int, others: Sequence[int]) -> int | None:
        """Which of ``others`` shares most with ``item``, by the sum of weights; None where none shares anything."""
        weights = [sum(shared.weight for shared in self.between(item, other)) for other in others]
        best = max(weights, default=0.0)
        return others[weights.index(best)] if best > 0 else None


class _ValueColumn:
    """A column of values: which values each item has, and how rare each value is."""

    def __init__(self, column: FeatureColumn, values: pa.ChunkedArray) -> None:
        self._is_text = column.kind is FeatureKind.TEXT
        self._place = f" in the {column.name}" if self._is_text else ""
        # A truth value says nothing without its column.
        is_truth = pa.types.is_boolean(plain_type(values.type))
        self._column = f"{column.name}: " if is_truth else ""
        self._least = -math.log(COMMON_WORD if self._is_text else COMMON_TRUTH if is_truth else 1.0)
        num_items = len(values)
        if column.kind is FeatureKind.CATEGORICAL:
            rows, text = np.arange(num_items), as_text(values)
        else:
            rows, text = split_words(values) if self._is_text else split_values(column.separator, values)
        self._vocabulary = distinct(text)
        codes = codes_of(text, self._vocabulary) - 1
        rows, codes = rows[codes >= 0], codes[codes >= 0]
        pairs = np.unique(rows * max(1, len(self._vocabulary)) + codes)
        rows, self._codes = np.divmod(pairs, max(1, len(self._vocabulary)))
        counts = np.bincount(rows, minlength=num_items)
        self._offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._weights = np.log(num_items / np.bincount(self._codes, minlength=len(self._vocabulary)))

    def between(self, item: int, other: int) -> list[SharedAttribute]:
        found = []
        for code in np.intersect1d(self._values(item), self._values(other), assume_unique=True).tolist():
            value, weight = self._vocabulary[code], float(self._weights[code])
            if weight < self._least:
                continue
            if not self._is_text:
                found.append(SharedAttribute(self._column + value, weight))
            elif len(value) >= SHORTEST_WORD and not value.isdigit():
                found.append(SharedAttribute(f'"{value}"{self._place}', weight))
        return found

    def _values(self, item: int) -> npt.NDArray[np.int64]:
        return self._codes[self._offsets[item] : self._offsets[item + 1]]


class _YearColumn:
    """A column of years, 0 where none is known."""

    def __init__(self, years: npt.NDArray[np.int64]) -> None:
        self._years = years
        known = years[years > 0]
        self._num_years = np.bincount(known)
        self._num_decades = np.bincount(known // 10)

    def between(self, item: int, other: int) -> list[SharedAttribute]:
        year, another = int(self._years[item]), int(self._years[other])
        if year == 0 or another == 0 or year // 10 != another // 10:
            return []
        if year == another:
            return [SharedAttribute(f"the year {year}", self._weight(int(self._num_years[year])))]
        return [SharedAttribute(f"the {year // 10}0s", self._weight(int(self._num_decades[year // 10])))]

    def _weight(self, count: int) -> float:
        return math.log(len(self._years) / count)


def _years(column: pa.ChunkedArray) -> npt.NDArray[np.int64] | None:
    """The years of a column, or of its dates, 0 where there is none; None where it does not hold years."""
    if is_date(plain_type(column.type)):
        column = pc.year(column.cast(plain_type(column.type)))
    values = np.nan_to_num(as_numbers(column), nan=0.0)
    known = values[values != 0]
    low, high = YEARS
    if len(known) == 0 or ((known < low) | (known > high) | (known != known.round())).any():
        return None
    return values.astype(np.int64)


def format_shared(shared: Sequence[SharedAttribute], num_most: int = 4) -> str:
    """``shares Drama, War, the 1990s``; empty where nothing is shared."""
    return "shares " + ", ".join(one.text for one in shared[:num_most]) if shared else ""
