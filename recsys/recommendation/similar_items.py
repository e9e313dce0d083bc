"""Items that are like another one: by who has them, and by what is said about them.

Shape suffixes: I items of the catalogue, U users, B users of a block.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.errors import ModelError, RecsysError
from recsys.evaluation.top_k import top_k
from recsys.models.components.tf_idf import choose_columns, tf_idf
from recsys.models.interface.protocols import Factorized, Query, Recommender

#: Scores of all users that are held at once.
MAX_SCORES = 2**22
#: Where a column of scores varies by no more than this share of its size, that is rounding.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The items that are most like one.

    Args:
        items: internal indices, the most similar first, shape [K], int64; fewer than asked for where no others are
            like it.
        similarities: above zero, shape [K].
        measure: what the similarities are, in words.
    """

    items: Tensor
    similarities: Tensor
    measure: str


@torch.inference_mode()
def collaborative_neighbours(model: Recommender, known: Interactions, item: int, k: int) -> Neighbours:
    """The items that ``model`` takes for like ``item``, by what it can do.

    A model with weights from item to item: those in the score of this item. A model with item vectors: their cosine.
    Any other: the correlation of the scores that users get for both items.

    Args:
        model: any model, on the CPU.
        known: the histories that the model may score from.
        item: internal index.
        k: how many, at most.

    Raises:
        RecsysError: ``k`` is not a positive whole number.
    """
    if (item_weights := getattr(model, "item_weights", None)) is not None:
        return _nearest(item_weights(torch.tensor([item]))[0], item, k, "weights of the model")
    if isinstance(model, Factorized):
        vectors = torch.nn.functional.normalize(model.encode_items(torch.arange(known.num_items)), dim=1)
        return _nearest(vectors @ vectors[item], item, k, "cosine of vectors")
    return _nearest(_correlations(model, known, item), item, k, "correlation of scores")


def content_neighbours(prepared: PreparedDataset, item: int, k: int) -> Neighbours | None:
    """The items whose features are most like those of ``item``: the cosine of TF-IDF vectors.

    All columns that have words count alike; None where there is no such column. Arguments and errors as above.
    """
    features = prepared.item_features()
    try:
        columns = choose_columns(features, None)
    except ModelError:
        return None
    vectors = tf_idf(features, columns)
    own = vectors.slice(item, item + 1).dense()[0]
    return _nearest((vectors @ own[:, None])[:, 0], item, k, f"cosine of {', '.join(columns)}")


def _correlations(model: Recommender, known: Interactions, item: int) -> Tensor:
    """How the scores of each item go with those of ``item`` from user to user, shape [I]; 0 where they do not vary."""
    histories = Histories.from_interactions(known)
    users = histories.counts.nonzero()[:, 0]
    num_items = known.num_items
    sums, squares, products = (torch.zeros(num_items, dtype=torch.float64) for _ in range(3))
    for block in users.split(max(1, MAX_SCORES // num_items)):
        scores = model.score(Query(block, histories.take(block))).nan_to_num(nan=0.0).double()
        sums += scores.sum(0)
        squares += scores.square().sum(0)
        products += scores[:, item] @ scores
    means = sums / max(len(users), 1)
    variances = squares - means * sums
    varies = variances > ROUNDING * squares
    scale = (variances.clamp(min=0) * variances[item].clamp(min=0)).sqrt()
    return torch.where(varies & varies[item], (products - means[item] * sums) / scale.clamp(min=1e-300), 0.0).float()


def _nearest(similarities: Tensor, item: int, k: int, measure: str) -> Neighbours:
    """The largest of ``similarities``, shape [I], that are above zero, without ``item`` itself."""
    if not isinstance(k, int) or k < 1:
        raise RecsysError(f"k must be a whole number of at least 1, but it is {k}.")
    similarities = similarities.masked_fill(~(similarities > 0), -torch.inf)
    similarities[item] = -torch.inf
    items, best = top_k(similarities[None], k)
    kept = items[0] >= 0
    return Neighbours(items[0][kept], best[0][kept], measure)
