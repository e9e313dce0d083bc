"""How alike two items are, by a model and by content.

Shape suffixes: I items of the catalogue, N items asked for, U users, K similar items.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.prepared import PreparedDataset
from recsys.errors import ModelError
from recsys.evaluation.top_k import NO_ITEM, top_k
from recsys.models.components.tf_idf import choose_columns, tf_idf
from recsys.models.interface.protocols import Factorized, Query, ScoringModel
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.item_item import padded
from recsys.recommendation.prepared_tables import min_rating_of_history
from recsys.retrieval.types import BoolArray
from recsys.runtime.similar_items import COSINE, TIE

#: Scores of all users that are held at once.
MAX_SCORES = 2**22
#: Correlations of scores are held for all pairs of items: no larger catalogues are compared by them.
MAX_CORRELATED_ITEMS = 20_000
#: Where a column of scores varies by no more than this share of its size, that is rounding.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class ItemSimilarity:
    """Similarities between the items of a catalogue.

    Args:
        rows: gives the similarities of some items (int64, shape [N]) to all: N rows and I columns, dense or sparse.
        measure: what they are, in words.
        known: items of which there is something to compare, shape [I], bool: others are like none. None: all.
        width: similarities of an item that are held at once, at most; None: I.
    """

    rows: Callable[[Tensor], Tensor | InteractionMatrix]
    measure: str
    known: Tensor | None = None
    width: int | None = None

    @torch.inference_mode()
    def nearest(self, items: Tensor, k: int, available: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The ``k`` items that are most like each of ``items`` (int64, shape [N]).

        Similarities that are equal but for rounding go by the lower index.

        Args:
            items: whose neighbours are wanted.
            k: how many.
            available: which items may be neighbours, shape [I], bool; None: all.

        Returns:
            Item indices, shape [N, K], int64, the most similar first, -1 where no further item has a similarity above
            zero; and the similarities, shape [N, K]. An item is not its own neighbour.
        """
        found = self.rows(items)
        if isinstance(found, InteractionMatrix):
            columns, values = padded(found)
        else:
            columns, values = torch.arange(found.shape[1])[None], found
        hidden = columns == items[:, None]
        for shown in (self.known, available):
            if shown is not None:
                hidden |= ~shown[columns.clamp(max=len(shown) - 1)]
        if self.known is not None:
            hidden |= ~self.known[items][:, None]
        rounded = (values / TIE).round().masked_fill_(hidden, 0.0)
        # The columns of a row ascend, so that of equal similarities the first is that of the lowest item.
        best, _ = top_k(rounded.masked_fill_(~(rounded > 0), -torch.inf), k)
        places = best.clamp(min=0)
        neighbours = torch.where(best >= 0, columns.expand_as(values).gather(1, places), NO_ITEM)
        return neighbours, values.gather(1, places)


@torch.inference_mode()
def model_similarity(
    model: ScoringModel, prepared: PreparedDataset, known_items: BoolArray | None = None
) -> ItemSimilarity | None:
    """What ``model`` takes for alike; None where it cannot say.

    A model with weights from item to item: those in the score of the item, and of sparse ones only those that it keeps.
    A model with item vectors: their cosine.
    Any other, up to :data:`MAX_CORRELATED_ITEMS` items: the correlation of the scores that users get for both items.

    Args:
        model: any model, on the CPU.
        prepared: the data that it was fitted on.
        known_items: those that it has learnt about, shape [I]: others are like none, and none is like them. None: all.
    """
    similarity = _similarity(model, prepared)
    known = None if known_items is None else torch.from_numpy(known_items)
    return None if similarity is None else replace(similarity, known=known)


def _similarity(model: ScoringModel, prepared: PreparedDataset) -> ItemSimilarity | None:
    num_items = prepared.schema.num_items
    measure = "weight in the score"
    sparse_weights = getattr(model, "sparse_item_weights", None)
    if sparse_weights is not None and (weights := sparse_weights(torch.arange(num_items))) is not None:
        return ItemSimilarity(weights.take, measure, width=int(weights.counts.max()) if num_items else 0)
    if (item_weights := getattr(model, "item_weights", None)) is not None:
        return ItemSimilarity(item_weights, measure)
    if isinstance(model, Factorized):
        vectors = nn.functional.normalize(model.encode_items(torch.arange(num_items)).nan_to_num(), dim=1)
        return ItemSimilarity(lambda items: vectors[items] @ vectors.T, COSINE)
    if num_items > MAX_CORRELATED_ITEMS:
        return None
    correlations = _correlations(model, prepared)
    return ItemSimilarity(lambda items: correlations[items], "correlation of scores")


def content_similarity(prepared: PreparedDataset) -> ItemSimilarity | None:
    """The cosine of TF-IDF vectors of all columns that have words; None where there is no such column."""
    features = prepared.item_features()
    try:
        columns = choose_columns(features, None)
    except ModelError:
        return None
    words = tf_idf(features, columns)

    def rows(items: Tensor) -> Tensor:
        own = torch.cat([words.slice(int(item), int(item) + 1).dense() for item in items])
        return (words @ own.T).T

    return ItemSimilarity(rows, f"cosine of {', '.join(columns)}")


def _correlations(model: ScoringModel, prepared: PreparedDataset) -> Tensor:
    """How the scores of two items go together from user to user, shape [I, I]; 0 where they do not vary."""
    known = prepared.interactions
    known = known.take(known.rows_rated_at_least(min_rating_of_history(model, prepared)))
    histories = Histories.from_interactions(known)
    users = histories.counts.nonzero()[:, 0]
    num_items = known.num_items
    sums = torch.zeros(num_items, dtype=torch.float64)
    products = torch.zeros(num_items, num_items, dtype=torch.float64)
    for block in users.split(max(1, MAX_SCORES // num_items)):
        scores = model.score(Query(block, histories.take(block))).nan_to_num(nan=0.0).double()
        sums += scores.sum(0)
        products.addmm_(scores.T, scores)
    squares = products.diagonal().clone()
    means = sums / max(len(users), 1)
    variances = squares - means * sums
    varies = variances > ROUNDING * squares
    deviations = variances.clamp(min=0).sqrt()
    products -= torch.outer(means, sums)
    products /= torch.outer(deviations, deviations).clamp(min=1e-300)
    products[~(varies[:, None] & varies[None])] = 0.0
    return products.float()
