"""Matrix factorisation with biases.

Shape suffixes: B users of a batch, C requested items, I items of the catalogue, D dim.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.models.interface.factor_tables import FactorTables
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.dot_products import dot_products, dot_products_and_norms, uses_manual_backward
from recsys.models.layers.dropout import Dropout
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.validation import check_dims
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.user_table import UserTable


class MF(nn.Module):
    """Matrix factorisation: ``score(u, i) = mu + b_u + b_i + p_u . q_i``.

    Koren, Bell, Volinsky: Matrix Factorization Techniques for Recommender Systems (2009). With the right
    regularisation the plain dot product is as good as learned similarities: Rendle, Krichene, Zhang, Anderson: Neural
    Collaborative Filtering vs. Matrix Factorization Revisited (2020).

    Args:
        num_users: size of the user vocabulary.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the user and item vectors, D.
        biases: with biases; without, ``score(u, i) = p_u . q_i``, as in factorisations by least squares.
        init_std: standard deviation of the normal initialisation of the vectors; biases start at zero.
        dropout: probability of dropping a dimension of the user vector in training.

    Raises:
        ModelError: a dimension is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="biases and the inner product of two vectors; Koren, Bell, Volinsky (2009)",
        settings=("embedding_dim", "dropout", "biases"),
        use="for catalogues of any size; with `training=full_catalogue` up to some ten thousand items",
        gives="a vector",
        served_from="a table of the known users",
        weights="a positive is drawn in proportion (`sampled_negatives`), or its loss is multiplied (`full_catalogue`)",
    )

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 64,
        biases: bool = True,
        init_std: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_dims(embedding_dim=embedding_dim)
        self.user_vectors = Embedding(num_users, embedding_dim)
        self.item_vectors = Embedding(num_items, embedding_dim)
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.user_vectors.weight, std=init_std)
        nn.init.normal_(self.item_vectors.weight, std=init_std)
        self.biases = biases
        if biases:
            self.user_bias = Embedding(num_users, 1)
            self.item_bias = Embedding(num_items, 1)
            self.global_bias = nn.Parameter(torch.zeros(1))
            nn.init.zeros_(self.user_bias.weight)
            nn.init.zeros_(self.item_bias.weight)

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """Score pairs; ``users`` and ``items`` (int64) broadcast against each other."""
        if self.training and self.dropout.p > 0:
            product = (self.dropout(self.user_vectors(users)) * self.item_vectors(items)).sum(-1)
        else:
            product = dot_products(self.user_vectors, self.item_vectors, users, items)
        return self._with_biases(product, users, items)

    def score_pairs_with_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores of pairs with the squared norms of their vectors: :meth:`score_pairs` and :meth:`squared_norms`.

        In training on the CPU, pairs of shapes [B, 1] and [B, N] take one pass over the vectors.
        """
        if not uses_manual_backward(users, items) or (self.training and self.dropout.p > 0):
            return self.score_pairs(users, items), *self.squared_norms(users, items)
        product, *norms = dot_products_and_norms(self.user_vectors, self.item_vectors, users, items)
        user_norms, item_norms = norms
        return self._with_biases(product, users, items), user_norms, item_norms

    def _with_biases(self, product: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """Scores of pairs from their products."""
        if not self.biases:
            return product
        return product + self.user_bias(users).squeeze(-1) + self.item_bias(items).squeeze(-1) + self.global_bias

    def factor_tables(self) -> FactorTables | None:
        """What the scores of pairs are made of; None in training with dropout."""
        if self.training and self.dropout.p > 0:
            return None
        if not self.biases:
            return FactorTables(self.user_vectors, self.item_vectors)
        return FactorTables(self.user_vectors, self.item_vectors, self.user_bias, self.item_bias, self.global_bias)

    def score_catalogue(self, users: Tensor) -> Tensor:
        """Score every item for known users (shape [B], int64); returns [B, I]."""
        product = self.dropout(self.user_vectors(users)) @ self.item_vectors.table().T
        if not self.biases:
            return product
        return product + self.user_bias(users) + self.item_bias.table().T + self.global_bias

    def score(self, query: Query) -> Tensor:
        """Score every item, shape [B, I]; NaN rows for users without a vector."""
        scores = self.score_catalogue(query.users.clamp(min=0))
        return scores.masked_fill((query.users < 0)[:, None], torch.nan)

    def squared_norms(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Squared norms of the vectors of ``users`` and of ``items``, in their shapes; biases are not penalised."""
        return self.user_vectors(users).square().sum(-1), self.item_vectors(items).square().sum(-1)

    def encode_users(self, query: Query) -> Tensor:
        """User vectors, with a constant 1 for the item bias where there are biases; NaN for users without a vector.

        Returns:
            Shape [B, D], or [B, D + 1] with biases.
        """
        vectors = self._with_ones(self.user_vectors(query.users.clamp(min=0)))
        return vectors.masked_fill((query.users < 0)[:, None], torch.nan)

    def encode_items(self, items: Tensor) -> Tensor:
        """Item vectors, with the item bias as one more dimension where there are biases.

        Returns:
            Shape [C, D], or [C, D + 1] with biases.
        """
        vectors = self.item_vectors(items)
        return torch.cat([vectors, self.item_bias(items)], dim=-1) if self.biases else vectors

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """The user vectors as a table; see :class:`recsys.models.onnx.exportable.Exportable`."""
        items = torch.arange(len(self.item_vectors.weight), device=self.item_vectors.weight.device)
        return ServingForm(UserTable(self._with_ones(self.user_vectors.weight)), self.encode_items(items))

    def _with_ones(self, vectors: Tensor) -> Tensor:
        """User vectors with a constant 1 for the item bias, where there are biases."""
        return nn.functional.pad(vectors, (0, 1), value=1.0) if self.biases else vectors
