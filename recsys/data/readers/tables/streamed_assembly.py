"""Puts a user's own tables in files together without reading their interactions at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from recsys.data.columns import FOLD, SUBSECOND_NS
from recsys.data.raw_stream import Batches, RawStream
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.table_files import FileTable
from recsys.data.readers.tables.assembly import FOLD_OF_PART, SourceTable, assembled, check_parts, told
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.table_batches import NoBatchesError, TableBatches, joined
from recsys.data.readers.tables.text_forms import TextForms
from recsys.data.readers.tables.typed_columns import ReadTable

_ANY_FORM = TextForms()


def assemble_stream(
    name: str,
    tables: Mapping[str, SourceTable],
    columns: ColumnNames,
    user_features: Mapping[str, Declaration] | None = None,
    item_features: Mapping[str, Declaration] | None = None,
    forms: TextForms = _ANY_FORM,
) -> RawStream:
    """The tables of :func:`recsys.data.readers.tables.assembly.assemble`, with interactions in batches.

    It has the same arguments and errors.

    Raises:
        NoBatchesError: the interactions must be read at once.
    """
    check_parts(tables)
    files = interaction_tables(tables)
    parts = {part: table.batches(columns, forms.day_first) for part, table in files.items()}
    notes = tuple(note for part, table in parts.items() for note in told(part, table.notes))
    batches = parts["interactions"] if "interactions" in parts else _folded_batches(parts)
    interactions = ReadTable(batches.schema.empty_table(), notes)
    rest = assembled(name, interactions, tables, columns, user_features, item_features, forms)
    return RawStream(rest, batches.batches, sum(table.num_bytes() for table in files.values()), batches.parts)


def interaction_tables(tables: Mapping[str, SourceTable]) -> dict[str, FileTable]:
    """The tables with interactions, which are files."""
    found = {}
    for part in ("interactions", *FOLD_OF_PART):
        if (table := tables.get(part)) is not None:
            assert isinstance(table, FileTable), "interactions in batches come from files"
            found[part] = table
    return found


def _folded_batches(parts: Mapping[str, TableBatches]) -> TableBatches:
    """The parts of a split as one table with their folds."""
    roles = [set(table.schema.names) - {SUBSECOND_NS} for table in parts.values()]
    if any(role != roles[0] for role in roles):
        raise NoBatchesError("the parts of the split have different columns")
    return joined([_with_fold(table, FOLD_OF_PART[part]) for part, table in parts.items()])


def _with_fold(table: TableBatches, fold: str) -> TableBatches:
    schema = table.schema.append(pa.field(FOLD, pa.string()))
    parts = tuple(_FoldedBatches(part, fold) for part in table.parts)
    return TableBatches(schema, _FoldedBatches(table.batches, fold), parts, table.notes)


@dataclass(frozen=True, slots=True)
class _FoldedBatches:
    batches: Batches
    fold: str

    def __call__(self) -> Iterator[pa.Table]:
        for batch in self.batches():
            folds = pa.array([self.fold]).take(pa.array(np.zeros(len(batch), dtype=np.int8)))
            yield batch.append_column(FOLD, folds)
