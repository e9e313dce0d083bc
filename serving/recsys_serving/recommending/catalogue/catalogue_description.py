"""What the columns of a catalogue hold, so that filters can be offered without knowing the data."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import TITLE
from recsys.retrieval.item_columns import ItemColumns
from recsys.retrieval.types import BoolArray
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.manifest import BundleData
from recsys_serving.recommending.catalogue.catalogue_overlay import HIDDEN

#: - ``category``: some values that many items share, one or several for each item.
#: - ``number``, ``date``: values in an order, which have a range.
#: - ``boolean``: yes or no.
#: - ``text``: nearly every item has a value of its own, such as a link.
ColumnKind = Literal["category", "number", "date", "boolean", "text"]

#: Values of a column that are told with their counts, at most.
MAX_VALUES = 200
#: A column with more values than this, most of which only one item has, is text.
_FEW_VALUES = 20


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """One column of the items.

    Args:
        name: of the column.
        kind: what it holds.
        multiple: whether an item may have several values.
        num_missing: items without a value.
        num_values: distinct values; None of numbers and dates.
        values: the most frequent ones with the number of their items, at most :data:`MAX_VALUES`; none of text.
        minimum: the least number, or the first day in ISO 8601; None of other kinds, and where nothing is known.
        maximum: the largest number, or the last day.
        whole: whether all numbers are whole.
    """

    name: str
    kind: ColumnKind
    multiple: bool
    num_missing: int
    num_values: int | None = None
    values: tuple[tuple[str, int], ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class CatalogueDescription:
    """A catalogue.

    Args:
        bundle: name of the bundle.
        data: name of the data.
        num_items: that may be recommended.
        has_titles: whether items have titles; else their ids stand for them.
        columns: in the order of the table.
        diversity_column: by which lists are diverse unless a request says otherwise; None: there is none.
        rating_range: the lowest and the highest rating; None where the data have none.
        liked_from: the lowest rating that counts as liked; None: all do.
    """

    bundle: str
    data: str
    num_items: int
    has_titles: bool
    columns: tuple[ColumnDescription, ...]
    diversity_column: str | None
    rating_range: tuple[float, float] | None
    liked_from: float | None


def describe_catalogue(bundle: str, state: CatalogueState, data: BundleData) -> CatalogueDescription:
    """Describe the items that may be recommended.

    Args:
        bundle: its name.
        state: of the catalogue.
        data: what the bundle says of its data.
    """
    available, names = state.available, state.table.column_names
    columns = [
        _described(state.table.column(name), name, state.columns, available, data.separators)
        for name in names
        if name not in HIDDEN and name != TITLE
    ]
    return CatalogueDescription(
        bundle=bundle,
        data=data.name,
        num_items=int(available.sum()),
        has_titles=TITLE in names and state.table.column(TITLE).null_count < len(state.table),
        columns=tuple(columns),
        diversity_column=data.content_column,
        rating_range=data.rating_range,
        liked_from=data.min_rating,
    )


def _described(
    column: pa.ChunkedArray, name: str, columns: ItemColumns, available: BoolArray, separators: dict[str, str]
) -> ColumnDescription:
    kept = column.filter(pa.array(available))
    type_ = kept.type.value_type if pa.types.is_dictionary(kept.type) else kept.type
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        ends = pc.min_max(kept).as_py()
        return ColumnDescription(
            name, "date", False, kept.null_count, minimum=_day(ends["min"]), maximum=_day(ends["max"])
        )
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return _number(kept, name)
    if pa.types.is_null(type_):
        return ColumnDescription(name, "text", False, len(kept), 0)
    values = columns.values(name)
    told = available[values.items]
    counts = np.bincount(values.codes[told], minlength=len(values.vocabulary))
    num_values = int(np.count_nonzero(counts))
    num_missing = int(available.sum()) - len(np.unique(values.items[told]))
    multiple = name in separators or pa.types.is_list(type_) or pa.types.is_large_list(type_)
    if pa.types.is_boolean(type_):
        kind: ColumnKind = "boolean"
    else:
        kind = "text" if num_values > _FEW_VALUES and np.count_nonzero(counts == 1) > num_values / 2 else "category"
    most = () if kind == "text" else np.argsort(-counts, kind="stable")[: min(num_values, MAX_VALUES)].tolist()
    pairs = tuple((values.vocabulary[code], int(counts[code])) for code in most)
    return ColumnDescription(name, kind, multiple, num_missing, num_values, pairs)


def _number(kept: pa.ChunkedArray, name: str) -> ColumnDescription:
    numbers = pc.fill_null(kept.cast(pa.float64(), safe=False), np.nan).to_numpy()
    known = numbers[np.isfinite(numbers)]
    whole = bool(len(known)) and bool((known == np.floor(known)).all())
    least, most = (float(known.min()), float(known.max())) if len(known) else (None, None)
    return ColumnDescription(name, "number", False, len(numbers) - len(known), minimum=least, maximum=most, whole=whole)


def _day(moment: Any) -> str | None:
    if moment is None:
        return None
    return (moment.date() if isinstance(moment, datetime.datetime) else moment).isoformat()
