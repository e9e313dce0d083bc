"""Writes the files of a prepared directory from raw data."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.columns import ITEM_ID, ITEM_INDEX, USER_ID, USER_INDEX
from recsys.data.content_hash import hash_of_digests, table_digests
from recsys.data.feature_encoding import check_feature_types
from recsys.data.inspection.column_summary import summarize_entities
from recsys.data.inspection.id_reading import IdReading
from recsys.data.inspection.id_spaces import warn_of_spaces
from recsys.data.inspection.null_ids import count_null_ids, warn_of_null_ids
from recsys.data.inspection.table_joins import TableJoin, join
from recsys.data.mapped_columns import write_columns
from recsys.data.preparation.catalogue import EntityTable, index_fixed_negatives
from recsys.data.preparation.engines import executor_of
from recsys.data.preparation.in_memory import prepare_in_memory
from recsys.data.preparation.streaming.in_partitions import prepare_in_partitions
from recsys.data.preparation.written_interactions import WrittenInteractions
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
    write_table,
)
from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream
from recsys.data.schema import Schema
from recsys.data.stored_columns import read_columns

if TYPE_CHECKING:
    from recsys.data.preparing import Preparation

#: What to do about ids that are words for a missing value.
NULL_IDS_REMEDY = "Set preparation.null_ids=missing if no id came, or preparation.null_ids=keep if these are ids."

_SCRATCH = "scratch"


def write_prepared(
    given: RawDataset | RawStream,
    preparation: Preparation,
    fingerprint: dict[str, Any],
    directory: Path,
    warned: Sequence[str] = (),
) -> None:
    """Clean and index raw data and write the files of a prepared directory.

    Args:
        given: the raw data, or a stream of them, which is gone through in partitions.
        preparation: the settings.
        fingerprint: of the reader and the settings.
        directory: an empty one.
        warned: the warnings about the data so far, to which this function's own may be added meanwhile.

    Raises:
        DataError: the raw data break a rule, or the rules leave nothing.

    Warns:
        DataWarning: something about the data is seldom meant.
    """
    stream = given if isinstance(given, RawStream) else None
    raw = given.rest if isinstance(given, RawStream) else given
    del given
    raw = IdReading.of(preparation).ids_of(raw)
    users_table = EntityTable.check(raw.users, USER_ID, raw.user_features)
    items_table = EntityTable.check(raw.items, ITEM_ID, raw.item_features)
    check_feature_types(users_table.columns, raw.user_features)
    check_feature_types(items_table.columns, raw.item_features)

    handed_over = [raw.interactions]  # so that nothing here holds them while they are prepared
    raw = replace(raw, interactions=raw.interactions.schema.empty_table())
    written = _write_interactions(stream, handed_over, preparation, items_table.ids, directory)
    joins = _joined(raw, users_table, items_table, written)
    rules = [
        *written.rules,
        *(
            table.rule(vocabulary)
            for table, vocabulary, rows in (
                (users_table, written.users, raw.users),
                (items_table, written.items, raw.items),
            )
            if rows is not None
        ),
    ]
    num_fixed_negatives = _write_entities(raw, users_table, items_table, written, directory)
    totals = written.totals
    digests = table_digests(table_paths(directory))
    Schema(
        name=raw.name,
        num_users=len(written.users),
        num_items=len(written.items),
        num_interactions=totals.num_interactions,
        num_positives=totals.num_positives,
        density=written.num_pairs / (len(written.users) * len(written.items)),
        rating=totals.scale("rating"),
        timestamp=totals.time,
        folds=totals.folds,
        num_fixed_negatives=num_fixed_negatives,
        positive_threshold=preparation.positive_threshold,
        user_features=raw.user_features,
        item_features=raw.item_features,
        rules=tuple(rules),
        sources=raw.sources,
        fingerprint=fingerprint,
        content_hash=hash_of_digests(digests),
        weight=totals.scale("weight"),
        further_columns=written.further_columns,
        columns=(*written.columns, *summarize_entities(raw)),
        joins=joins,
        notes=raw.notes,
        warnings=tuple(warned),
        digests={INTERACTIONS_FILE: digests[INTERACTIONS_FILE]},
    ).save(directory / SCHEMA_FILE)


def _write_interactions(
    stream: RawStream | None,
    rows: list[pa.Table],
    preparation: Preparation,
    item_ids: pa.StringArray,
    directory: Path,
) -> WrittenInteractions:
    """Write the interactions, and what training maps.

    Args:
        stream: the raw data, where they are gone through in partitions.
        rows: one raw table, which is taken out, where they are gone through in memory.
        preparation: the settings.
        item_ids: ids of the items table.
        directory: of the files.
    """
    path, scratch = directory / INTERACTIONS_FILE, directory / _SCRATCH
    if stream is not None:
        scratch.mkdir()
        with executor_of(preparation.engine, scratch) as executor:
            written = prepare_in_partitions(stream, preparation, item_ids, path, scratch, executor)
    else:
        written = prepare_in_memory(rows.pop(), preparation, item_ids, path)
    with pq.ParquetFile(path) as file:
        columns = read_columns(file, file.schema_arrow.names, None if stream is None else scratch)
        write_columns(columns, directory / COLUMNS_FILE, path)
        if preparation.null_ids == "warn":
            warn_of_null_ids(count_null_ids(written.users.ids, columns[USER_INDEX]), "users", NULL_IDS_REMEDY)
            warn_of_null_ids(count_null_ids(written.items.ids, columns[ITEM_INDEX]), "items", NULL_IDS_REMEDY)
        del columns
    shutil.rmtree(scratch, ignore_errors=True)
    return written


def _write_entities(
    raw: RawDataset, users_table: EntityTable, items_table: EntityTable, written: WrittenInteractions, directory: Path
) -> int | None:
    """Write users, items, their vocabularies and the fixed negatives; the number of these for each user, if any."""
    write_table(users_table.aligned(written.users), directory / USERS_FILE)
    write_table(items_table.aligned(written.items), directory / ITEMS_FILE)
    write_table(written.users.to_table(), directory / USER_VOCABULARY_FILE)
    write_table(written.items.to_table(), directory / ITEM_VOCABULARY_FILE)
    if raw.fixed_negatives is None:
        return None
    negatives = index_fixed_negatives(raw.fixed_negatives, written.users, written.items)
    write_table(negatives, directory / FIXED_NEGATIVES_FILE)
    return int(negatives.schema.field("item_indices").type.list_size)


def _joined(
    raw: RawDataset, users_table: EntityTable, items_table: EntityTable, written: WrittenInteractions
) -> tuple[TableJoin, ...]:
    """How the tables join the raw interactions, whose columns have been checked.

    Raises:
        DataError: a table has none of the ids of the interactions.

    Warns:
        DataWarning: few ids are in both, or some differ by white space alone.
    """
    joins = []
    for entities, rows, ids in (
        (users_table, raw.users, written.user_ids),
        (items_table, raw.items, written.item_ids),
    ):
        warn_of_spaces(ids, entities.name)
        if rows is not None:
            joins.append(join(entities.name, entities.ids, ids))
    return tuple(joins)
