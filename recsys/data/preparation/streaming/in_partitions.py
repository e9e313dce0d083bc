"""Prepares interactions that come as a stream, in partitions of the users."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.cli.progress import progress
from recsys.data.columns import ITEM_ID, USER_ID
from recsys.data.inspection.id_reading import IdReading
from recsys.data.interactions import IndexArray
from recsys.data.preparation.repeats import Repeats, repeats_rule
from recsys.data.preparation.returns import Returns
from recsys.data.preparation.rules import check_left, check_threshold
from recsys.data.preparation.streaming.executor import Executor
from recsys.data.preparation.streaming.ordered_rows import OrderedRows
from recsys.data.preparation.streaming.partition_files import read_rows, remove_rows
from recsys.data.preparation.streaming.partition_rules import PartitionResult, apply_rules
from recsys.data.preparation.streaming.partitioned import PartitionedInteractions
from recsys.data.preparation.streaming.partitioned_core import BoolArray, CoreResult, k_core_of_partitions
from recsys.data.preparation.streaming.row_scan import DividedRows, scan_rows
from recsys.data.preparation.totals import InteractionTotals
from recsys.data.preparation.written_interactions import WrittenInteractions
from recsys.data.raw_stream import RawStream
from recsys.data.schema import FURTHER_COLUMNS, AppliedRule
from recsys.data.vocabulary import Vocabulary

if TYPE_CHECKING:
    from recsys.data.preparing import Preparation

#: A partition is to have about as many bytes of text; in memory it takes several times as much.
_PARTITION_BYTES = 32 << 20
#: With more, what a batch of rows gives to each becomes so little that writing it takes longer than dividing it.
_MAX_PARTITIONS = 1024


def prepare_in_partitions(
    stream: RawStream,
    preparation: Preparation,
    item_ids: pa.StringArray,
    path: Path,
    scratch: Path,
    executor: Executor,
    num_partitions: int | None = None,
) -> WrittenInteractions:
    """Clean, index and write interactions; the result is that of :func:`.prepare_in_memory`, to the last bit.

    All that concerns one user is done in the partition of that user, by the functions that do it in memory. What
    concerns all is the distinct ids, the counts of items and the order of the rows.

    Args:
        stream: the raw data.
        preparation: the settings.
        item_ids: ids of the items table, for ``include_unrated_items``.
        path: the Parquet file to write.
        scratch: an empty directory for what does not fit into memory.
        executor: runs what is done by partition, in this process or on a cluster.
        num_partitions: into how many parts users are divided; None to choose by the size of the data.

    Raises:
        DataError: the data break a rule, or the rules leave nothing.

    Warns:
        DataWarning: many interactions repeat another one.
    """
    num_partitions = num_partitions or min(_MAX_PARTITIONS, 1 + stream.num_bytes // _PARTITION_BYTES)
    divided = scan_rows(stream, scratch, num_partitions, IdReading.of(preparation), executor)
    scan = divided.scan
    rules = [scan.report.rule(preparation.invalid_rows)]
    threshold = preparation.positive_threshold
    if threshold is not None:
        check_threshold(threshold, scan.rating_range)
    raw_items = scan.columns.distinct_texts(ITEM_ID)
    items = Vocabulary.from_ids(raw_items, ITEM_ID)
    results, rated_items = _apply_rules(divided, preparation, items, scratch, num_partitions, executor)
    returns = sum((result.returns for result in results), Returns())
    rules += [] if (rule := returns.rule()) is None else [rule]
    columns = frozenset[str]().union(*(result.columns for result in results))
    rules.append(_repeats_rule(results, preparation, columns, is_weighted="weight" in scan.columns.names))
    parts = PartitionedInteractions(scratch, tuple(len(result.user_ids) for result in results), len(items), columns)
    catalogue = k_core_of_partitions(
        parts, preparation.min_user_interactions, preparation.min_item_interactions, threshold, executor
    )
    rules.append(catalogue.rule)
    check_left(catalogue.num_interactions, scan.report.num_rows, rules)

    users, user_index = _index_users(results, catalogue.users)
    kept_items, item_index = _index_items(items, rated_items, catalogue, item_ids, preparation.include_unrated_items)
    ordered = OrderedRows(
        parts,
        catalogue.core,
        user_index,
        item_index,
        (len(users), len(kept_items)),
        scan.report.num_rows,
        catalogue.num_interactions,
    )
    totals = InteractionTotals(threshold)
    ordered.write(path, totals, executor)
    return WrittenInteractions(
        users=users,
        items=kept_items,
        rules=rules,
        totals=totals,
        num_pairs=ordered.num_pairs(executor) if preparation.repeats == "keep" else totals.num_interactions,
        further_columns=tuple(name for name in FURTHER_COLUMNS if name in columns),
        user_ids=scan.columns.distinct_texts(USER_ID),
        item_ids=raw_items,
        columns=scan.columns.summaries(),
    )


def _apply_rules(
    divided: DividedRows,
    preparation: Preparation,
    items: Vocabulary,
    scratch: Path,
    num_partitions: int,
    executor: Executor,
) -> tuple[list[PartitionResult], BoolArray]:
    """What the rules did in each partition, and which items have a valid interaction in any."""
    shared = (items, scratch, divided.first_rows, preparation.repeats, divided.scan.has_subseconds)
    found = executor.map(_apply_rules_to, [(partition,) for partition in range(num_partitions)], shared)
    results: list[PartitionResult] = []
    rated_items: BoolArray = np.zeros(len(items), dtype=np.bool_)
    for result, rated in progress.track(found, "resolving repeats", num_partitions):
        remove_rows(scratch, len(results), len(divided.first_rows))
        results.append(result)
        rated_items |= rated
    return results, rated_items


def _apply_rules_to(
    items: Vocabulary,
    scratch: Path,
    first_rows: tuple[int, ...],
    repeats: Repeats,
    has_subseconds: bool,
    partition: int,
) -> tuple[PartitionResult, BoolArray]:
    rows = read_rows(scratch, partition, first_rows)
    if rows is None:
        return PartitionResult.empty(), np.zeros(len(items), dtype=np.bool_)
    return apply_rules(rows, partition, items, repeats, has_subseconds, scratch)


def _repeats_rule(
    results: list[PartitionResult], preparation: Preparation, columns: frozenset[str], is_weighted: bool
) -> AppliedRule:
    return repeats_rule(
        preparation.repeats,
        sum(result.num_repeats for result in results),
        sum(result.num_without_returns for result in results),
        is_split="fold" in columns,
        is_weighted=is_weighted,
    )


def _index_users(results: list[PartitionResult], kept: list[BoolArray]) -> tuple[Vocabulary, list[IndexArray]]:
    """The vocabulary of the users that stay, and by partition the index of each of its users."""
    ids = pa.chunked_array([result.user_ids for result in results], pa.string())
    mask = np.concatenate(kept)
    places = np.flatnonzero(mask)[pc.array_sort_indices(ids.filter(pa.array(mask))).to_numpy()]
    index = np.full(len(mask), -1, dtype=np.int32)
    index[places] = np.arange(len(places), dtype=np.int32)
    bounds = np.cumsum([len(users) for users in kept])[:-1]
    return Vocabulary(ids.take(places).combine_chunks(), USER_ID), np.split(index, bounds)


def _index_items(
    items: Vocabulary, rated_items: BoolArray, catalogue: CoreResult, item_ids: pa.StringArray, unrated: bool
) -> tuple[Vocabulary, IndexArray]:
    """The vocabulary of the catalogue, and the index of each of the raw ``items``; -1 for one that is not in it."""
    ids = items.ids.filter(pa.array(catalogue.items))
    if unrated:
        rated = items.ids.filter(pa.array(rated_items))
        ids = pa.concat_arrays([ids, item_ids.filter(pc.invert(pc.is_in(item_ids, value_set=rated)))])
    kept = Vocabulary.from_ids(ids, ITEM_ID)
    return kept, kept.index_of(items.ids)
