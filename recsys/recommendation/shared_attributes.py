"""What two items have in common, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.prepared import PreparedDataset
from recsys.data.raw import FeatureKind

#: A word of a text that more than this share of the items have says nothing about them ("the", "of").
COMMON_WORD = 0.02
#: So does a shorter one ("ii", "el").
SHORTEST_WORD = 3
#: A column of whole numbers in this range holds years.
YEARS = (1800, 2100)


@dataclass(frozen=True, slots=True)
class SharedAttribute:
    """One thing that two items have in common.

    Args:
        text: in words, such as ``Drama``, ``"star" in the title`` or ``the 1990s``.
        weight: how much it says: the logarithm of how many items there are for each that has it.
    """

    text: str
    weight: float


class SharedAttributes:
    """Values of the declared features that two items share.

    These are values of categorical and multi-valued columns (brands, genres, tags), words of texts that are not common,
    and the year or the decade of columns that hold years. Other numbers are left out.

    Args:
        prepared: the data.
    """

    def __init__(self, prepared: PreparedDataset) -> None:
        features = prepared.item_features()
        self._num_items = len(features)
        self._columns: list[_ValueColumn | _YearColumn] = []
        for column in features.columns:
            feature = features[column.name]
            if not isinstance(feature, NumberFeature):
                self._columns.append(_ValueColumn(column.name, column.kind is FeatureKind.TEXT, feature))
            elif (years := _years(prepared.items.column(column.name))) is not None:
                self._columns.append(_YearColumn(years))

    def between(self, item: int, other: int) -> tuple[SharedAttribute, ...]:
        """What two items (internal indices) have in common, what says most first."""
        found = [shared for column in self._columns for shared in column.between(item, other)]
        return tuple(sorted(found, key=lambda shared: -shared.weight))

    def closest(self, item: int, others: Sequence[int]) -> int | None:
        """Which of ``others`` shares most with ``item``, by the sum of weights; None where none shares anything."""
        weights = [sum(shared.weight for shared in self.between(item, other)) for other in others]
        best = max(weights, default=0.0)
        return others[weights.index(best)] if best > 0 else None


class _ValueColumn:
    """A column of values from a vocabulary."""

    def __init__(self, name: str, is_text: bool, feature: CategoricalFeature | RaggedFeature) -> None:
        self._vocabulary = feature.vocabulary
        self._place = f" in the {name}" if is_text else ""
        if isinstance(feature, CategoricalFeature):
            known = feature.codes > 0
            self._codes, self._offsets = feature.codes[known], torch.cat([known.new_zeros(1).long(), known.cumsum(0)])
        else:
            self._codes, self._offsets = feature.codes, feature.offsets
        num_items = len(self._offsets) - 1
        rows = torch.repeat_interleave(torch.arange(num_items), self._offsets.diff())
        pairs = torch.unique(rows * feature.num_codes + self._codes)
        self._weights = (num_items / torch.bincount(pairs % feature.num_codes, minlength=feature.num_codes)).log()
        self._least = -math.log(COMMON_WORD) if is_text else 0.0
        self._is_text = is_text

    def between(self, item: int, other: int) -> list[SharedAttribute]:
        found = []
        for code in self._values(item) & self._values(other):
            value, weight = self._vocabulary[code - 1], self._weights[code].item()
            if not self._is_text:
                found.append(SharedAttribute(value, weight))
            elif weight >= self._least and len(value) >= SHORTEST_WORD and not value.isdigit():
                found.append(SharedAttribute(f'"{value}"{self._place}', weight))
        return found

    def _values(self, item: int) -> set[int]:
        start, stop = self._offsets[item : item + 2].tolist()
        return set(self._codes[start:stop].tolist())


class _YearColumn:
    """A column of years, 0 where none is known."""

    def __init__(self, years: Tensor) -> None:
        self._years = years.tolist()
        known = years[years > 0]
        self._num_years = torch.bincount(known)
        self._num_decades = torch.bincount(known // 10)
        self._num_items = len(years)

    def between(self, item: int, other: int) -> list[SharedAttribute]:
        year, another = self._years[item], self._years[other]
        if year == 0 or another == 0 or year // 10 != another // 10:
            return []
        if year == another:
            return [SharedAttribute(f"the year {year}", self._weight(self._num_years[year]))]
        return [SharedAttribute(f"the {year // 10}0s", self._weight(self._num_decades[year // 10]))]

    def _weight(self, count: Tensor) -> float:
        return math.log(self._num_items / count.item())


def _years(column: pa.ChunkedArray) -> Tensor | None:
    """The years of a column, int64, 0 where there is none; None where it does not hold years."""
    numbers = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy()
    values = torch.tensor(numbers).nan_to_num(nan=0.0)
    known = values[values != 0]
    low, high = YEARS
    if len(known) == 0 or bool(((known < low) | (known > high) | (known != known.round())).any()):
        return None
    return values.long()


def format_shared(shared: Sequence[SharedAttribute], num_most: int = 4) -> str:
    """``shares Drama, War, the 1990s``; empty where nothing is shared."""
    return "shares " + ", ".join(one.text for one in shared[:num_most]) if shared else ""
