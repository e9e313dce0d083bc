"""Similarities of users or items, from the inner products and squared lengths of their rows.

Sources: Ferrari Dacrema, Cremonesi and Jannach, Are We Really Making Much Progress?, RecSys 2019; Ferrari
Dacrema, Boglio, Cremonesi and Jannach, A Troubling Analysis of Reproducibility and Progress in Recommender Systems
Research, TOIS 2021. Shrinkage is added to the denominator, as there: it pulls similarities that are based on few
interactions towards zero.

Shape suffixes: B rows of a block, N rows that they are compared with, L positions of a served history.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.onnx_query import OnnxQuery

#: Smaller than the length of any row that is not zero, so only rows of zeros are affected; their products are zero.
_TINY = 1e-30


class Similarity(ABC):
    """A similarity measure.

    Args:
        shrinkage: added to the denominator, at least 0.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(self, shrinkage: float = 0.0) -> None:
        if shrinkage < 0:
            raise ModelError(f"model.similarity.shrinkage must be at least 0, but it is {shrinkage}. 0 means none.")
        self.shrinkage = shrinkage

    def represent(self, histories: Histories, num_items: int) -> InteractionMatrix:
        """The matrix, users by items, whose rows or columns are compared: ones at the interactions."""
        return InteractionMatrix.from_histories(histories, num_items)

    def represent_training(self, interactions: Interactions, device: torch.device) -> InteractionMatrix:
        """The matrix of the training interactions: the sum of the weights of each pair, ones where there are none."""
        return InteractionMatrix.from_interactions(interactions, device)

    def represent_served(self, query: OnnxQuery, num_items: int) -> Tensor:
        """The same values for ONNX export, shape [B, L]: that of an item at its last interaction, 0 elsewhere.

        NaN for a history that cannot be compared.
        """
        return query.is_last(num_items).float()

    @abstractmethod
    def compare(self, products_BN: Tensor, squares_B: Tensor, squares_N: Tensor) -> Tensor:
        """The similarities, shape [B, N], float32; 0 for a row of zeros. May overwrite ``products_BN``.

        Args:
            products_BN: inner products of the rows.
            squares_B: squared length of each row whose neighbours are searched.
            squares_N: squared length of each candidate.
        """


class Cosine(Similarity):
    """Cosine similarity ``<a, b> / (|a| |b| + shrinkage)`` of interactions: ones, or their weights.

    Args:
        shrinkage: added to the denominator, at least 0.

    Raises:
        ModelError: a setting is out of range.
    """

    def compare(self, products_BN: Tensor, squares_B: Tensor, squares_N: Tensor) -> Tensor:
        """See :meth:`Similarity.compare`."""
        return _divided(products_BN, torch.outer(squares_B.sqrt(), squares_N.sqrt()), self.shrinkage)


class AsymmetricCosine(Similarity):
    """Asymmetric cosine ``<a, b> / (|a|^(2 alpha) |b|^(2 (1 - alpha)) + shrinkage)``; ``b`` are neighbours of ``a``.

    Source: Aiolli, Efficient Top-N Recommendation for Very Large Scale Binary Rated Datasets, RecSys 2013.

    Args:
        alpha: from 0 to 1; 0.5 is the cosine, a lower value reduces the weight of neighbours with many interactions.
        shrinkage: added to the denominator, at least 0.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(self, alpha: float = 0.5, shrinkage: float = 0.0) -> None:
        if not 0 <= alpha <= 1:
            raise ModelError(f"model.similarity.alpha must be from 0 to 1, but it is {alpha}. Correct it.")
        self.alpha = alpha
        super().__init__(shrinkage)

    def compare(self, products_BN: Tensor, squares_B: Tensor, squares_N: Tensor) -> Tensor:
        """See :meth:`Similarity.compare`."""
        lengths = torch.outer(squares_B**self.alpha, squares_N ** (1 - self.alpha))
        return _divided(products_BN, lengths, self.shrinkage)


class Jaccard(Similarity):
    """Jaccard similarity ``<a, b> / (|a|^2 + |b|^2 - <a, b> + shrinkage)``: intersection over union.

    Args:
        shrinkage: added to the denominator, at least 0.

    Raises:
        ModelError: a setting is out of range.
    """

    def compare(self, products_BN: Tensor, squares_B: Tensor, squares_N: Tensor) -> Tensor:
        """See :meth:`Similarity.compare`."""
        union = squares_B[:, None] + squares_N
        return _divided(products_BN, union.sub_(products_BN), self.shrinkage)


class AdjustedCosine(Cosine):
    """Adjusted cosine: the cosine of ratings minus the mean rating of their user.

    Between items it is that of Sarwar et al., Item-Based Collaborative Filtering Recommendation Algorithms, WWW 2001.
    Between users it is Pearson's correlation with the lengths over all items instead of the shared ones.

    Args:
        shrinkage: added to the denominator, at least 0.

    Raises:
        ModelError: a setting is out of range.
    """

    def represent(self, histories: Histories, num_items: int) -> InteractionMatrix:
        """Ratings minus the mean of their user; of repeated ratings the highest counts.

        Raises:
            ModelError: there are no ratings.
        """
        if histories.rating is None:
            raise ModelError(
                "The adjusted cosine compares ratings, but these data have none. "
                "Choose another similarity, such as model/similarity=cosine."
            )
        matrix = InteractionMatrix.from_histories(histories, num_items, histories.rating)
        rows = matrix.rows
        sums = torch.zeros(len(matrix), device=matrix.device).index_add_(0, rows, matrix.values)
        return matrix.with_values(matrix.values - (sums / matrix.counts)[rows])

    def represent_training(self, interactions: Interactions, device: torch.device) -> InteractionMatrix:
        """As :meth:`represent`: ratings are compared, and weights are not used."""
        return self.represent(Histories.from_interactions(interactions, device), interactions.num_items)

    def represent_served(self, query: OnnxQuery, num_items: int) -> Tensor:
        """See :meth:`Similarity.represent_served`; NaN for a history without ratings."""
        counted = query.is_last(num_items)
        ratings = query.largest(torch.where(query.inside, query.ratings, 0), num_items)
        mean = ratings.sum(1, keepdim=True) / counted.sum(1, keepdim=True).clamp(min=1)
        return torch.where(counted, ratings - mean, 0)


def _divided(products_BN: Tensor, lengths_BN: Tensor, shrinkage: float) -> Tensor:
    return products_BN.div_(lengths_BN.add_(shrinkage).clamp_(min=_TINY))
