"""Appends interactions to prepared data: the next generation of a prepared directory."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.data.appending.admission import admitted_rows
from recsys.data.appending.entities import grown_table
from recsys.data.appending.merging import merge
from recsys.data.appending.new_ids import IdsInOrder
from recsys.data.appending.unusual_rows import (
    check_ids,
    warn_of_foreign_rows,
    warn_of_new_null_ids,
    warn_of_rows_again,
    warn_of_values,
)
from recsys.data.appending.writing import write_generation
from recsys.data.columns import ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.data.inspection.id_reading import IdReading
from recsys.data.interactions import Interactions
from recsys.data.preparation.catalogue import EntityTable
from recsys.data.preparation.cleaning import k_core_rule
from recsys.data.preparation.raw_interactions import code_interactions
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.prepared_files import PENDING_FILE, locked, replaced_when_complete
from recsys.data.preparing import Preparation
from recsys.data.raw import RawDataset, Reader
from recsys.data.schema import FORMAT_VERSION, AppliedRule
from recsys.errors import DataError, PreparedDataError

#: Columns that all generations have, or none.
_SAME_IN_ALL = (RATING, TIMESTAMP)


@dataclass(frozen=True, slots=True)
class Appended:
    """A generation of prepared data.

    Args:
        prepared: the data.
        is_new: False where the same interactions had been appended to the same data before.
    """

    prepared: PreparedDataset
    is_new: bool


def _accept_all(prepared: PreparedDataset) -> None:
    """Accept any generation."""


def append(
    parent: PreparedDataset, reader: Reader, accept: Callable[[PreparedDataset], None] = _accept_all
) -> Appended:
    """Append what ``reader`` reads to prepared data, with the settings that these were prepared with.

    The result is a directory beside that of ``parent``, which stays as it is. It appears when it is complete. Indices
    of users and items are those of ``parent``; new ones get the next, in the order of their first interaction. The same
    call again gives the same directory, and writes nothing.

    Args:
        parent: the data so far.
        reader: of the new interactions; of users and items it may have rows, which take the place of earlier ones.
        accept: is given the next generation before it appears; where it raises an error, nothing is left of it.

    Raises:
        SourceError: the files could not be found or read.
        DataError: the data come split, the new interactions break a rule, lack a column, or were appended before.
        PreparedDataError: the directory cannot be written.

    Warns:
        DataWarning: something about the new interactions is seldom meant.
    """
    if parent.interactions.fold is not None or parent.fixed_negatives is not None:
        raise DataError(
            f"{parent.schema.name} comes already split, and what is appended has no place in its split. Prepare it "
            "unsplit, from one table of interactions, and choose split=hash."
        )
    fingerprint = _fingerprint(parent, reader)
    directory = _directory(parent, fingerprint)
    there = _reusable(directory, fingerprint)
    is_new = False
    if there is None:
        with locked(directory):
            there = _reusable(directory, fingerprint)
            if there is None:
                _make(parent, reader, fingerprint, directory, accept)
                there, is_new = open_prepared(directory), True
    if not is_new:
        accept(there)
    tell_again(there.schema.warnings[len(parent.schema.warnings) :])
    return Appended(there, is_new)


def preparation_of(prepared: PreparedDataset) -> Preparation:
    """The settings that some data, or the first generation of them, were prepared with.

    Raises:
        PreparedDataError: the data do not say.
    """
    given = prepared.schema.fingerprint.get("preparation")
    names = {field.name for field in fields(Preparation)}
    if not isinstance(given, Mapping) or not set(given) <= names:
        raise PreparedDataError(
            f"{prepared.directory} does not say which settings it was prepared with. Prepare the data again."
        )
    return Preparation(**given)


def _fingerprint(parent: PreparedDataset, reader: Reader) -> dict[str, Any]:
    content = {
        "format_version": FORMAT_VERSION,
        "appended_to": parent.schema.content_hash,
        "reader": reader.fingerprint(),
        "preparation": dict(parent.schema.fingerprint.get("preparation", {})),
    }
    return dict(json.loads(json.dumps(content)))


def _directory(parent: PreparedDataset, fingerprint: dict[str, Any]) -> Path:
    name = re.sub(r"-[0-9a-f]{12}$", "", parent.directory.name)
    digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()
    return parent.directory.parent / f"{name}-{digest[:12]}"


def _reusable(directory: Path, fingerprint: dict[str, Any]) -> PreparedDataset | None:
    try:
        prepared = open_prepared(directory)
    except PreparedDataError:
        return None
    return prepared if prepared.schema.fingerprint == fingerprint else None


def _make(
    parent: PreparedDataset,
    reader: Reader,
    fingerprint: dict[str, Any],
    directory: Path,
    accept: Callable[[PreparedDataset], None],
) -> None:
    with collected_warnings() as warned:
        raw = reader.read()
        _check_new(parent, raw)
        with replaced_when_complete(directory) as partial:
            _write(parent, raw, fingerprint, partial, warned)
            accept(open_prepared(partial))


def _check_new(parent: PreparedDataset, raw: RawDataset) -> None:
    """Require that none of the files was appended before, and that the columns are those of the data so far."""
    before = {source.sha256 for source in parent.schema.sources}
    again = [source.name for source in raw.sources if source.sha256 in before]
    if again:
        raise DataError(
            f"New interactions are required, but {', '.join(again)} is part of the data already (generation "
            f"{parent.schema.generation} of {parent.schema.name}). Give what came since."
        )
    names = raw.interactions.column_names
    for name in _SAME_IN_ALL:
        had = getattr(parent.interactions, name) is not None
        if had and name not in names:
            raise DataError(
                f"{parent.schema.name} has a {name} for each interaction, and the new ones have none; their columns "
                f"are {', '.join(names)}. Say which column it is (columns.{name}=NAME)."
            )


def _write(
    parent: PreparedDataset, raw: RawDataset, fingerprint: dict[str, Any], directory: Path, warned: list[str]
) -> None:
    preparation = preparation_of(parent)
    raw = IdReading.of(preparation).ids_of(raw)
    users_table = EntityTable.check(raw.users, USER_ID, ())
    items_table = EntityTable.check(raw.items, ITEM_ID, ())
    new, users, items, rule = _indexed(parent, raw.interactions, preparation)
    known = (len(parent.user_vocabulary), len(parent.item_vocabulary))
    minimums = (preparation.min_user_interactions, preparation.min_item_interactions)
    admitted = admitted_rows(new, known, *minimums, preparation.positive_threshold)
    left_out = {"interactions": int((~admitted).sum())}
    pending = _ids_and_values(new.take(~admitted), users.every_id, items.every_id)
    user_vocabulary, user_index = users.kept(admitted)
    item_vocabulary, item_index = items.kept(admitted)
    if preparation.include_unrated_items:
        unknown = pc.is_in(items_table.ids, value_set=item_vocabulary.ids)
        item_vocabulary = item_vocabulary.appended(items_table.ids.filter(pc.invert(unknown)))
    num_users, num_items = len(user_vocabulary), len(item_vocabulary)
    new = replace(
        new.take(admitted), user_index=user_index, item_index=item_index, num_users=num_users, num_items=num_items
    )
    there = replace(parent.interactions, num_users=num_users, num_items=num_items)
    merged = merge(there, new, preparation.repeats)
    warn_of_rows_again(merged.num_again, len(new))
    tables = []
    for given, entities, vocabulary in (
        (raw.users, users_table, user_vocabulary),
        (raw.items, items_table, item_vocabulary),
    ):
        if given is not None:
            warn_of_foreign_rows(entities, vocabulary)
            tables.append(entities.rule(vocabulary))
    core = k_core_rule(*minimums, preparation.positive_threshold, left_out)
    note = "what was admitted stays; the others wait for more" if len(pending) else ""
    write_generation(
        parent,
        merged,
        grown_table(parent.users, users_table, user_vocabulary),
        grown_table(parent.items, items_table, item_vocabulary),
        (user_vocabulary, item_vocabulary),
        pending,
        (rule, *merged.rules, replace(core, note=note), *tables),
        raw.sources,
        fingerprint,
        tuple(warned),
        directory,
    )


def _indexed(
    parent: PreparedDataset, rows: pa.Table, preparation: Preparation
) -> tuple[Interactions, IdsInOrder, IdsInOrder, AppliedRule]:
    """The valid ones of new interactions, behind those that wait, by their indices.

    Returns:
        The interactions; the ids of their users and of their items; and what was left out as invalid.

    Raises:
        DataError: they are invalid, or their ids are written in another way than those so far.
    """
    table, num_pending = _with_pending(parent, rows)
    coded = code_interactions(table, preparation.invalid_rows)
    users = IdsInOrder.of(parent.user_vocabulary, coded.users, coded.interactions.user_index)
    items = IdsInOrder.of(parent.item_vocabulary, coded.items, coded.interactions.item_index)
    new = replace(
        coded.interactions,
        user_index=users.index,
        item_index=items.index,
        num_users=users.num_all,
        num_items=items.num_all,
    )
    for ids, what in ((users, "users"), (items, "items")):
        check_ids(ids, ids.index[num_pending:], what)
        if preparation.null_ids == "warn":
            warn_of_new_null_ids(ids, ids.index[num_pending:], what)
    warn_of_values(new.take(np.arange(num_pending, len(new))), parent.schema)
    return new, users, items, coded.rule


def _with_pending(parent: PreparedDataset, table: pa.Table) -> tuple[pa.Table, int]:
    """The columns that count of the new interactions, behind those that were not admitted before; and how many.

    None of the latter is invalid.
    """
    names = [USER_ID, ITEM_ID]
    names += [name for name in _SAME_IN_ALL if getattr(parent.interactions, name) is not None]
    names += [name for name in (WEIGHT, SUBSECOND_NS) if name in table.column_names]
    table = table.select([name for name in names if name in table.column_names])
    path = parent.directory / PENDING_FILE
    if not path.is_file():
        return table, 0
    waiting = pq.read_table(path)
    for name in (USER_ID, ITEM_ID):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(pa.string()))
    whole = pa.concat_tables([waiting, table], promote_options="permissive")
    for name, value in ((WEIGHT, 1.0), (SUBSECOND_NS, 0)):
        if name in whole.column_names:
            place = whole.column_names.index(name)
            whole = whole.set_column(place, name, pc.fill_null(whole.column(name), value))
    return whole, len(waiting)


def _ids_and_values(rows: Any, user_ids: pa.StringArray, item_ids: pa.StringArray) -> pa.Table:
    """Interactions by their ids, as a raw table has them."""
    columns = {
        USER_ID: user_ids.take(pa.array(np.asarray(rows.user_index), pa.int64())),
        ITEM_ID: item_ids.take(pa.array(np.asarray(rows.item_index), pa.int64())),
    }
    for name in (RATING, TIMESTAMP, WEIGHT, SUBSECOND_NS):
        if (values := getattr(rows, name)) is not None:
            columns[name] = pa.array(values)
    return pa.table(columns)
