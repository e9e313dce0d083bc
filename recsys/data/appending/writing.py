"""Writes the files of a generation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from recsys.data.appending.merging import MergedInteractions
from recsys.data.appending.part_writing import write_interactions
from recsys.data.content_hash import hash_of_digests, table_digests
from recsys.data.interaction_files import InteractionFiles
from recsys.data.mapped_columns import write_columns
from recsys.data.preparation.totals import InteractionTotals
from recsys.data.preparation.written_interactions import further_columns_of
from recsys.data.prepared import PreparedDataset
from recsys.data.prepared_files import (
    COLUMNS_FILE,
    ITEM_VOCABULARY_FILE,
    ITEMS_FILE,
    PENDING_FILE,
    SCHEMA_FILE,
    USER_VOCABULARY_FILE,
    USERS_FILE,
    part_names,
    table_paths,
    write_table,
)
from recsys.data.raw import RawSource
from recsys.data.schema import AppliedRule
from recsys.data.vocabulary import Vocabulary


def write_generation(
    parent: PreparedDataset,
    merged: MergedInteractions,
    users: pa.Table,
    items: pa.Table,
    vocabularies: tuple[Vocabulary, Vocabulary],
    pending: pa.Table,
    rules: tuple[AppliedRule, ...],
    sources: tuple[RawSource, ...],
    fingerprint: dict[str, Any],
    warnings: tuple[str, ...],
    directory: Path,
) -> None:
    """Write the files of the generation after ``parent``.

    Args:
        parent: the generation before.
        merged: interactions of all generations.
        users: one row for each user.
        items: one row for each item.
        vocabularies: of users and items.
        pending: interactions that are not admitted yet, by ids.
        rules: what was done to the new interactions.
        sources: the files that they came from.
        fingerprint: of the generation.
        warnings: about the new interactions.
        directory: an empty one.
    """
    interactions, before = merged.interactions, parent.schema
    known = write_interactions(parent, merged, directory)
    write_columns(interactions.columns(), directory / COLUMNS_FILE, *InteractionFiles.of(directory).sources)
    write_table(users, directory / USERS_FILE)
    write_table(items, directory / ITEMS_FILE)
    write_table(vocabularies[0].to_table(), directory / USER_VOCABULARY_FILE)
    write_table(vocabularies[1].to_table(), directory / ITEM_VOCABULARY_FILE)
    if len(pending):
        write_table(pending, directory / PENDING_FILE)
    totals = InteractionTotals(before.positive_threshold)
    totals.add(interactions)
    num_pairs = round(before.density * before.num_users * before.num_items) + merged.num_pairs_more
    digests = table_digests(table_paths(directory), known)
    replace(
        before,
        num_users=len(vocabularies[0]),
        num_items=len(vocabularies[1]),
        num_interactions=totals.num_interactions,
        num_positives=totals.num_positives,
        density=num_pairs / (len(vocabularies[0]) * len(vocabularies[1])),
        rating=totals.scale("rating"),
        timestamp=totals.time,
        rules=rules,
        sources=(*before.sources, *sources),
        fingerprint=fingerprint,
        content_hash=hash_of_digests(digests),
        weight=totals.scale("weight"),
        further_columns=further_columns_of(interactions),
        warnings=(*before.warnings, *warnings),
        generation=before.generation + 1,
        parent=before.content_hash,
        digests={name: digests[name] for name in part_names(directory)},
    ).save(directory / SCHEMA_FILE)
