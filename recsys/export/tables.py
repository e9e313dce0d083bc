"""The tables of a bundle, from the data and the model. Shape suffixes: I items of the catalogue, D dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor, nn

from recsys.data.columns import ITEM_INDEX, RATING, TIMESTAMP, USER_INDEX
from recsys.data.encoded_columns import EncodedColumn, write_columns
from recsys.data.histories import Histories
from recsys.data.prepared import PreparedDataset
from recsys.errors import ModelError
from recsys.models.components.tf_idf import choose_columns, tf_idf
from recsys.models.interface.protocols import Factorized
from recsys.runtime.bundle import (
    HISTORIES,
    ITEM_VOCABULARY,
    ITEMS,
    NEIGHBOURS,
    POPULARITY,
    USER_COLUMNS,
    USER_VOCABULARY,
    USERS,
)
from recsys.runtime.neighbours import NeighbourTable

#: Similarities that are held at once.
MAX_SIMILARITIES = 2**24


def write_tables(
    prepared: PreparedDataset,
    model: nn.Module,
    user_columns: Sequence[EncodedColumn],
    directory: Path,
    num_neighbours: int,
    histories: bool,
) -> str | None:
    """Write all tables of a bundle.

    Args:
        prepared: the data.
        model: that finds candidates, on the CPU.
        user_columns: that the models read.
        directory: of the bundle.
        num_neighbours: that are kept of each item.
        histories: whether what is known of users is among them: what they have, and their columns.

    Returns:
        What neighbours are measured by; None where there is no such table.
    """
    prepared.item_vocabulary.save(directory / ITEM_VOCABULARY)
    prepared.user_vocabulary.save(directory / USER_VOCABULARY)
    pq.write_table(prepared.items, directory / ITEMS, compression="zstd")
    counts = np.bincount(prepared.positives().item_index, minlength=prepared.schema.num_items)
    np.save(directory / POPULARITY, counts.astype(np.int64), allow_pickle=False)
    if histories:
        write_histories(prepared, directory / HISTORIES)
    if user_columns:
        write_columns(user_columns, directory / USER_COLUMNS)
    if user_columns and histories:
        read = prepared.users.select([column.name for column in user_columns])
        pq.write_table(read, directory / USERS, compression="zstd")
    found = neighbour_table(model, prepared, num_neighbours)
    if found is None:
        return None
    table, measure = found
    table.write(directory / NEIGHBOURS)
    return measure


def write_histories(prepared: PreparedDataset, path: Path) -> None:
    """Write what each user has, oldest first: all interactions, with what was not liked."""
    histories = Histories.from_interactions(prepared.interactions)
    users = torch.repeat_interleave(torch.arange(len(histories)), histories.counts)
    columns = {USER_INDEX: users.int().numpy(), ITEM_INDEX: histories.items.int().numpy()}
    if histories.rating is not None:
        columns[RATING] = histories.rating.numpy()
    if histories.timestamp is not None:
        columns[TIMESTAMP] = histories.timestamp.numpy()
    pq.write_table(pa.table(columns), path, compression="zstd")


@torch.inference_mode()
def neighbour_table(
    model: nn.Module, prepared: PreparedDataset, num_neighbours: int
) -> tuple[NeighbourTable, str] | None:
    """The neighbours of each item, and what they are measured by.

    Of a model with weights from item to item, those in the score of the item; of a model with item vectors, their
    cosine; of any other, the cosine of what is said about the items; None where nothing is said.

    Args:
        model: that finds candidates, on the CPU.
        prepared: the data.
        num_neighbours: of each item, at most.
    """
    num_items = prepared.schema.num_items
    size = max(1, MAX_SIMILARITIES // max(1, num_items))
    blocks = torch.arange(num_items).split(size)
    if (item_weights := getattr(model, "item_weights", None)) is not None:
        return _table((item_weights(items) for items in blocks), num_items, num_neighbours), "weight in the score"
    if isinstance(model, Factorized):
        vectors = torch.nn.functional.normalize(model.encode_items(torch.arange(num_items)).nan_to_num(), dim=1)
        return _table((vectors[items] @ vectors.T for items in blocks), num_items, num_neighbours), "cosine of vectors"
    features = prepared.item_features()
    try:
        columns = choose_columns(features, None)
    except ModelError:
        return None
    words = tf_idf(features, columns)
    # Of the block's items as they are, and of all others by the product with them.
    products = ((words @ words.slice(int(items[0]), int(items[-1]) + 1).dense().T).T for items in blocks)
    return _table(products, num_items, num_neighbours), f"cosine of {', '.join(columns)}"


def _table(blocks: object, num_items: int, num_neighbours: int) -> NeighbourTable:
    """The largest similarities above zero of each row of the blocks, an item never its own neighbour."""
    counts, neighbours, weights, start = [], [], [], 0
    for similarities in blocks:  # type: ignore[attr-defined]
        block: Tensor = similarities.clone()
        rows = torch.arange(len(block))
        block[rows, start + rows] = -torch.inf
        best = block.topk(min(num_neighbours, num_items), dim=1)
        kept = best.values > 0
        counts.append(kept.sum(1))
        neighbours.append(best.indices[kept])
        weights.append(best.values[kept])
        start += len(block)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), torch.cat(counts).cumsum(0)])
    return NeighbourTable(offsets.numpy(), torch.cat(neighbours).numpy(), torch.cat(weights).numpy().astype(np.float32))
