"""Scores, split over the interactions that they come from.

Shape suffixes: B queries, M interactions of all their histories together, K explained items of each query.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.models.linalg.interaction_matrix import InteractionMatrix


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The scores of K items for each of B queries, as sums over the histories.

    ``score[b, k] = rest[b, k] + sum of contributions[m, k]`` over the interactions ``m`` of row ``b``, which are
    ``offsets[b] <= m < offsets[b + 1]`` of ``histories``. An item that a history has more than once shares its part
    evenly among its interactions.

    Args:
        histories: what the parts belong to, M interactions in B rows.
        contributions: ``contributions[m, k]`` is the part of interaction ``m`` in the score of the ``k``-th item of its
            row, shape [M, K], float32; NaN where the item is unscored.
        rest: what does not come from the history, shape [B, K], float32; NaN where the item is unscored, as
            item -1 always is.
        errors: the standard error of each part, shape [M, K], float32; None: the parts are exact.
        num_grouped: of each row, how many of its oldest interactions were taken as one; each has an even share of
            their common part, and of its error. Shape [B], int64.
    """

    histories: Histories
    contributions: Tensor
    rest: Tensor
    errors: Tensor | None
    num_grouped: Tensor

    @classmethod
    def exact(cls, histories: Histories, contributions: Tensor, rest: Tensor) -> Explanation:
        """Parts without error, one for each interaction; arguments as above."""
        return cls(histories, contributions, rest, None, torch.zeros_like(histories.counts))

    @property
    def scores(self) -> Tensor:
        """What the parts add up to, shape [B, K]."""
        return self.rest.index_add(0, rows_of(self.histories), self.contributions)

    def one(self, row: int) -> Explanation:
        """The explanation of one query alone."""
        start, stop = self.histories.offsets[row : row + 2].tolist()
        index = torch.tensor([row], device=self.rest.device)
        return Explanation(
            self.histories.take(index),
            self.contributions[start:stop],
            self.rest[index],
            None if self.errors is None else self.errors[start:stop],
            self.num_grouped[index],
        )


def rows_of(histories: Histories) -> Tensor:
    """The row of each interaction, shape [M], int64."""
    return torch.repeat_interleave(torch.arange(len(histories), device=histories.items.device), histories.counts)


def shares_of_interactions(histories: Histories, matrix: InteractionMatrix) -> Tensor:
    """What of the values of ``matrix`` each interaction stands for, shape [M], float32.

    Args:
        histories: B rows.
        matrix: made of them by :meth:`InteractionMatrix.from_histories`, which keeps one value for each item of a row;
            the interactions with this item have an even share of it.
    """
    stored = matrix.rows * matrix.num_columns + matrix.columns
    place = torch.searchsorted(stored, rows_of(histories) * matrix.num_columns + histories.items)
    times = torch.bincount(place, minlength=len(stored))
    return (matrix.values / times)[place]
