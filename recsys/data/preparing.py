"""Preparation: turns the raw data of a reader into a prepared directory."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.columns import FOLD, FOLDS, ITEM_ID, ITEM_INDEX, RATING, TIMESTAMP, USER_ID, USER_INDEX
from recsys.data.content_hash import content_hash
from recsys.data.data_warnings import collected_warnings, tell_again
from recsys.data.feature_encoding import check_feature_types
from recsys.data.inspection.column_summary import summarize_columns
from recsys.data.inspection.id_spaces import strip_ids, warn_of_spaces
from recsys.data.inspection.table_joins import TableJoin, join
from recsys.data.interactions import Interactions
from recsys.data.preparation.catalogue import EntityTable, index_fixed_negatives
from recsys.data.preparation.raw_interactions import InvalidRows
from recsys.data.preparation.repeats import Repeats, num_pairs
from recsys.data.preparation.rules import clean
from recsys.data.prepared import PreparedDataset, open_prepared
from recsys.data.prepared_files import (
    FIXED_NEGATIVES_FILE,
    INTERACTIONS_FILE,
    ITEM_VOCABULARY_FILE,
    ITEMS_FILE,
    SCHEMA_FILE,
    USER_VOCABULARY_FILE,
    USERS_FILE,
    locked,
    replaced_when_complete,
    table_paths,
    write_table,
)
from recsys.data.raw import RawDataset, Reader
from recsys.data.schema import FORMAT_VERSION, FURTHER_COLUMNS, RatingScale, Schema, TimeRange
from recsys.errors import DataError, PreparedDataError


@dataclass(frozen=True, slots=True)
class Preparation:
    """Settings of preparation; everything else follows the rules in docs/data.md.

    Args:
        positive_threshold: lowest rating of a positive interaction, the implicit view of the ratings; None where
            every interaction is positive. All ratings are kept.
        min_user_interactions: positive interactions that a user needs to stay.
        min_item_interactions: positive interactions that an item needs to stay.
        include_unrated_items: whether rows of the items table without an interaction are part of the catalogue.
        invalid_rows: "error" to refuse rows without an id, a finite rating or weight or a credible timestamp, "drop"
            to leave them out.
        repeats: what becomes of several interactions of a user with one item: "latest", "first", "keep" or
            "aggregate", see :func:`recsys.data.preparation.repeats.resolve_repeats`.
        strip_ids: whether white space around ids is left out; otherwise "u1 " and "u1" are two users.

    Raises:
        DataError: a value is of another type or out of range.
    """

    positive_threshold: float | None = None
    min_user_interactions: int = 1
    min_item_interactions: int = 1
    include_unrated_items: bool = False
    invalid_rows: InvalidRows = "error"
    repeats: Repeats = "latest"
    strip_ids: bool = False

    def __post_init__(self) -> None:
        threshold = self.positive_threshold
        if threshold is not None:
            is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
            self._require("positive_threshold", is_number and math.isfinite(threshold), "a number or null")
            # 4 and 4.0 are the same choice, and must not lead to two directories.
            object.__setattr__(self, "positive_threshold", float(threshold))
        for name in ("min_user_interactions", "min_item_interactions"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            self._require(name, whole, "a whole number of at least 1")
        for name in ("include_unrated_items", "strip_ids"):
            self._require(name, isinstance(getattr(self, name), bool), "true or false")
        for name, choices in (("invalid_rows", get_args(InvalidRows)), ("repeats", get_args(Repeats))):
            self._require(name, getattr(self, name) in choices, " or ".join(choices))

    def _require(self, name: str, holds: bool, required: str) -> None:
        if not holds:
            raise DataError(f"preparation.{name} must be {required}, but is {getattr(self, name)!r}. Correct it.")

    def prepare(self, reader: Reader, directory: Path) -> PreparedDataset:
        """Read, clean, index and write; an older prepared directory of that name is replaced.

        Raises:
            SourceError: the raw files could not be found, fetched or trusted.
            DataError: the raw data break a rule, or the rules leave nothing.
            PreparedDataError: ``directory`` holds something else, or cannot be written.

        Warns:
            DataWarning: something about the data is seldom meant.
        """
        with locked(directory):
            prepared = self._write(reader, directory, _fingerprint(reader, self))
        tell_again(prepared.schema.warnings)
        return prepared

    def _write(self, reader: Reader, directory: Path, fingerprint: dict[str, Any]) -> PreparedDataset:
        with collected_warnings() as warned:
            raw = reader.read()
            with replaced_when_complete(directory) as partial:
                write_prepared(raw, self, fingerprint, partial, warned)
        return open_prepared(directory)


def prepared_directory(parent: Path, reader: Reader, preparation: Preparation) -> Path:
    """Path of the prepared data of these settings: ``parent/NAME-HASH``, different for different settings."""
    return _directory(parent, reader, _fingerprint(reader, preparation))


def _directory(parent: Path, reader: Reader, fingerprint: dict[str, Any]) -> Path:
    name = re.sub(r"[^\w.-]", "_", reader.name).strip(".") or "data"
    digest = hashlib.sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()
    return parent / f"{name}-{digest[:12]}"


def load_or_prepare(
    parent: Path,
    reader: Reader,
    preparation: Preparation,
    on_prepared: Callable[[PreparedDataset], None] = lambda prepared: None,
) -> PreparedDataset:
    """Open the prepared data of these settings, and prepare them first where they are missing or incomplete.

    Processes that ask for the same data at the same time wait for the first of them.

    Args:
        parent: directory of all prepared data.
        reader: reads the raw data.
        preparation: the settings.
        on_prepared: is told of data that were prepared now.

    Raises:
        SourceError: the raw files could not be found, fetched or trusted.
        DataError: the raw data break a rule, or the rules leave nothing.
        PreparedDataError: the directory cannot be written.

    Warns:
        DataWarning: something about the data is seldom meant; also of data that were prepared before.
    """
    fingerprint = _fingerprint(reader, preparation)
    directory = _directory(parent, reader, fingerprint)
    prepared = _reusable(directory, fingerprint)
    if prepared is None:
        with locked(directory):
            prepared = _reusable(directory, fingerprint)
            if prepared is None:
                prepared = preparation._write(reader, directory, fingerprint)
                on_prepared(prepared)
    tell_again(prepared.schema.warnings)
    return prepared


def _reusable(directory: Path, fingerprint: dict[str, Any]) -> PreparedDataset | None:
    try:
        prepared = open_prepared(directory)
    except PreparedDataError:
        return None
    return prepared if prepared.schema.fingerprint == fingerprint else None


def _fingerprint(reader: Reader, preparation: Preparation) -> dict[str, Any]:
    """Everything that the prepared data depend on, as JSON types."""
    fingerprint = {
        "format_version": FORMAT_VERSION,
        "reader": reader.fingerprint(),
        "preparation": asdict(preparation),
    }
    return dict(json.loads(json.dumps(fingerprint)))


def write_prepared(
    raw: RawDataset,
    preparation: Preparation,
    fingerprint: dict[str, Any],
    directory: Path,
    warned: Sequence[str] = (),
) -> None:
    """Clean and index ``raw`` and write the files of a prepared directory.

    Args:
        raw: the raw data.
        preparation: the settings.
        fingerprint: of the reader and the settings.
        directory: an empty one.
        warned: the warnings about the data so far, to which this function's own may be added meanwhile.

    Raises:
        DataError: the raw data break a rule, or the rules leave nothing.

    Warns:
        DataWarning: something about the data is seldom meant.
    """
    if preparation.strip_ids:
        raw = strip_ids(raw)
    users_table = EntityTable.check(raw.users, USER_ID, raw.user_features)
    items_table = EntityTable.check(raw.items, ITEM_ID, raw.item_features)
    check_feature_types(users_table.columns, raw.user_features)
    check_feature_types(items_table.columns, raw.item_features)

    interactions, users, items, rules = clean(raw.interactions, preparation, items_table.ids)
    joins = _joined(raw, users_table, items_table)
    rules += [
        table.rule(vocabulary)
        for table, vocabulary, given in ((users_table, users, raw.users), (items_table, items, raw.items))
        if given is not None
    ]
    write_table(_interactions_table(interactions), directory / INTERACTIONS_FILE)
    write_table(users_table.aligned(users), directory / USERS_FILE)
    write_table(items_table.aligned(items), directory / ITEMS_FILE)
    write_table(users.to_table(), directory / USER_VOCABULARY_FILE)
    write_table(items.to_table(), directory / ITEM_VOCABULARY_FILE)
    num_fixed_negatives = None
    if raw.fixed_negatives is not None:
        negatives = index_fixed_negatives(raw.fixed_negatives, users, items)
        num_fixed_negatives = negatives.schema.field("item_indices").type.list_size
        write_table(negatives, directory / FIXED_NEGATIVES_FILE)

    num_interactions = len(interactions)
    timestamp, fold = interactions.timestamp, interactions.fold
    Schema(
        name=raw.name,
        num_users=len(users),
        num_items=len(items),
        num_interactions=num_interactions,
        num_positives=len(interactions.rows_rated_at_least(preparation.positive_threshold)),
        density=(num_pairs(interactions) if preparation.repeats == "keep" else num_interactions)
        / (len(users) * len(items)),
        rating=_scale(interactions.rating),
        timestamp=None if timestamp is None else TimeRange(int(timestamp.min()), int(timestamp.max())),
        folds=None if fold is None else dict(zip(FOLDS, np.bincount(fold, minlength=len(FOLDS)).tolist(), strict=True)),
        num_fixed_negatives=num_fixed_negatives,
        positive_threshold=preparation.positive_threshold,
        user_features=raw.user_features,
        item_features=raw.item_features,
        rules=tuple(rules),
        sources=raw.sources,
        fingerprint=fingerprint,
        content_hash=content_hash(table_paths(directory)),
        weight=_scale(interactions.weight),
        further_columns=tuple(name for name in FURTHER_COLUMNS if getattr(interactions, name) is not None),
        columns=summarize_columns(raw),
        joins=joins,
        notes=raw.notes,
        warnings=tuple(warned),
    ).save(directory / SCHEMA_FILE)


def _scale(values: npt.NDArray[np.float32] | None) -> RatingScale | None:
    if values is None:
        return None
    return RatingScale(float(values.min()), float(values.max()), float(values.mean(dtype=np.float64)))


def _joined(raw: RawDataset, users_table: EntityTable, items_table: EntityTable) -> tuple[TableJoin, ...]:
    """How the tables join the raw interactions, whose columns have been checked.

    Raises:
        DataError: a table has none of the ids of the interactions.

    Warns:
        DataWarning: few ids are in both, or some differ by white space alone.
    """
    joins = []
    for column, entities, given in ((USER_ID, users_table, raw.users), (ITEM_ID, items_table, raw.items)):
        ids = pc.unique(raw.interactions[column].unify_dictionaries()).cast(pa.string())
        ids = ids.filter(pc.not_equal(ids, ""))
        warn_of_spaces(ids, entities.name)
        if given is not None:
            joins.append(join(entities.name, entities.ids, ids))
    return tuple(joins)


def _interactions_table(interactions: Interactions) -> pa.Table:
    columns = {
        USER_INDEX: pa.array(interactions.user_index),
        ITEM_INDEX: pa.array(interactions.item_index),
    }
    if interactions.rating is not None:
        columns[RATING] = pa.array(interactions.rating)
    if interactions.timestamp is not None:
        columns[TIMESTAMP] = pa.array(interactions.timestamp)
    for name in FURTHER_COLUMNS:
        if (values := getattr(interactions, name)) is not None:
            columns[name] = pa.array(values)
    if interactions.fold is not None:
        columns[FOLD] = pa.DictionaryArray.from_arrays(pa.array(interactions.fold), pa.array(FOLDS))
    return pa.table(columns)
