"""The baseline of rating prediction: a mean, a bias for each user and a bias for each item.

Shape suffixes: B users of a query, U users, I items.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.baseline_fit import fit_biases, fold_in_bias
from recsys.models.components.rating_model import RatingModel, require_positive
from recsys.models.interface.model_card import ModelCard
from recsys.models.layers.validation import check_dims
from recsys.models.onnx.rating_users import FoldedBias


class Bias(RatingModel):
    """Predicts ``mean + b_u + b_i``, the biases by ridge regression.

    Koren: Factor in the Neighbors: Scalable and Accurate Collaborative Filtering (2010), section 2.1.

    Args:
        num_users: size of the user vocabulary, U.
        num_items: size of the item vocabulary, I.
        user_l2: regularisation of user biases, in ratings: a user with so many has half of their mean deviation.
        item_l2: the same for item biases.
        epochs: turns between users and items.

    Raises:
        ModelError: a regularisation is not above zero, or there are no epochs.
    """

    card: ClassVar[ModelCard] = ModelCard(
        summary="a mean, and what users and items are above it; Koren (2010)",
        settings=("user_l2", "item_l2"),
        use="as what every other model of ratings has to beat",
        gives="a vector",
        served_from="the biases of users and items, as two dimensions",
        weights="not used: the rating says it all",
    )

    def __init__(
        self, num_users: int, num_items: int, user_l2: float = 5.0, item_l2: float = 2.0, epochs: int = 20
    ) -> None:
        super().__init__(num_users, num_items)
        require_positive(user_l2=user_l2, item_l2=item_l2)
        check_dims(epochs=epochs)
        self._user_l2 = user_l2
        self._item_l2 = item_l2
        self._epochs = epochs

    def fit(self, interactions: Interactions) -> None:
        """Fit the biases to the ratings of ``interactions``.

        Raises:
            ModelError: there are no ratings.
        """
        ratings = self.read_ratings(interactions)
        user_bias, item_bias = fit_biases(ratings, self.mean, self._user_l2, self._item_l2, self._epochs)
        self.user_bias.copy_(user_bias)
        self.item_bias.copy_(item_bias)

    def fold_in(self, histories: Histories) -> tuple[Tensor, Tensor]:
        """The shrunk mean of what a user's ratings have above those of the items."""
        bias = fold_in_bias(histories, self.mean, self.item_bias, self._user_l2)
        return bias, self.user_vectors.new_zeros(len(histories), 0)

    def served_fold_in(self) -> FoldedBias:
        """See :meth:`recsys.models.components.rating_model.RatingModel.served_fold_in`."""
        return FoldedBias(self.item_bias, self.mean, self._user_l2)
