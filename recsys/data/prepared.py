"""A prepared data set, loaded from its directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.cli.commands import command_line
from recsys.data.columns import FOLD, FOLDS, ITEM_ID, ITEM_INDEX, RATING, TIMESTAMP, TITLE, USER_ID, USER_INDEX
from recsys.data.content_hash import content_hash
from recsys.data.features import FeatureTable
from recsys.data.interactions import IndexArray, Interactions
from recsys.data.prepared_files import (
    FIXED_NEGATIVES_FILE,
    INTERACTIONS_FILE,
    ITEM_VOCABULARY_FILE,
    ITEMS_FILE,
    SCHEMA_FILE,
    USER_VOCABULARY_FILE,
    USERS_FILE,
    table_paths,
)
from recsys.data.schema import FURTHER_COLUMNS, Schema
from recsys.data.vocabulary import Vocabulary
from recsys.errors import PreparedDataError

_FURTHER_TYPES: tuple[np.dtype[Any], ...] = (np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.int64))


@dataclass(frozen=True, slots=True)
class PreparedDataset:
    """The contents of a prepared directory.

    Args:
        directory: path of the prepared directory.
        schema: description of the data.
        interactions: all interactions, in raw order; in that of time where times are finer than seconds.
        users: one row for each user index: ``user_index``, ``user_id`` and the other columns.
        items: one row for each item index: ``item_index``, ``item_id`` and the other columns.
        user_vocabulary: user ids and indices.
        item_vocabulary: item ids and indices.
        fixed_negatives: user indices, shape [n], int32, and the negatives given for each, shape [n, N], int32; None
            where the data have none.
    """

    directory: Path
    schema: Schema
    interactions: Interactions
    users: pa.Table
    items: pa.Table
    user_vocabulary: Vocabulary
    item_vocabulary: Vocabulary
    fixed_negatives: tuple[IndexArray, IndexArray] | None

    def positives(self) -> Interactions:
        """The implicit view: interactions rated ``positive_threshold`` or higher, in raw order."""
        return self.interactions.take(self.interactions.rows_rated_at_least(self.schema.positive_threshold))

    def titles(self, item_indices: npt.NDArray[Any] | Sequence[int]) -> list[str]:
        """Titles of items, in the given order; the item id where an item has none."""
        rows = pa.array(np.asarray(item_indices, dtype=np.int64))
        ids = self.item_vocabulary.ids.take(rows)
        if TITLE not in self.items.column_names:
            return ids.to_pylist()
        titles = self.items.column(TITLE).take(rows).cast(pa.string()).combine_chunks()
        return pc.coalesce(pc.if_else(pc.equal(titles, ""), None, titles), ids).to_pylist()

    def titles_of(self, item_ids: Sequence[str]) -> list[str]:
        """Titles of items by their ids, in the given order; the id where an item has none or is not in the data."""
        indices = self.item_vocabulary.index_of(list(item_ids))
        titles = iter(self.titles(indices[indices >= 0]))
        return [item_id if index < 0 else next(titles) for item_id, index in zip(item_ids, indices, strict=True)]

    def user_features(self) -> FeatureTable:
        """The declared features of all users as tensors, one row for each user index."""
        return FeatureTable.from_table(self.users, self.schema.user_features)

    def item_features(self) -> FeatureTable:
        """The declared features of all items as tensors, one row for each item index."""
        return FeatureTable.from_table(self.items, self.schema.item_features)


def open_prepared(directory: Path, verify: bool = False) -> PreparedDataset:
    """Load a prepared directory.

    Args:
        directory: path of the prepared directory.
        verify: whether to recompute the content hash and compare it; the numbers of rows are always compared.

    Raises:
        PreparedDataError: the directory is missing, incomplete, damaged or of another format version.
    """
    if not directory.is_dir():
        raise PreparedDataError(
            f"There is no prepared directory {directory}. Make it with {command_line('prepare')}, or correct the path."
        )
    if not (directory / SCHEMA_FILE).is_file():
        raise PreparedDataError(f"{directory} has no {SCHEMA_FILE}, so it is incomplete. Prepare the data again.")
    schema = Schema.load(directory / SCHEMA_FILE)
    users = _read(directory, USERS_FILE, schema.num_users)
    items = _read(directory, ITEMS_FILE, schema.num_items)
    prepared = PreparedDataset(
        directory=directory,
        schema=schema,
        interactions=_interactions(directory, schema),
        users=users,
        items=items,
        user_vocabulary=_vocabulary(directory, USER_VOCABULARY_FILE, USER_ID, schema.num_users),
        item_vocabulary=_vocabulary(directory, ITEM_VOCABULARY_FILE, ITEM_ID, schema.num_items),
        fixed_negatives=_fixed_negatives(directory, schema),
    )
    if verify:
        found = content_hash(table_paths(directory))
        if found != schema.content_hash:
            raise PreparedDataError(
                f"{directory} was changed or damaged: its content hash should be {schema.content_hash}, but is "
                f"{found}. Prepare the data again."
            )
    return prepared


def _read(directory: Path, name: str, num_rows: int | None) -> pa.Table:
    """A table with the number of rows that the schema states (None: any number)."""
    try:
        table = pq.read_table(directory / name)
    except (OSError, pa.ArrowException) as error:
        raise PreparedDataError(
            f"{directory / name} is missing or damaged ({error}). Prepare the data again."
        ) from None
    _check_count(directory / name, len(table), num_rows)
    return table


def _check_count(path: Path, found: int, stated: int | None) -> None:
    if stated is not None and found != stated:
        raise PreparedDataError(
            f"{path} has {found:,} rows, but {SCHEMA_FILE} states {stated:,}: the directory was changed or damaged. "
            "Prepare the data again."
        )


def _vocabulary(directory: Path, name: str, id_column: str, num_rows: int) -> Vocabulary:
    vocabulary = Vocabulary.load(directory / name, id_column)
    _check_count(directory / name, len(vocabulary), num_rows)
    return vocabulary


def _interactions(directory: Path, schema: Schema) -> Interactions:
    table = _read(directory, INTERACTIONS_FILE, schema.num_interactions)
    expected = [USER_INDEX, ITEM_INDEX]
    expected += [RATING] if schema.rating else []
    expected += [TIMESTAMP] if schema.timestamp else []
    expected += [FOLD] if schema.folds is not None else []
    expected += schema.further_columns
    if sorted(table.column_names) != sorted(expected):
        raise PreparedDataError(
            f"{directory / INTERACTIONS_FILE} should have the columns {', '.join(expected)} and has "
            f"{', '.join(table.column_names)}: the directory was changed or damaged. Prepare the data again."
        )
    indices = []
    for name, num in ((USER_INDEX, schema.num_users), (ITEM_INDEX, schema.num_items)):
        index = _numbers(table, name, np.dtype(np.int32))
        if len(index) and not (0 <= index.min() and index.max() < num):
            raise PreparedDataError(
                f"{directory / INTERACTIONS_FILE} has values of {name} that the vocabulary lacks: the directory was "
                "changed or damaged. Prepare the data again."
            )
        indices.append(index)
    fold = None
    if FOLD in table.column_names:
        fold = pc.index_in(table.column(FOLD).cast(pa.string()), value_set=pa.array(FOLDS)).to_numpy().astype(np.int8)
    return Interactions(
        user_index=indices[0],
        item_index=indices[1],
        rating=_numbers(table, RATING, np.dtype(np.float32)) if RATING in expected else None,
        timestamp=_numbers(table, TIMESTAMP, np.dtype(np.int64)) if TIMESTAMP in expected else None,
        fold=fold,
        num_users=schema.num_users,
        num_items=schema.num_items,
        **{
            name: _numbers(table, name, dtype) if name in expected else None
            for name, dtype in zip(FURTHER_COLUMNS, _FURTHER_TYPES, strict=True)
        },
    )


def _numbers(table: pa.Table, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """A column as a writable array: tensors that share its memory may be written to."""
    values = table.column(name).to_numpy().astype(dtype, copy=False)
    return values if values.flags.writeable else values.copy()


def _fixed_negatives(directory: Path, schema: Schema) -> tuple[IndexArray, IndexArray] | None:
    if schema.num_fixed_negatives is None:
        return None
    table = _read(directory, FIXED_NEGATIVES_FILE, None)
    items = pc.list_flatten(table.column("item_indices")).to_numpy()
    if len(items) != len(table) * schema.num_fixed_negatives:
        raise PreparedDataError(
            f"{directory / FIXED_NEGATIVES_FILE} should have {schema.num_fixed_negatives} negatives for each user: the "
            "directory was changed or damaged. Prepare the data again."
        )
    users = table.column(USER_INDEX).to_numpy()
    return users.astype(np.int32), items.astype(np.int32).reshape(len(table), schema.num_fixed_negatives)
