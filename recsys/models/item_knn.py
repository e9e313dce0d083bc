"""Item-based nearest neighbours.

Shape suffixes: B queries, U users, I items, K items of each query, C items asked for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.dims import check_dims
from recsys.models.explanation import Explanation
from recsys.models.interaction_matrix import InteractionMatrix
from recsys.models.item_weights import SparseItemWeights, explain_sums
from recsys.models.protocols import Query
from recsys.models.recency import Recency
from recsys.models.row_products import row_products
from recsys.models.similarities import Similarity
from recsys.models.strongest import stacked, strongest
from recsys.models.weightings import Weighting


class ItemKNN(nn.Module):
    """Scores an item by how similar the items of the history are to it.

    ``score(u, i) = sum of weight(j) * similarity(i, j) over j in the history of u that are neighbours of i``, where the
    neighbours of ``i`` are the ``num_neighbours`` most similar items with a similarity above zero, and the weight is
    that of recency. Sources: Sarwar et al., Item-Based Collaborative Filtering Recommendation Algorithms,
    WWW 2001; Deshpande and Karypis, Item-Based Top-N Recommendation Algorithms, TOIS 2004; definitions as in Ferrari
    Dacrema, Cremonesi and Jannach, RecSys 2019.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        similarity: how items are compared, by their users.
        weighting: of users and items before items are compared.
        recency: how much older interactions of a history count.
        num_neighbours: neighbours of each item, at most.
        normalize: divide by the similarities of all neighbours, so that a score is the share of the item's
            neighbourhood that is in the history.
        max_block_bytes: bound on the memory of a block of similarities while fitting; all of them, I x I, are never
            held.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        similarity: Similarity,
        weighting: Weighting,
        recency: Recency,
        num_neighbours: int = 100,
        normalize: bool = False,
        max_block_bytes: int = 2**28,
    ) -> None:
        super().__init__()
        check_dims(num_neighbours=num_neighbours, max_block_bytes=max_block_bytes)
        self.num_items = num_items
        self.similarity = similarity
        self.weighting = weighting
        self.recency = recency
        self.num_neighbours = num_neighbours
        self.normalize = normalize
        self.max_block_bytes = max_block_bytes
        self.weights = SparseItemWeights(num_items)

    def sized_by_data(self) -> tuple[str, ...]:
        """The neighbours; see :class:`recsys.models.protocols.SizedByData`."""
        return tuple(f"weights.{name}" for name in self.weights.sized_by_data)

    def fit(self, interactions: Interactions) -> None:
        """Find the neighbours of each item.

        Raises:
            ModelError: the similarity needs ratings, or recency needs timestamps, that the data do not have.
        """
        self.recency.check(interactions)
        histories = Histories.from_interactions(interactions, self.weights.device)
        user_items = self.similarity.represent(histories, self.num_items)
        item_users = self.weighting.weigh(user_items.transpose(), user_items.counts, self.num_items)
        squares = item_users.squared_lengths()
        blocks = []
        for start, products in row_products(item_users, self.max_block_bytes):
            rows = slice(start, start + len(products))
            similarities = self.similarity.compare(products, squares[rows], squares).clamp_(min=0)
            similarities.diagonal(offset=start).zero_()
            blocks.append(strongest(similarities, self.num_neighbours))
        neighbours = stacked(blocks)
        self.weights.keep(neighbours.normalized() if self.normalize else neighbours)

    def score(self, query: Query) -> Tensor:
        """Score the catalogue for each query, shape [B, I], float32; a row of NaN for an empty history."""
        return self.score_histories(query.histories)

    @torch.no_grad()
    def score_histories(self, histories: Histories) -> Tensor:
        """Score the catalogue for users of whom only the history is known; see :meth:`score`."""
        return self.weights.score(self._weighted(histories))

    @torch.no_grad()
    def explain(self, query: Query, items: Tensor) -> Explanation:
        """The weight of each interaction in the scores of ``items`` (shape [B, K], int64); nothing is left as rest."""
        return explain_sums(self.weights, query.histories, self._weighted(query.histories), items)

    def relate(self, items: Tensor) -> Tensor:
        """The weights in the scores of ``items`` (shape [C], int64), shape [C, I]."""
        return self.weights.of(items)

    def _weighted(self, histories: Histories) -> InteractionMatrix:
        return InteractionMatrix.from_histories(histories, self.num_items, self.recency.weights(histories))
