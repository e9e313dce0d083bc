"""Matrix factorisation of ratings with biases, by alternating least squares.

Shape suffixes: B users of a query, C requested items, M ratings, U users, I items, D dim.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

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


class BiasedMF(RatingModel):
    """Predicts ``mean + b_u + b_i + p_u . q_i`` ("SVD" in many libraries).

    Given the items' vectors and biases, those of each user are one ridge regression, ``[p_u, b_u]`` on ``[q_i, 1]``;
    then the other way round. Vectors are penalised by ``l2 * n ** frequency_power`` for who has n ratings: 0 is plain
    ridge, 1 weighs every rating alike. The least-squares form is that of Zhou, Wilkinson, Schreiber, Pan: Large-scale
    Parallel Collaborative Filtering for the Netflix Prize (2008), the model that of Koren, Bell, Volinsky: Matrix
    Factorization Techniques for Recommender Systems (2009), the exponent that of Rendle, Krichene, Zhang, Koren:
    Revisiting the Performance of iALS (2021).

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors, D.
        epochs: turns between users and items.
        l2: regularisation of the vectors.
        frequency_power: how it grows with the number of ratings.
        bias_l2: regularisation of the biases, in ratings.
        init_std: standard deviation of the items' vectors at the start.
        seed: of their draw.

    Raises:
        ModelError: a dimension or a regularisation is not positive.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="biases and vectors by alternating least squares; Koren, Bell, Volinsky (2009), Zhou et al. (2008)",
        settings=("embedding_dim", "l2", "frequency_power"),
        use="for ratings of any size",
        gives="a vector",
        served_from="a table of the users of the training; the ratings of others, by elimination",
        weights="not used: the rating says it all",
    )

    def __init__(
        self,
        num_users: int,
        num_items: int,
        embedding_dim: int = 8,
        epochs: int = 15,
        l2: float = 3.2,
        frequency_power: float = 0.3,
        bias_l2: float = 2.0,
        init_std: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(num_users, num_items, embedding_dim)
        check_dims(embedding_dim=embedding_dim, epochs=epochs)
        require_positive(l2=l2, bias_l2=bias_l2, init_std=init_std)
        self._epochs = epochs
        self._l2 = l2
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
        start = torch.randn(self.item_vectors.shape, generator=torch.Generator().manual_seed(self._seed))
        self.item_vectors.copy_(start * self._init_std)
        self.item_bias.zero_()
        dim = self.item_vectors.shape[1] + 1
        users, items = RowRidge(ratings, dim), RowRidge(by_item, dim)
        user_penalty, item_penalty = self._penalty(ratings.counts), self._penalty(by_item.counts)
        for _ in progress.track(range(self._epochs), "fitting biased MF"):
            self._turn(users, self.item_vectors, self.item_bias, user_penalty, self.user_vectors, self.user_bias)
            self._turn(items, self.user_vectors, self.user_bias, item_penalty, self.item_vectors, self.item_bias)

    def _turn(
        self, ridge: RowRidge, vectors: Tensor, bias: Tensor, penalty: Tensor, out_vectors: Tensor, out_bias: Tensor
    ) -> None:
        """Solve for one side, given ``vectors`` and ``bias`` of the other."""
        matrix = ridge.matrix
        solution = ridge.solve(with_ones(vectors), matrix.values - self.mean - bias[matrix.columns], penalty)
        out_vectors.copy_(solution[:, :-1])
        out_bias.copy_(solution[:, -1])

    def _penalty(self, counts: Tensor) -> Tensor:
        return frequency_penalty(counts, self.item_vectors.shape[1], self._l2, self._frequency_power, self._bias_l2)

    def fold_in(self, histories: Histories) -> tuple[Tensor, Tensor]:
        """One least-squares solve on the vectors of the rated items, as in training."""
        if histories.rating is None:
            return self.nothing_for(len(histories))
        ratings = InteractionMatrix.from_histories(histories, len(self.item_bias), histories.rating)
        ridge = RowRidge(ratings, self.item_vectors.shape[1] + 1)
        targets = ratings.values - self.mean - self.item_bias[ratings.columns]
        solution = ridge.solve(with_ones(self.item_vectors), targets, self._penalty(ratings.counts))
        return solution[:, -1], solution[:, :-1]

    def served_fold_in(self) -> FoldedRidge:
        """See :meth:`recsys.models.components.rating_model.RatingModel.served_fold_in`."""
        settings = (self._l2, self._frequency_power, self._bias_l2)
        return FoldedRidge(self.item_vectors, self.item_bias, self.mean, *settings)

    def encode_users(self, query: Query) -> Tensor:
        """User vectors with a constant 1 for the item bias, shape [B, D + 1]."""
        return with_ones(self.users_of(query)[1])

    def encode_items(self, items: Tensor) -> Tensor:
        """Item vectors with the item bias as one more dimension, shape [C, D + 1]."""
        return with_bias(self.item_vectors[items], self.item_bias[items])
