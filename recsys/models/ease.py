"""EASE: a linear autoencoder without hidden layer, in closed form.

Shape suffixes: I items.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from recsys.data.interactions import Interactions
from recsys.distributed.collectives import from_main, wait_for_ranks
from recsys.distributed.ranks import ranks
from recsys.errors import ModelError
from recsys.models.components.item_item_model import ItemItemModel
from recsys.models.components.item_weights import DenseItemWeights, SparseItemWeights
from recsys.models.components.recency import Recency
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.gram_update import GRAM, updated_gram
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.regularised_gram import check_catalogue, matrices_bytes, regularised_inverse
from recsys.models.linalg.row_products import gram_matrix
from recsys.models.linalg.top_entries import of_columns, top_entries

#: Matrices of items by items that fitting holds at once: the inverse, which becomes the weights, and a tenth of one for
#: what is being worked on. On a GPU the inverse is made beside its factor.
_NUM_MATRICES = {"cpu": 1.1, "cuda": 2.1}


class EASE(ItemItemModel):
    """Scores an item by a weighted sum over the history, with the weights that best reconstruct the training data.

    The weights ``B`` (I x I) minimise ``|X - X B|^2 + l2 |B|^2`` with a diagonal of zeros, where ``X`` holds ones at
    the training interactions: ``B[j, i] = -P[j, i] / P[i, i]`` with ``P = (X^T X + l2)^-1``. Source: Steck,
    Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019. Where interactions have weights, ``X`` holds the sum
    of each pair in place of a one, and ``l2`` should grow with their squares.

    Fitting takes time that grows with the cube of the catalogue. The Gram matrix, its factor, the inverse and the
    weights take the same place, 4 bytes a number: 2.9 GB for 26,744 items, on the device of the model; on a GPU twice
    as much. Single precision is exact to about five digits of a weight, since the matrix is scaled to a unit diagonal;
    where it would not be, fitting stops with an error.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        recency: how much older interactions of a history count when it is scored.
        l2: regularisation, above 0; grows with the number of interactions.
        num_neighbours: weights kept for each item, those of largest magnitude; None keeps all. Fewer make a smaller
            model and do not lower the memory of fitting.
        max_items: largest catalogue that is accepted; None: as large as the free memory holds.

    Raises:
        ModelError: the catalogue is larger than ``max_items`` or the free memory, or a setting is out of range.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a linear autoencoder in closed form; Steck (2019)",
        settings=("l2", "num_neighbours", "recency"),
        use="for catalogues whose I by I table fits the memory (26,744 items: 2.9 GB), where it is hard to beat",
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
        max_items: int | None = None,
    ) -> None:
        check_catalogue(num_items, max_items, num_matrices=0 if num_neighbours else 1)
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
        return matrices_bytes(num_items, _NUM_MATRICES["cpu"])

    @torch.no_grad()
    def fit(self, interactions: Interactions) -> None:
        """Compute the weights; of several ranks each computes some rows of the Gram matrix, and rank 0 its inverse.

        Raises:
            ModelError: recency needs timestamps that the data do not have, ``l2`` is too small for these data, or there
                is not enough memory.
        """
        self.recency.check(interactions)
        device = self.weights.device
        dense = self.weights.weights if isinstance(self.weights, DenseItemWeights) else None
        held = 0 if dense is None else 1
        check_catalogue(self.num_items, None, _NUM_MATRICES.get(device.type, 2.1) - held, device)
        item_users = InteractionMatrix.from_interactions(interactions, device).transpose()
        self._set_weights(gram_matrix(item_users, out=dense))

    @torch.no_grad()
    def update(self, interactions: Interactions, earlier: EarlierFit) -> dict[str, Tensor] | None:
        """Change the Gram matrix by the rows that changed, and compute the weights from it as :meth:`fit` does.

        Where interactions count 1, the matrix holds whole numbers and the weights are those of a fit on all rows; with
        weights up to rounding. Takes an I x I matrix more than a fit. The inverse takes as long as in a fit.
        """
        self.recency.check(interactions)
        device = self.weights.device
        check_catalogue(self.num_items, None, 1 + _NUM_MATRICES.get(device.type, 2.1), device)
        gram = updated_gram(interactions, earlier, device)
        self._set_weights(gram.clone())
        return {GRAM: gram}

    def _set_weights(self, gram: Tensor) -> None:
        """Compute the weights from the Gram matrix, shape [I, I], in its place."""
        weights = gram
        if ranks().is_main:
            regularised_inverse(weights, self.l2)
        wait_for_ranks()  # on the host: a GPU that waits for a broadcast computes all the time
        from_main(weights)  # the inverse is one process's work
        weights /= -weights.diagonal().clone()
        weights.fill_diagonal_(0)
        if isinstance(self.weights, DenseItemWeights):
            self.weights.set_weights(weights)
        else:
            assert self.num_neighbours is not None, "it chose the kind of weights"
            self.weights.set_weights(of_columns(weights, partial(top_entries, num_kept=self.num_neighbours)))
