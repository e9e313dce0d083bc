"""SVD++: matrix factorisation that learns from which items were rated, besides their ratings.

Shape suffixes: B users of a query, C requested items, M ratings, U users, I items, D dim.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from recsys.cli.progress import progress
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.rating_model import RatingModel, require_positive
from recsys.models.interface.model_card import ModelCard
from recsys.models.interface.protocols import Query
from recsys.models.layers.bias_dimension import frequency_penalty, with_bias, with_ones
from recsys.models.layers.validation import check_dims
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_ridge import RowRidge
from recsys.models.onnx.rating_users import FoldedRidge


class SVDpp(RatingModel):
    """Predicts ``mean + b_u + b_i + q_i . (p_u + |N(u)|^-1/2 sum_{j in N(u)} y_j)``, N(u) the items that u has rated.

    Koren: Factorization Meets the Neighborhood (2008). Fitted by alternating least squares instead of gradient steps:
    ``[p_u, b_u]`` and ``[q_i, b_i]`` are ridge regressions as in plain matrix factorisation, and all implicit vectors
    ``y`` together are one least-squares problem, which a few steps of conjugate gradients go on with in each turn. The
    implicit sum is formed once for each user and step, never for each rating, and a step needs of a user's ratings
    only the Gram matrix of the rated items. ``p_u`` and ``q_i`` are penalised by ``l2 * n ** frequency_power`` and
    ``y_j`` by ``implicit_l2 * n ** frequency_power`` for who has n ratings.

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors, D.
        epochs: turns between users, items and implicit vectors.
        conjugate_steps: steps of conjugate gradients in a turn.
        l2: regularisation of the vectors of users and items.
        implicit_l2: regularisation of the implicit vectors.
        frequency_power: how both grow with the number of ratings.
        bias_l2: regularisation of the biases, in ratings.
        init_std: standard deviation of the items' vectors at the start.
        seed: of their draw.

    Raises:
        ModelError: a dimension, a number of steps or a regularisation is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="`biased_mf` that learns from what was rated at all as well; Koren (2008)",
        settings=("embedding_dim", "l2", "implicit_l2"),
        use="for small errors of one factorisation",
        gives="a vector",
        served_from="a table of the users of the training; the ratings of others, by elimination",
        weights="not used: the rating says it all",
    )

    implicit_vectors: Tensor

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 10,
        epochs: int = 10,
        conjugate_steps: int = 3,
        l2: float = 1.4,
        implicit_l2: float = 10.0,
        frequency_power: float = 0.5,
        bias_l2: float = 2.0,
        init_std: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(num_users, num_items, embedding_dim)
        check_dims(embedding_dim=embedding_dim, epochs=epochs, conjugate_steps=conjugate_steps)
        require_positive(l2=l2, implicit_l2=implicit_l2, bias_l2=bias_l2, init_std=init_std)
        self.register_buffer("implicit_vectors", torch.zeros(num_items, embedding_dim))
        self._epochs = epochs
        self._conjugate_steps = conjugate_steps
        self._l2 = l2
        self._implicit_l2 = implicit_l2
        self._frequency_power = frequency_power
        self._bias_l2 = bias_l2
        self._init_std = init_std
        self._seed = seed

    def fit(self, interactions: Interactions) -> None:
        """Fit to the ratings of ``interactions``, starting from new random vectors.

        Raises:
            ModelError: there are no ratings.
        """
        ratings = self.read_ratings(interactions)
        by_item = ratings.transpose()
        dim = self.item_vectors.shape[1] + 1
        users, items = RowRidge(ratings, dim), RowRidge(by_item, dim)
        user_penalty, item_penalty = self._penalty(ratings.counts), self._penalty(by_item.counts)
        start = torch.randn(self.item_vectors.shape, generator=torch.Generator().manual_seed(self._seed))
        self.item_vectors.copy_(start * self._init_std)
        self.item_bias.zero_()
        self.implicit_vectors.zero_()
        for _ in progress.track(range(self._epochs), "fitting SVD++"):
            implicit = implicit_sums(ratings, self.implicit_vectors)
            own, self.user_bias[:] = self._solve_users(users, implicit, user_penalty)
            self.user_vectors.copy_(own + implicit)
            targets = by_item.values - self.mean - self.user_bias[by_item.columns]
            solution = items.solve(with_ones(self.user_vectors), targets, item_penalty)
            self.item_vectors.copy_(solution[:, :-1])
            self.item_bias.copy_(solution[:, -1])
            self._improve_implicit(users, by_item, own)
        self.user_vectors.copy_(own + implicit_sums(ratings, self.implicit_vectors))

    def _solve_users(self, ridge: RowRidge, implicit: Tensor, penalty: Tensor) -> tuple[Tensor, Tensor]:
        """The users' own vectors ``p``, shape [R, D], and biases, shape [R], given their implicit sums, [R, D]."""
        ratings = ridge.matrix
        explained = products(ratings, implicit, self.item_vectors) + self.item_bias[ratings.columns]
        solution = ridge.solve(with_ones(self.item_vectors), ratings.values - self.mean - explained, penalty)
        return solution[:, :-1], solution[:, -1]

    def _improve_implicit(self, users: RowRidge, by_item: InteractionMatrix, own: Tensor) -> None:
        """Some steps of conjugate gradients on the implicit vectors Y, given all else.

        With ``A Y`` the implicit sums and ``G_u`` the Gram matrix of the items that u has rated, the normal equations
        are ``A^T [G_u (A Y)_u]_u + penalty * Y = A^T [sum_i q_i e_ui]_u``, e the error without the implicit part. They
        are preconditioned by the penalty.
        """
        ratings = users.matrix
        gram = users.gram(self.item_vectors)
        penalty = self._penalty(by_item.counts)[:, :1] * (self._implicit_l2 / self._l2)
        error = ratings.values - self.mean - self.user_bias[ratings.rows] - self.item_bias[ratings.columns]
        error -= products(ratings, own, self.item_vectors)
        scale = root_weights(ratings.counts)

        def transposed(sums: Tensor) -> Tensor:
            return functional.embedding_bag(by_item.columns, sums * scale, by_item.offsets[:-1], mode="sum")

        def normal(vectors: Tensor) -> Tensor:
            return (
                transposed(torch.bmm(gram, implicit_sums(ratings, vectors)[..., None]).squeeze(2)) + penalty * vectors
            )

        weighted = functional.embedding_bag(
            ratings.columns, self.item_vectors, ratings.offsets[:-1], mode="sum", per_sample_weights=error
        )
        residual = transposed(weighted) - normal(self.implicit_vectors)
        conditioned = residual / penalty
        direction, energy = conditioned, (residual * conditioned).sum()
        for _ in range(self._conjugate_steps):
            image = normal(direction)
            # Where the equations are solved exactly, the energy is zero and so is every further step.
            step = energy / (direction * image).sum().clamp(min=torch.finfo(energy.dtype).tiny)
            self.implicit_vectors += step * direction
            residual = residual - step * image
            conditioned = residual / penalty
            before, energy = energy, (residual * conditioned).sum()
            direction = conditioned + energy / before.clamp(min=torch.finfo(energy.dtype).tiny) * direction

    def _penalty(self, counts: Tensor) -> Tensor:
        return frequency_penalty(counts, self.item_vectors.shape[1], self._l2, self._frequency_power, self._bias_l2)

    def fold_in(self, histories: Histories) -> tuple[Tensor, Tensor]:
        """The implicit part of the history and, where it has ratings, one least-squares solve as in training."""
        weights = torch.ones_like(histories.items, dtype=torch.float32)
        known = InteractionMatrix.from_histories(
            histories, len(self.item_bias), weights if histories.rating is None else histories.rating
        )
        implicit = implicit_sums(known, self.implicit_vectors)
        if histories.rating is None:
            return self.user_bias.new_zeros(len(histories)), implicit
        ridge = RowRidge(known, self.item_vectors.shape[1] + 1)
        own, bias = self._solve_users(ridge, implicit, self._penalty(known.counts))
        return bias, own + implicit

    def served_fold_in(self) -> FoldedRidge:
        """See :meth:`recsys.models.components.rating_model.RatingModel.served_fold_in`."""
        settings = (self._l2, self._frequency_power, self._bias_l2)
        return FoldedRidge(self.item_vectors, self.item_bias, self.mean, *settings, self.implicit_vectors)

    def encode_users(self, query: Query) -> Tensor:
        """User vectors with a constant 1 for the item bias, shape [B, D + 1]."""
        return with_ones(self.users_of(query)[1])

    def encode_items(self, items: Tensor) -> Tensor:
        """Item vectors with the item bias as one more dimension, shape [C, D + 1]."""
        return with_bias(self.item_vectors[items], self.item_bias[items])


def root_weights(counts: Tensor) -> Tensor:
    """``counts ** -1/2``, shape [R, 1]; 1 for a row without values."""
    return counts.clamp(min=1).float().rsqrt()[:, None]


def implicit_sums(known: InteractionMatrix, vectors: Tensor) -> Tensor:
    """``|N(u)|^-1/2 sum_{j in N(u)} vectors_j`` for each row of ``known``, shape [R, D]; zeros for an empty row."""
    sums = functional.embedding_bag(known.columns, vectors, known.offsets[:-1], mode="sum")
    return sums * root_weights(known.counts)


def products(places: InteractionMatrix, row_vectors: Tensor, column_vectors: Tensor) -> Tensor:
    """The inner product of the vectors of the row and the column of each value, shape [M]."""
    return (functional.embedding(places.rows, row_vectors) * functional.embedding(places.columns, column_vectors)).sum(
        1
    )
