"""A prepared data set, loaded from its directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.cli.commands import command_line
from recsys.data.columns import FOLD, ITEM_ID, ITEM_INDEX, RATING, TIMESTAMP, TITLE, USER_ID, USER_INDEX
from recsys.data.content_hash import content_hash
from recsys.data.features import FeatureTable
from recsys.data.interaction_files import InteractionFiles, damage_told
from recsys.data.interactions import IndexArray, Interactions
from recsys.data.mapped_columns import map_columns
from recsys.data.prepared_files import (
    COLUMNS_FILE,
    FIXED_NEGATIVES_FILE,
    INTERACTIONS_FILE,
    ITEM_VOCABULARY_FILE,
    ITEMS_FILE,
    SCHEMA_FILE,
    USER_VOCABULARY_FILE,
    USERS_FILE,
    table_paths,
)
from recsys.data.schema import Schema
from recsys.data.stored_columns import COLUMN_TYPES
from recsys.data.vocabulary import Vocabulary
from recsys.errors import PreparedDataError


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
        rows = self.interactions.rows_rated_at_least(self.schema.positive_threshold)
        return self.interactions if len(rows) == len(self.interactions) else self.interactions.take(rows)

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
        _check_mapped(directory)
        found = content_hash(table_paths(directory))
        if found != schema.content_hash:
            raise PreparedDataError(
                f"{directory} was changed or damaged: its content hash should be {schema.content_hash}, but is "
                f"{found}. Prepare the data again."
            )
    return prepared


def _read(directory: Path, name: str, num_rows: int | None) -> pa.Table:
    """A table with the number of rows that the schema states (None: any number)."""
    with damage_told(directory / name):
        table = pq.read_table(directory / name)
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
    """The columns of the interactions: mapped where they lie beside the tables, else read from these."""
    files = InteractionFiles.of(directory)
    path = directory / INTERACTIONS_FILE
    _check_count(path, len(files), schema.num_interactions)
    expected, found = _expected_columns(schema), files.column_names
    if sorted(found) != sorted(expected):
        raise PreparedDataError(
            f"{path} should have the columns {', '.join(expected)} and has {', '.join(found)}: the directory was "
            "changed or damaged. Prepare the data again."
        )
    columns = map_columns(directory / COLUMNS_FILE, *files.sources)
    if columns is None:
        columns = {name: files.read(name) for name in expected}
        _check_indices(path, columns, schema)
    given: dict[str, Any] = {name: columns.get(name) for name in COLUMN_TYPES}
    return Interactions(num_users=schema.num_users, num_items=schema.num_items, **given)


def _expected_columns(schema: Schema) -> list[str]:
    """Names of the columns of the interactions."""
    given = {RATING: schema.rating, TIMESTAMP: schema.timestamp, FOLD: schema.folds}
    return [
        USER_INDEX,
        ITEM_INDEX,
        *(name for name, what in given.items() if what is not None),
        *schema.further_columns,
    ]


def _check_indices(path: Path, columns: Mapping[str, npt.NDArray[Any]], schema: Schema) -> None:
    for name, num in ((USER_INDEX, schema.num_users), (ITEM_INDEX, schema.num_items)):
        index = columns[name]
        if len(index) and not (0 <= index.min() and index.max() < num):
            raise PreparedDataError(
                f"{path} has values of {name} that the vocabulary lacks: the directory was changed or damaged. Prepare "
                "the data again."
            )


def _check_mapped(directory: Path) -> None:
    """Require that the mapped columns are those of the tables, one of them at a time."""
    files = InteractionFiles.of(directory)
    mapped = map_columns(directory / COLUMNS_FILE, *files.sources) or {}
    for name, column in mapped.items():
        if not np.array_equal(column, files.read(name)):
            raise PreparedDataError(
                f"{directory / COLUMNS_FILE} should have the {name} of {INTERACTIONS_FILE}, and has another one: it "
                "was changed or damaged. Delete it, or prepare the data again."
            )


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
