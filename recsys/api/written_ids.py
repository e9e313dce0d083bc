"""Ids in a user's tables as they are meant: as other columns and missing values leave them in pandas, they are not."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: Up to here every whole number is a number of 64-bit floats of its own.
_LARGEST_WHOLE = 2.0**53


def with_text_ids(table: Any, names: Iterable[str]) -> Any:
    """A table of pandas in which ids of several types in one column are text; any other table as it is.

    Spreadsheets give whole numbers and text in one column, databases UUIDs.

    Args:
        table: of any library.
        names: of the columns of ids.
    """
    if not isinstance(table, pd.DataFrame):
        return table
    for name in names:
        if name not in table.columns or table.columns.tolist().count(name) > 1:
            continue
        column = table[name]
        mixed = pd.api.types.infer_dtype(column, skipna=True) in ("mixed", "mixed-integer")
        if mixed and all(isinstance(value, str | Integral | UUID) for value in column.dropna()):
            table = table.assign(**{name: column.map(str, na_action="ignore")})
    return table


def with_whole_ids(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """A table in which ids that missing ones have turned into fractions are whole numbers again.

    Args:
        table: the user's.
        names: of the columns of ids.
    """
    for name in names:
        if name not in table.column_names or not pa.types.is_floating(table.column(name).type):
            continue
        column = table.column(name).cast(pa.float64())
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less_equal(pc.abs(column), _LARGEST_WHOLE))
        if pc.all(whole, min_count=0).as_py():
            place = table.column_names.index(name)
            table = table.set_column(place, name, column.cast(pa.int64()))
    return table
