"""The tables of a bundle, from the data and the model. Shape suffixes: I items of the catalogue, D dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from recsys.data.column_values import is_date, plain_type
from recsys.data.columns import ITEM_INDEX, RATING, TIMESTAMP, USER_INDEX
from recsys.data.encoded_columns import EncodedColumn, write_columns
from recsys.data.histories import Histories
from recsys.data.id_index import IdIndex
from recsys.data.prepared import PreparedDataset
from recsys.models.interface.protocols import ScoringModel
from recsys.recommendation.similar_items import ItemSimilarity, content_similarity, model_similarity
from recsys.retrieval.types import BoolArray
from recsys.runtime.bundle import (
    HISTORIES,
    ITEM_IDS,
    ITEM_VOCABULARY,
    ITEMS,
    KNOWN_ITEMS,
    KNOWN_USERS,
    MAPPED_HISTORIES,
    NEIGHBOURS,
    NUM_INTERACTIONS,
    POPULARITY,
    USER_COLUMNS,
    USER_IDS,
    USER_VOCABULARY,
    USERS,
)
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.history_file import write_history_file
from recsys.runtime.neighbours import NeighbourTable
from recsys.runtime.personalization.knowledge import Knowledge
from recsys.runtime.recommendation import SimilarityKind

#: Similarities that are held at once.
MAX_SIMILARITIES = 2**24


def write_tables(
    prepared: PreparedDataset,
    model: ScoringModel,
    user_columns: Sequence[EncodedColumn],
    directory: Path,
    num_neighbours: int,
    histories: bool,
    catalogue: CatalogueState,
    knowledge: Knowledge,
) -> dict[str, str]:
    """Write all tables of a bundle.

    Args:
        prepared: the data.
        model: that finds candidates, on the CPU.
        user_columns: that the models read.
        directory: of the bundle.
        num_neighbours: that are kept of each item.
        histories: whether what is known of users is among them: what they have, and their columns.
        catalogue: the items, with what is popular.
        knowledge: of the model.

    Returns:
        What similar items are measured by, for each kind of similarity that is there.
    """
    prepared.item_vocabulary.save(directory / ITEM_VOCABULARY)
    prepared.user_vocabulary.save(directory / USER_VOCABULARY)
    IdIndex.of(prepared.item_vocabulary.ids).save(directory / ITEM_IDS)
    IdIndex.of(prepared.user_vocabulary.ids).save(directory / USER_IDS)
    pq.write_table(prepared.items, directory / ITEMS, compression="zstd")
    for name, counts in ((POPULARITY, catalogue.popularity), (NUM_INTERACTIONS, catalogue.num_interactions)):
        np.save(directory / name, counts.astype(np.int64), allow_pickle=False)
    if histories:
        write_histories(prepared, directory)
    if user_columns:
        types = prepared.users.schema
        dated = [replace(one, is_date=is_date(plain_type(types.field(one.name).type))) for one in user_columns]
        write_columns(dated, directory / USER_COLUMNS)
    if user_columns and histories:
        read = prepared.users.select([column.name for column in user_columns])
        pq.write_table(read, directory / USERS, compression="zstd")
    return write_neighbours(model, prepared, directory, num_neighbours, knowledge.items)


def write_knowledge(knowledge: Sequence[Knowledge], directory: Path) -> None:
    """Write what the models have learnt about: a row for each of them, in the order of retriever and ranker."""
    np.save(directory / KNOWN_ITEMS, np.stack([one.items for one in knowledge]), allow_pickle=False)
    np.save(directory / KNOWN_USERS, np.stack([one.users for one in knowledge]), allow_pickle=False)


def write_neighbours(
    model: ScoringModel,
    prepared: PreparedDataset,
    directory: Path,
    num_neighbours: int,
    known_items: BoolArray | None = None,
) -> dict[str, str]:
    """Write the similar items of each item, by the model and by content; returns what each is measured by."""
    measures: dict[str, str] = {}
    kinds: dict[SimilarityKind, ItemSimilarity | None] = {
        "model": model_similarity(model, prepared, known_items),
        "content": content_similarity(prepared),
    }
    for by, similarity in kinds.items():
        if similarity is not None:
            table = neighbour_table(similarity, prepared.schema.num_items, num_neighbours)
            table.write(directory / NEIGHBOURS[by])
            measures[by] = similarity.measure
    return measures


def write_histories(prepared: PreparedDataset, directory: Path) -> None:
    """Write what each user has, oldest first: all interactions, with what was not liked; twice, once to be mapped."""
    histories = Histories.from_interactions(prepared.interactions)
    users = np.repeat(np.arange(len(histories), dtype=np.int32), histories.counts.numpy())
    columns = {USER_INDEX: users, ITEM_INDEX: histories.items.int().numpy()}
    if histories.rating is not None:
        columns[RATING] = histories.rating.numpy()
    if histories.timestamp is not None:
        columns[TIMESTAMP] = histories.timestamp.numpy()
    pq.write_table(pa.table(columns), directory / HISTORIES, compression="zstd")
    write_history_file(
        histories.offsets.numpy(),
        columns[ITEM_INDEX],
        columns.get(RATING),
        columns.get(TIMESTAMP),
        directory / MAPPED_HISTORIES,
    )


@torch.inference_mode()
def neighbour_table(similarity: ItemSimilarity, num_items: int, num_neighbours: int) -> NeighbourTable:
    """The most similar items of each item, those with a similarity above zero, an item never its own neighbour.

    Args:
        similarity: between the items.
        num_items: I.
        num_neighbours: of each item, at most.
    """
    width = num_items if similarity.width is None else similarity.width
    size = max(1, MAX_SIMILARITIES // max(1, width))
    counts, neighbours, weights = [], [], []
    for items in torch.arange(num_items).split(size):
        best, similarities = similarity.nearest(items, min(num_neighbours, num_items))
        kept = best >= 0
        counts.append(kept.sum(1))
        neighbours.append(best[kept])
        weights.append(similarities[kept])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), torch.cat(counts).cumsum(0)])
    return NeighbourTable(offsets.numpy(), torch.cat(neighbours).numpy(), torch.cat(weights).numpy().astype(np.float32))
