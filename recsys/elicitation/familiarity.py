"""A model of which items a user is likely to know, and of how knowing one item correlates with knowing another.

Shape suffixes: U users, I items, D components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import ModelError
from recsys.evaluation.means import FloatArray
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import right_singular_vectors

#: Smallest noise variance of an item.
MIN_NOISE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class FamiliarityModel:
    """A linear-Gaussian model of which items users know: ``x_i = p_i + w_i . z + e_i``, user vector ``z ~ N(0, 1)``.

    ``x_i`` is 1 if the user knows item i and 0 otherwise, ``p_i`` the share of users who know it, ``w_i`` its loadings,
    and ``e_i`` noise of variance ``n_i``. The loadings are the leading principal components of the interaction matrix,
    scaled by their standard deviations; ``n_i`` is the rest of the variance ``p_i (1 - p_i)``.

    Tipping, Bishop: Probabilistic Principal Component Analysis (1999), with a noise variance for each item.

    Args:
        shares: p, shape [I], float64; 0 for an item that nobody knows.
        loadings: w, shape [I, D], float64.
        noise: n, shape [I], float64, above 0.
    """

    shares: FloatArray
    loadings: FloatArray
    noise: FloatArray

    @classmethod
    def from_interactions(cls, interactions: Interactions, num_components: int = 20, seed: int = 0) -> FamiliarityModel:
        """Fit the model to the users who have an interaction.

        Args:
            interactions: interactions; users know the items they have interacted with.
            num_components: D; fewer if there are fewer users or items.
            seed: seed of the decomposition.

        Raises:
            ModelError: ``num_components`` is below 1, or there are no interactions.
        """
        if num_components < 1 or len(interactions) == 0:
            raise ModelError(
                "A familiarity model needs interactions and at least one component, but there are "
                f"{len(interactions)} interactions and num_components is {num_components}. Give more."
            )
        pairs = UserItems.from_interactions(interactions)
        matrix = InteractionMatrix.from_user_items(pairs)
        num_users = int((pairs.counts > 0).sum())
        shares = pairs.item_counts().double() / num_users
        # One more, because subtracting the mean removes a direction.
        rank = min(num_components + 1, num_users, interactions.num_items)
        vectors = right_singular_vectors(matrix, rank, seed)
        projected = (matrix @ vectors).double()
        mean = projected.sum(0) / num_users
        variances, directions = torch.linalg.eigh(projected.T @ projected / num_users - mean[:, None] * mean)
        loadings = vectors.double() @ (directions * variances.clamp(min=0).sqrt()).flip(1)[:, :num_components]
        noise = (shares * (1 - shares) - loadings.square().sum(1)).clamp(min=MIN_NOISE)
        return cls(np.asarray(shares), np.asarray(loadings), np.asarray(noise))
