"""Scores that a model splits over the interactions that they come from, exactly.

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
    ``offsets[b] <= m < offsets[b + 1]`` of ``histories``. An item that a history has more than once shares its
    contribution evenly among its interactions.

    Args:
        histories: what the contributions belong to, M interactions in B rows.
        contributions: ``contributions[m, k]`` is what interaction ``m`` adds to the score of the ``k``-th item of its
            row, shape [M, K], float32; NaN where the item is not scored.
        rest: what does not come from the history, shape [B, K], float32; NaN where the item is not scored, as item -1
            never is.
    """

    histories: Histories
    contributions: Tensor
    rest: Tensor

    @property
    def scores(self) -> Tensor:
        """What contributions and rest add up to, shape [B, K]."""
        return self.rest.index_add(0, rows_of(self.histories), self.contributions)

    def one(self, row: int) -> Explanation:
        """The explanation of one query alone."""
        start, stop = self.histories.offsets[row : row + 2].tolist()
        index = torch.tensor([row], device=self.rest.device)
        return Explanation(self.histories.take(index), self.contributions[start:stop], self.rest[index])


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
