"""Ids such as ``NaN``, which programs write where a value is missing: found, and read as missing where a user says so.

pandas reads these words as missing, and DuckDB, Polars and Arrow as the text that they are. An id may be one of them
("NA" is the code of Namibia), so that nothing but the user can tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.id_columns import map_ids
from recsys.data.raw import RawDataset
from recsys.errors import DataWarning

#: What becomes of ids that are among :data:`NULL_WORDS`: ids, with a warning or without one, or missing ids.
NullIds = Literal["warn", "keep", "missing"]

#: What ``pandas.read_csv`` reads as missing, but for the empty text, and other spellings of the same.
NULL_WORDS = (
    *("NaN", "nan", "NAN", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "NaT"),
    *("NULL", "null", "Null", "NONE", "None", "none", "<NA>", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA"),
)

_BLOCK_ROWS = 1 << 20


def count_null_ids(ids: pa.StringArray, index: npt.NDArray[np.integer]) -> dict[str, int]:
    """Interactions of each id that is among :data:`NULL_WORDS` and has some.

    Args:
        ids: of the users, or of the items, each once.
        index: of each interaction among them, shape [N].
    """
    places = np.flatnonzero(pc.is_in(ids, value_set=pa.array(NULL_WORDS)).to_numpy(zero_copy_only=False))
    blocks = range(0, len(index), _BLOCK_ROWS)
    counts = {
        ids[int(place)].as_py(): sum(int((index[at : at + _BLOCK_ROWS] == place).sum()) for at in blocks)
        for place in places
    }
    return {word: count for word, count in counts.items() if count}


def warn_of_null_ids(num_interactions: Mapping[str, int], what: str, remedy: str) -> None:
    """Say which ids are words for a missing value.

    Args:
        num_interactions: of each user, or item, whose id is among :data:`NULL_WORDS`.
        what: "users" or "items".
        remedy: what to do.

    Warns:
        DataWarning: there is one.
    """
    if not num_interactions:
        return
    found = ", ".join(
        f"{word!r} ({count:,} interaction{'' if count == 1 else 's'})" for word, count in num_interactions.items()
    )
    warnings.warn(
        f"Some {what} have an id that programs write where a value is missing: {found}. {remedy}",
        DataWarning,
        stacklevel=2,
    )


def null_ids_as_missing(raw: RawDataset) -> RawDataset:
    """The data with such ids of users and items as missing ones, in the interactions and in their own tables."""
    return replace(
        raw,
        interactions=null_id_columns_as_missing(raw.interactions),
        users=None if raw.users is None else map_ids(raw.users, USER_ID, _without_words),
        items=None if raw.items is None else map_ids(raw.items, ITEM_ID, _without_words),
    )


def null_id_columns_as_missing(interactions: pa.Table) -> pa.Table:
    """Interactions, or a batch of them, with such ids of users and items as missing ones."""
    return map_ids(map_ids(interactions, USER_ID, _without_words), ITEM_ID, _without_words)


def _without_words(ids: pa.Array) -> pa.Array:
    is_word = pc.is_in(ids, value_set=pa.array(NULL_WORDS).cast(ids.type))
    return pc.if_else(is_word, pa.scalar(None, ids.type), ids)
