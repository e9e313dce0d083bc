"""Item-based nearest neighbours.

Shape suffixes: U users, I items.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import torch
from torch import Tensor

from recsys.data.interactions import Interactions
from recsys.models.components.item_item_model import ItemItemModel
from recsys.models.components.item_weights import SparseItemWeights
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import AdjustedCosine, Similarity
from recsys.models.components.weightings import Unweighted, Weighting
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.device_memory import free_memory
from recsys.models.linalg.gram_update import GRAM, updated_gram
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.regularised_gram import matrices_bytes
from recsys.models.linalg.row_products import row_products
from recsys.models.linalg.rows_over_ranks import stacked_over_ranks
from recsys.models.linalg.top_entries import top_entries, vstack


class ItemKNN(ItemItemModel):
    """Scores an item by how similar the items of the history are to it.

    ``score(u, i) = sum of weight(j) * similarity(i, j) over j in the history of u that are neighbours of i``, where the
    neighbours of ``i`` are the ``num_neighbours`` most similar items with a similarity above zero, and the weight is
    that of recency. Of items that are equally similar but for rounding, those with the lower index are neighbours.
    Where interactions have weights, items are compared by these, unless by ratings.

    Sources: Sarwar et al., Item-Based Collaborative Filtering Recommendation Algorithms, WWW 2001; Deshpande and
    Karypis, Item-Based Top-N Recommendation Algorithms, TOIS 2004; definitions as in Ferrari Dacrema, Cremonesi and
    Jannach, RecSys 2019.

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

    card: ClassVar[ModelCard] = ModelCard(
        summary="items like those of the history, by who has them; Sarwar et al. (2001), Deshpande and Karypis (2004)",
        settings=("num_neighbours", "similarity", "weighting", "recency"),
        use="as a strong, fast baseline whose lists are easy to explain",
        gives="scores",
        served_from="as `slim`",
        weights="stand in the rows that are compared, and BM25 saturates them; the adjusted cosine takes ratings",
    )

    weights: SparseItemWeights

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
        super().__init__(num_items, recency, SparseItemWeights(num_items))
        check_dims(num_neighbours=num_neighbours, max_block_bytes=max_block_bytes)
        self.similarity = similarity
        self.weighting = weighting
        self.num_neighbours = num_neighbours
        self.normalize = normalize
        self.max_block_bytes = max_block_bytes

    def fit(self, interactions: Interactions) -> None:
        """Find the neighbours of each item.

        Raises:
            ModelError: the similarity needs ratings, or recency needs timestamps, that the data do not have.
        """
        self.recency.check(interactions)
        user_items = self.similarity.represent_training(interactions, self.weights.device)
        item_users = self.weighting.weigh(user_items.transpose(), user_items.counts, self.num_items)
        products = row_products(item_users, self.max_block_bytes, is_shared=True)
        blocks = self._neighbours(products, item_users.squared_lengths())
        self._keep(stacked_over_ranks(blocks, item_users))

    @torch.no_grad()
    def update(self, interactions: Interactions, earlier: EarlierFit) -> dict[str, Tensor] | None:
        """Change the products of all items by the rows that changed, and find the neighbours as :meth:`fit` does.

        Where interactions count 1, products are whole numbers and the neighbours are those of a fit on all rows; with
        weights up to rounding. None where the products do not add up over users, as those of ratings less the user's
        mean or of a weighting by the whole collection, or where a matrix of items by items does not fit the memory.
        """
        adds_up = isinstance(self.weighting, Unweighted) and not isinstance(self.similarity, AdjustedCosine)
        device = self.weights.device
        free = free_memory(device)
        if not adds_up or (free is not None and matrices_bytes(self.num_items, 1.2) > free):
            return None
        self.recency.check(interactions)
        gram = updated_gram(interactions, earlier, device)
        size = max(1, min(512, self.max_block_bytes // (4 * max(self.num_items, 1))))
        starts = range(0, self.num_items, size)
        products = ((start, gram[start : start + size].clone()) for start in starts)
        self._keep(vstack(self._neighbours(products, gram.diagonal().clone())))
        return {GRAM: gram}

    def _neighbours(
        self, products_of_rows: Iterable[tuple[int, Tensor]], squares: Tensor
    ) -> Iterator[InteractionMatrix]:
        """The most similar items of each, from blocks of rows of products and the items' squared lengths."""
        for start, products in products_of_rows:
            rows = slice(start, start + len(products))
            similarities = self.similarity.compare(products, squares[rows], squares).clamp_(min=0)
            similarities.diagonal(offset=start).zero_()
            yield top_entries(similarities, self.num_neighbours)

    def _keep(self, neighbours: InteractionMatrix) -> None:
        self.weights.set_weights(neighbours.normalized() if self.normalize else neighbours)
