"""White space around ids: found, and stripped where the user says so."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.id_columns import map_ids
from recsys.data.raw import RawDataset
from recsys.errors import DataWarning


def warn_of_spaces(ids: pa.StringArray, what: str) -> None:
    """Say if ids differ by white space around them alone.

    Args:
        ids: distinct ids.
        what: "users" or "items".

    Warns:
        DataWarning: they do.
    """
    ids = ids.filter(pc.not_equal(pc.utf8_trim_whitespace(ids), ""))
    stripped = pc.utf8_trim_whitespace(ids)
    num_distinct = pc.count_distinct(stripped).as_py()
    if num_distinct == len(ids):
        return
    # With a space around it, and there without one or with another.
    counts = stripped.value_counts()
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    same = ids.filter(pc.equal(stripped, repeated[0]))
    warnings.warn(
        f"{len(ids):,} {what} are {num_distinct:,} if white space around ids does not count: {same[0].as_py()!r} and "
        f"{same[1].as_py()!r}, for example. Set preparation.strip_ids=true to strip it.",
        DataWarning,
        stacklevel=2,
    )


def has_spaces(ids: pa.StringArray) -> bool:
    """Whether any id has white space around it."""
    return bool(pc.any(pc.not_equal(pc.utf8_trim_whitespace(ids), ids)).as_py())


def strip_ids(raw: RawDataset) -> RawDataset:
    """The data without white space around the ids of users and items, in all tables."""
    negatives = raw.fixed_negatives
    if negatives is not None:
        negatives = _stripped(negatives, USER_ID)
        lists = negatives["item_ids"].combine_chunks()
        values = pc.utf8_trim_whitespace(lists.flatten().cast(pa.string()))
        lengths = pc.fill_null(pc.list_value_length(lists), 0).to_pylist()
        parts = iter(values.to_pylist())
        stripped = [[next(parts) for _ in range(length)] for length in lengths]
        place = negatives.column_names.index("item_ids")
        negatives = negatives.set_column(place, "item_ids", pa.array(stripped, pa.list_(pa.string())))
    return replace(
        raw,
        interactions=strip_id_columns(raw.interactions),
        users=None if raw.users is None else _stripped(raw.users, USER_ID),
        items=None if raw.items is None else _stripped(raw.items, ITEM_ID),
        fixed_negatives=negatives,
    )


def strip_id_columns(interactions: pa.Table) -> pa.Table:
    """Interactions, or a batch of them, without white space around the ids of users and items."""
    return _stripped(_stripped(interactions, USER_ID), ITEM_ID)


def _stripped(table: pa.Table, name: str) -> pa.Table:
    return map_ids(table, name, pc.utf8_trim_whitespace)
