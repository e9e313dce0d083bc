"""RP3beta: a random walk of three steps from a user, with popular items held down.

Shape suffixes: I items.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.components.item_item_model import ItemItemModel
from recsys.models.components.item_weights import SparseItemWeights
from recsys.models.components.recency import Recency
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_products import row_products
from recsys.models.linalg.rows_over_ranks import stacked_over_ranks
from recsys.models.linalg.top_entries import top_entries


class RP3Beta(ItemItemModel):
    """``score(u, j) = sum of W[i, j] over the items i in the history of u``.

    ``W[i, j] = sum_v (1 / n_i)^alpha (1 / n_v)^alpha / n_j^beta`` over the users v who have both items, where ``n`` is
    the number of interactions of an item or of a user: the walk steps from an item to one of its users and on to one of
    their items, each step with its probability to the power ``alpha``, and where it ends counts the less, the more
    popular the item is. Where interactions have weights, a step is taken in proportion to them: ``1 / n`` becomes
    ``w / n``, with ``n`` the sum of the weights of the item or user. With ``beta = 0`` this is P3alpha (Cooper, Lee,
    Radinsky, Siantos: Random Walks in Recommender Systems, 2014). Source: Paudel, Christoffel, Newell, Bernstein:
    Updatable, Accurate, Diverse, and Scalable Recommendations for Interactive Applications, TiiS 2017.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        recency: how much older interactions of a history count when it is scored.
        alpha: exponent of the probabilities, at least 0.
        beta: exponent of the popularity that a weight is divided by, at least 0.
        num_neighbours: weights kept for each item, those of largest value.
        normalize: divide the weights in the score of an item by their sum.
        max_block_bytes: bound on the memory of a block of weights while fitting.

    Raises:
        ModelError: a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a random walk from the history over users to items; Paudel et al. (2017)",
        settings=("alpha", "beta", "num_neighbours", "recency"),
        use="as a strong, fast baseline that finds less popular items than `item_knn`",
        gives="scores",
        served_from="the weights of the history's items, added up",
        weights="a step of the walk is taken in proportion to them",
    )

    weights: SparseItemWeights

    def __init__(
        self,
        num_users: int,
        num_items: int,
        recency: Recency,
        alpha: float = 1.0,
        beta: float = 0.6,
        num_neighbours: int = 100,
        normalize: bool = False,
        max_block_bytes: int = 2**28,
    ) -> None:
        super().__init__(num_items, recency, SparseItemWeights(num_items))
        check_dims(num_neighbours=num_neighbours, max_block_bytes=max_block_bytes)
        if min(alpha, beta) < 0:
            raise ModelError(
                f"model.alpha and model.beta must be at least 0, but they are {alpha} and {beta}. Correct them."
            )
        self.alpha = alpha
        self.beta = beta
        self.num_neighbours = num_neighbours
        self.normalize = normalize
        self.max_block_bytes = max_block_bytes

    @torch.no_grad()
    def fit(self, interactions: Interactions) -> None:
        """Compute the weights.

        Raises:
            ModelError: recency needs timestamps that the data do not have.
        """
        self.recency.check(interactions)
        user_items = InteractionMatrix.from_interactions(interactions, self.weights.device)
        # Half of a user's factor on each side: the product of two items' rows then has it once for each common user.
        halves = _power(user_items.row_sums(), -self.alpha / 2)[user_items.rows]
        popularity = user_items.column_sums()
        item_users = user_items.with_values(halves * user_items.values**self.alpha).transpose()
        from_item, to_item = _power(popularity, -self.alpha), _power(popularity, -self.beta)

        def blocks() -> Iterator[InteractionMatrix]:
            for start, products in row_products(item_users, self.max_block_bytes, is_shared=True):
                walks = products.mul_(from_item).mul_(to_item[start : start + len(products), None])
                walks.diagonal(offset=start).zero_()
                yield top_entries(walks, self.num_neighbours)

        neighbours = stacked_over_ranks(blocks(), item_users)
        self.weights.set_weights(neighbours.normalized() if self.normalize else neighbours)


def _power(sums: Tensor, exponent: float) -> Tensor:
    """``sums ** exponent``, float32; 1 for a sum of 0, whose row is empty."""
    return torch.where(sums > 0, sums, 1) ** exponent
