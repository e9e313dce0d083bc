"""EASE: a linear autoencoder without hidden layer, in closed form.

Shape suffixes: I items.
"""

from __future__ import annotations

from typing import ClassVar

import torch

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.components.item_item_model import ItemItemModel
from recsys.models.components.item_weights import DenseItemWeights, SparseItemWeights
from recsys.models.components.recency import Recency
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.regularised_gram import check_catalogue, matrices_bytes, regularised_inverse
from recsys.models.linalg.row_products import gram_matrix
from recsys.models.linalg.top_entries import top_entries

#: Matrices of items by items that fitting holds at once.
_NUM_MATRICES = 3


class EASE(ItemItemModel):
    """Scores an item by a weighted sum over the history, with the weights that best reconstruct the training data.

    The weights ``B`` (I x I) minimise ``|X - X B|^2 + l2 |B|^2`` with a diagonal of zeros, where ``X`` holds ones at
    the training interactions: ``B[j, i] = -P[j, i] / P[i, i]`` with ``P = (X^T X + l2)^-1``. Source: Steck,
    Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019. Where interactions have weights, ``X`` holds the sum
    of each pair in place of a one, and ``l2`` should grow with their squares.

    Fitting takes time that grows with the cube of the catalogue, and holds three I x I matrices of 4 bytes a number:
    4.8 GB for 20,000 items, on the device of the model.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        recency: how much older interactions of a history count when it is scored.
        l2: regularisation, above 0; grows with the number of interactions.
        num_neighbours: weights kept for each item, those of largest magnitude; None keeps all. Fewer make a smaller
            model and do not lower the memory of fitting.
        max_items: largest catalogue that is accepted.

    Raises:
        ModelError: the catalogue is larger than ``max_items``, or a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a linear autoencoder in closed form; Steck (2019)",
        settings=("l2", "num_neighbours", "recency"),
        use="for catalogues up to 20,000 items, where it is hard to beat in published comparisons",
        gives="scores",
        served_from="the rows of the history's items, I numbers each: the I by I table is in memory, not in the way",
        weights="stand in the matrix in place of ones; the larger, the larger `l2`",
    )

    def __init__(
        self,
        num_users: int,
        num_items: int,
        recency: Recency,
        l2: float = 500.0,
        num_neighbours: int | None = None,
        max_items: int = 20_000,
    ) -> None:
        check_catalogue(num_items, max_items, num_matrices=_NUM_MATRICES)
        if l2 <= 0:
            raise ModelError(f"model.l2 must be above 0, but it is {l2}. Correct it.")
        if num_neighbours is not None:
            check_dims(num_neighbours=num_neighbours)
        dense = num_neighbours is None
        super().__init__(num_items, recency, DenseItemWeights(num_items) if dense else SparseItemWeights(num_items))
        self.l2 = l2
        self.num_neighbours = num_neighbours

    @staticmethod
    def fit_bytes(num_users: int, num_items: int) -> int:
        """See :mod:`recsys.models.interface.protocols`."""
        return matrices_bytes(num_items, _NUM_MATRICES)

    @torch.no_grad()
    def fit(self, interactions: Interactions) -> None:
        """Compute the weights.

        Raises:
            ModelError: recency needs timestamps that the data do not have, or ``l2`` is too small for these data.
        """
        self.recency.check(interactions)
        user_items = InteractionMatrix.from_interactions(interactions, self.weights.device)
        weights = regularised_inverse(gram_matrix(user_items.transpose()), self.l2)
        weights /= -weights.diagonal().clone()
        weights.fill_diagonal_(0)
        if isinstance(self.weights, DenseItemWeights):
            self.weights.set_weights(weights)
        else:
            assert self.num_neighbours is not None, "it chose the kind of weights"
            self.weights.set_weights(top_entries(weights.T, self.num_neighbours))
