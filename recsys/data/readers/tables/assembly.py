"""Puts a user's own tables together, wherever each of them comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from recsys.data.columns import (
    FOLD,
    FOLD_TEST,
    FOLD_TRAIN,
    FOLD_VALID,
    ITEM_ID,
    SUBSECOND_NS,
    TIMESTAMP,
    TITLE,
    USER_ID,
)
from recsys.data.raw import FeatureColumn, RawDataset
from recsys.data.readers.feature_kinds import Declaration, declare_features, infer_features
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.recognised_columns import recognise_columns
from recsys.data.readers.tables.text_forms import TextForms
from recsys.data.readers.tables.typed_columns import ReadTable
from recsys.errors import DataError, SourceError

_ANY_FORM = TextForms()

#: The parts that interactions can come in, with the fold of each.
FOLD_OF_PART = {"train": FOLD_TRAIN, "valid": FOLD_VALID, "test": FOLD_TEST}


class SourceTable(Protocol):
    """One table, which can be read as interactions or as users or items. Its text is the place for messages."""

    def read_interactions(self, columns: ColumnNames, day_first: bool | None = None) -> ReadTable:
        """The table as :func:`recsys.data.readers.tables.typed_columns.typed_interactions` returns it."""
        ...

    def read_entities(self, id_name: str, role: str) -> ReadTable:
        """The table as :func:`recsys.data.readers.tables.typed_columns.typed_entities` returns it."""
        ...


def check_parts(tables: Mapping[str, SourceTable]) -> None:
    """Check that the interactions are there, in one table or as a split.

    Args:
        tables: by the names ``interactions``, ``train``, ``valid``, ``test``, ``users``, ``items``.

    Raises:
        SourceError: they are not.
    """
    parts = [part for part in ("interactions", *FOLD_OF_PART) if part in tables]
    if parts not in (["interactions"], ["train", "test"], ["train", "valid", "test"]):
        raise SourceError(
            "data=table needs the interactions: either data.interactions=FILE, or data.train=FILE and "
            f"data.test=FILE (and perhaps data.valid=FILE). Given: {', '.join(parts) or 'none of them'}."
        )


def assemble(
    name: str,
    tables: Mapping[str, SourceTable],
    columns: ColumnNames,
    user_features: Mapping[str, Declaration] | None = None,
    item_features: Mapping[str, Declaration] | None = None,
    forms: TextForms = _ANY_FORM,
) -> RawDataset:
    """Read the tables and choose the features among their columns.

    Args:
        name: short name of the data set.
        tables: as for :func:`check_parts`.
        columns: names of the columns.
        user_features: declared features of users; None to infer them.
        item_features: declared features of items; None to infer them.
        forms: how text in the tables is meant.

    Raises:
        SourceError: there are no interactions, or a table cannot be read.
        DataError: a table does not have the columns, types or values that are required.
    """
    check_parts(tables)
    interactions = _interactions(tables, columns, forms.day_first)
    return assembled(name, interactions, tables, columns, user_features, item_features, forms)


def assembled(
    name: str,
    interactions: ReadTable,
    tables: Mapping[str, SourceTable],
    columns: ColumnNames,
    user_features: Mapping[str, Declaration] | None,
    item_features: Mapping[str, Declaration] | None,
    forms: TextForms,
) -> RawDataset:
    """The interactions that were read, with the tables of users and items; see :func:`assemble`.

    Raises:
        SourceError: a table cannot be read.
        DataError: a table does not have the columns, types or values that are required.
    """
    users = _entities(tables, "users", USER_ID, columns, user_features, forms)
    items = _entities(tables, "items", ITEM_ID, columns, item_features, forms)
    forms.check_columns([*users.columns, *items.columns], [*users.declared_columns, *items.declared_columns])
    return RawDataset(
        name=name,
        interactions=interactions.table,
        users=users.table,
        items=items.table,
        user_features=users.features,
        item_features=items.features,
        notes=(*interactions.notes, *users.notes, *items.notes),
    )


def _interactions(tables: Mapping[str, SourceTable], columns: ColumnNames, day_first: bool | None) -> ReadTable:
    parts_read = [part for part in ("interactions", *FOLD_OF_PART) if part in tables]
    read = {part: tables[part].read_interactions(columns, day_first) for part in parts_read}
    notes = tuple(note for part, table in read.items() for note in told(part, table.notes))
    if "interactions" in read:
        return ReadTable(read["interactions"].table, notes)
    parts = {part: table.table for part, table in read.items()}
    if any(SUBSECOND_NS in table.column_names for table in parts.values()):
        parts = {part: _with_subseconds(table) for part, table in parts.items()}
    _check_same_columns(parts, tables, columns)
    folded = []
    for part, table in parts.items():
        indices = pa.array(np.zeros(len(table), dtype=np.int8))
        column = pa.DictionaryArray.from_arrays(indices, pa.array([FOLD_OF_PART[part]]))
        folded.append(table.select(parts["train"].column_names).append_column(FOLD, column))
    return ReadTable(pa.concat_tables(folded, promote_options="permissive").unify_dictionaries(), notes)


def _with_subseconds(part: pa.Table) -> pa.Table:
    """``part`` with parts of a second, all zero where it has none."""
    if SUBSECOND_NS in part.column_names or TIMESTAMP not in part.column_names:
        return part
    return part.append_column(SUBSECOND_NS, pa.array(np.zeros(len(part), dtype=np.int32)))


def told(part: str, notes: Sequence[str]) -> tuple[str, ...]:
    """Notes with the table that they are on."""
    return tuple(f"{part}: {note}" for note in notes)


def _check_same_columns(parts: Mapping[str, pa.Table], tables: Mapping[str, SourceTable], columns: ColumnNames) -> None:
    """Refuse a split of which one part has a column that another part lacks: its values would be lost."""
    given = dict.fromkeys(name for part in parts.values() for name in part.column_names if name != SUBSECOND_NS)
    for role in given:
        having = [part for part in parts if role in parts[part].column_names]
        lacking = [part for part in parts if part not in having]
        if lacking:
            key = role.removesuffix("_id")
            raise DataError(
                f"{tables[lacking[0]]} has no column {getattr(columns, key)!r}, which {tables[having[0]]} has for "
                f"{len(parts[having[0]]):,} rows. Add it to data.{lacking[0]}, or leave it out of all parts with "
                f"data.columns.{key}=null."
            )


@dataclass(frozen=True, slots=True)
class _Entities:
    table: pa.Table | None = None
    features: tuple[FeatureColumn, ...] = ()
    notes: tuple[str, ...] = ()
    is_declared: bool = False

    @property
    def columns(self) -> list[str]:
        return [] if self.table is None else self.table.column_names[1:]

    @property
    def declared_columns(self) -> list[str]:
        return self.columns if self.is_declared else []


def _entities(
    tables: Mapping[str, SourceTable],
    part: str,
    role: str,
    columns: ColumnNames,
    declared: Mapping[str, Declaration] | None,
    forms: TextForms,
) -> _Entities:
    option = f"data.{part.removesuffix('s')}_features"
    if part not in tables:
        if declared:
            raise DataError(f"{option} declares {', '.join(declared)}, but there is no data.{part}. Give its file.")
        return _Entities()
    place = str(tables[part])
    read = tables[part].read_entities(columns.user if role == USER_ID else columns.item, role)
    table = _with_title(read.table, columns.title, place) if role == ITEM_ID else read.table
    recognised = recognise_columns(table, role, declared or (), forms)
    notes = told(part, (*read.notes, *recognised.notes))
    if declared is None:
        return _Entities(recognised.table, infer_features(recognised.table, role, recognised.separators), notes)
    table, features = declare_features(recognised.table, declared, role, place, option, forms.day_first)
    return _Entities(table, features, notes, is_declared=True)


def _with_title(table: pa.Table, name: str | None, place: str) -> pa.Table:
    """The items with their titles under the framework's name, or without titles where ``name`` is None."""
    names = table.column_names
    if name is None:
        return table.drop_columns([column for column in names if column == TITLE])
    if name not in names and name == TITLE:
        return table
    if name not in names or (TITLE in names and name != TITLE):
        came = f"its columns are {', '.join(map(repr, names))}" if name not in names else f"it has {TITLE!r} as well"
        raise DataError(
            f"{place} must have the titles in the column {name!r} (data.columns.title) and in no other, but {came}. "
            "Correct the name, or rename the column."
        )
    if pa.types.is_nested(table[name].type):
        raise DataError(
            f"{place} must have text in the column {name!r}, which holds the titles, but it is of type "
            f"{table[name].type}. Name another column with data.columns.title=NAME, or none with "
            "data.columns.title=null."
        )
    return table.rename_columns([TITLE if column == name else column for column in names])
