"""Matrix factorisation by fold-in: only item vectors are stored, user vectors are computed from histories.

Shape suffixes: B queries, C requested items, I items of the catalogue, D dim, K items of each query,
M interactions of all histories.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.models.interface.explanation import Explanation, rows_of, shares_of_interactions
from recsys.models.interface.protocols import Query
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.exportable import ServingForm


class FoldInFactorization(nn.Module, ABC):
    """A factorisation whose user vectors are fitted to the histories of each query.

    ``score(u, i) = p(history of u) . q_i``. Known and new users are treated alike: only the item vectors are stored, so
    the model also uses interactions after training. An empty history has no vector.

    Args:
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors, D.

    Raises:
        ModelError: a dimension is not positive.
    """

    item_vectors: Tensor

    def __init__(self, num_items: int, embedding_dim: int) -> None:
        super().__init__()
        check_dims(embedding_dim=embedding_dim)
        self.register_buffer("item_vectors", torch.zeros(num_items, embedding_dim))

    @abstractmethod
    def fold_in(self, histories: Histories) -> Tensor:
        """The vectors of B users from their histories, shape [B, D], float32; undefined for an empty one."""

    @abstractmethod
    def serving_encoder(self) -> nn.Module:
        """A module for ONNX export that folds in: from a query to vectors, [B, D], NaN for an empty history."""

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """The user and item vectors; see :class:`recsys.models.onnx.exportable.Exportable`."""
        return ServingForm(self.serving_encoder().eval(), self.item_vectors, 2 * self.item_vectors.shape[1])

    def encode_users(self, query: Query) -> Tensor:
        """The vectors for the histories of ``query``, shape [B, D]; NaN for an empty history."""
        return self._vectors_of(query.histories)

    def encode_items(self, items: Tensor) -> Tensor:
        """The vectors of ``items`` (internal indices, shape [C], int64), shape [C, D]."""
        return self.item_vectors[items]

    def score(self, query: Query) -> Tensor:
        """Score every item, shape [B, I], from the histories of ``query`` alone; NaN for an empty one."""
        return self.score_histories(query.histories)

    def score_histories(self, histories: Histories) -> Tensor:
        """Score every item, shape [B, I]; a row of NaN for an empty history."""
        return self._vectors_of(histories) @ self.item_vectors.T

    def explained(self, histories: Histories, products: Tensor, items: Tensor) -> Explanation:
        """The explanation of a factorisation whose user vector is a sum over the history.

        Args:
            histories: B rows, M interactions.
            products: contribution of each interaction to each score if its item occurs once in the history, shape
                [M, K].
            items: shape [B, K], int64; -1 means no item.
        """
        matrix = InteractionMatrix.from_histories(histories, len(self.item_vectors))
        parts = products * shares_of_interactions(histories, matrix)[:, None]
        unscored = (items < 0) | (histories.counts == 0)[:, None]
        rest = torch.zeros_like(items, dtype=parts.dtype).masked_fill_(unscored, torch.nan)
        return Explanation(histories, parts.masked_fill_(unscored[rows_of(histories)], torch.nan), rest)

    def _vectors_of(self, histories: Histories) -> Tensor:
        return self.fold_in(histories).masked_fill((histories.counts == 0)[:, None], torch.nan)
