"""Base of models of explicit ratings: rating scale, biases, vectors and fold-in of new users.

Shape suffixes: B users of a query, N pairs, M ratings of all histories together, U users, I items, D dim.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.interface.protocols import Query
from recsys.models.layers.bias_dimension import with_bias
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.rating_users import RatingUsers, RatingVectors


class RatingModel(nn.Module):
    """Predicts ``mean + b_u + b_i + p_u . q_i``; subclasses fit the biases and vectors.

    Users who were not in training get their bias and vector from the ratings of their history (``fold_in``). Users
    without training and history have zeros, as do items without training: the prediction falls back to the known
    biases, and finally to the mean rating.

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        embedding_dim: D; 0 for a model of biases alone.
    """

    mean: Tensor
    scale: Tensor
    in_training: Tensor
    user_bias: Tensor
    item_bias: Tensor
    user_vectors: Tensor
    item_vectors: Tensor

    def __init__(self, num_users: int, num_items: int, embedding_dim: int = 0) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.zeros(2))
        self.register_buffer("in_training", torch.zeros(num_users, dtype=torch.bool))
        self.register_buffer("user_bias", torch.zeros(num_users))
        self.register_buffer("item_bias", torch.zeros(num_items))
        self.register_buffer("user_vectors", torch.zeros(num_users, embedding_dim))
        self.register_buffer("item_vectors", torch.zeros(num_items, embedding_dim))

    @abstractmethod
    def fold_in(self, histories: Histories) -> tuple[Tensor, Tensor]:
        """Biases, shape [B], and vectors, shape [B, D], of users from their histories.

        Zeros for an empty history, and for histories without ratings if the model needs ratings.
        """

    @abstractmethod
    def served_fold_in(self) -> nn.Module:
        """:meth:`fold_in` as a module for ONNX export; see :mod:`recsys.models.onnx.rating_users`."""

    @torch.no_grad()
    def served_users(self) -> RatingUsers:
        """A module for ONNX export that gives the biases and vectors of users."""
        return RatingUsers(self.in_training, self.user_bias, self.user_vectors, self.served_fold_in())

    @torch.no_grad()
    def serving_form(self) -> ServingForm:
        """Vectors whose products are the predicted ratings; see :class:`recsys.models.onnx.exportable.Exportable`."""
        items = with_bias(with_bias(self.item_vectors, self.item_bias), torch.ones_like(self.item_bias))
        encoder = RatingVectors(self.served_users(), self.mean)
        return ServingForm(encoder.eval(), items, 4 * items.shape[1])

    def read_ratings(self, interactions: Interactions) -> InteractionMatrix:
        """The training ratings, a row for each user; stores the rating scale, the mean and which users have ratings.

        Raises:
            ModelError: there are no ratings.
        """
        if interactions.rating is None or len(interactions) == 0:
            came = "have none" if interactions.rating is None else "are empty"
            raise ModelError(
                f"{type(self).__name__} learns from ratings, but the interactions {came}. Choose data with a rating "
                "column, or a model that learns from interactions alone."
            )
        histories = Histories.from_interactions(interactions, self.mean.device)
        assert histories.rating is not None
        self.mean.copy_(histories.rating.double().mean())
        self.scale.copy_(torch.stack([histories.rating.min(), histories.rating.max()]))
        self.in_training.copy_(histories.counts > 0)
        return InteractionMatrix.from_histories(histories, interactions.num_items, histories.rating)

    def users_of(self, query: Query) -> tuple[Tensor, Tensor]:
        """Biases, shape [B], and vectors, shape [B, D]: learnt for users in training, folded in for others."""
        index = query.users.clamp(min=0)
        known = (query.users >= 0) & self.in_training[index]
        bias, vectors = self.user_bias[index], self.user_vectors[index]
        if bool(known.all()):
            return bias, vectors
        new = (~known).nonzero().squeeze(1)
        new_bias, new_vectors = self.fold_in(query.histories.take(new))
        return bias.index_copy(0, new, new_bias), vectors.index_copy(0, new, new_vectors)

    def nothing_for(self, num_users: int) -> tuple[Tensor, Tensor]:
        """Zero biases, shape [B], and zero vectors, shape [B, D], for users without ratings to learn from."""
        return self.user_bias.new_zeros(num_users), self.user_vectors.new_zeros(num_users, self.user_vectors.shape[1])

    def predict(self, query: Query, rows: Tensor, items: Tensor) -> Tensor:
        """Predictions for N pairs, not clipped to the rating scale; arguments as in :meth:`predict_ratings`."""
        bias, vectors = self.users_of(query)
        product = (vectors[rows] * self.item_vectors[items]).sum(-1)
        return product + bias[rows] + self.item_bias[items] + self.mean

    def predict_ratings(self, query: Query, rows: Tensor, items: Tensor) -> Tensor:
        """Predicted ratings of N pairs (``rows`` of ``query`` with ``items``), shape [N], clipped to the scale."""
        return self.predict(query, rows, items).clamp(self.scale[0], self.scale[1])

    def score(self, query: Query) -> Tensor:
        """The predicted rating of every item, shape [B, I], not clipped: clipping would tie the best items."""
        bias, vectors = self.users_of(query)
        return torch.addmm(bias[:, None] + self.item_bias + self.mean, vectors, self.item_vectors.T)

    def score_histories(self, histories: Histories) -> Tensor:
        """The scores from histories alone, shape [B, I]; NaN for an empty one."""
        nobody = torch.full((len(histories),), -1, device=histories.items.device)
        scores = self.score(Query(nobody, histories))
        return scores.masked_fill((histories.counts == 0)[:, None], torch.nan)


def require_positive(**values: float) -> None:
    """Check that settings are above zero.

    Raises:
        ModelError: a setting is not above zero.
    """
    for name, value in values.items():
        if not value > 0:
            raise ModelError(f"model.{name} must be above 0, but it is {value}. Correct it.")
