"""The scores of several models for the same users, on one scale.

Shape suffixes: B queries, I items of the catalogue, S models, C candidates of each query.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

#: Standardised scores that are closer than this share a rank, since rounding may put them in any order.
TIE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class SourceScores:
    """Scores of S models for B users.

    Args:
        scores: standardised over the items that are new to the user, shape [B, S, I], float32; 0 where an item is
            unscored.
        given: whether a model scores an item, shape [B, S, I], bool.
        unseen: whether an item is not in the user's history, shape [B, I], bool.
    """

    scores: Tensor
    given: Tensor
    unseen: Tensor

    @classmethod
    def of(cls, scores: Tensor, unseen: Tensor) -> SourceScores:
        """Put ``scores`` (shape [B, S, I], NaN for unscored) on one scale.

        Mean and deviation are those of the items that are new to the user, since the scores of a model for its own
        training interactions are of another kind. A model that scores all of them alike gets zeros.
        """
        given = scores.isfinite()
        counted = given & unseen[:, None, :]
        count = counted.sum(2, keepdim=True).clamp(min=1)
        known = scores.masked_fill(~given, 0)
        mean = (known * counted).sum(2, keepdim=True) / count
        centred = (known - mean) * given
        deviation = ((centred * counted).square().sum(2, keepdim=True) / count).sqrt()
        # What rounding leaves of equal numbers is no deviation.
        smallest = 1e-6 * (known.abs() * counted).amax(2, keepdim=True)
        scale = torch.where(deviation > smallest, 1 / deviation.clamp(min=torch.finfo(scores.dtype).tiny), 0)
        return cls(centred * scale, given, unseen)

    def ranks(self) -> Tensor:
        """Each item's place among the unseen ones, shape [B, S, I]: 1 for the first, falling by its log to 0.

        The place is the number of unseen items that score higher by more than :data:`TIE`. Unscored items
        come last.
        """
        num_items = self.scores.shape[2]
        ascending = self.comparable().sort(dim=2).values
        own = self.scores.masked_fill(~self.given, -torch.inf)
        higher = num_items - torch.searchsorted(ascending, own + TIE, right=True)
        return rank_of_place(higher, num_items, self.scores.dtype)

    def retrieved(self, num_candidates: int) -> Tensor:
        """Whether an item is among the best ``num_candidates`` unseen ones of any model, shape [B, I], bool."""
        comparable = self.comparable()
        best = comparable.topk(min(num_candidates, comparable.shape[2]), dim=2)
        found = torch.zeros_like(self.unseen)
        for items, scores in zip(best.indices.unbind(1), best.values.unbind(1), strict=True):
            # Of one model no item comes twice; an item that is no candidate keeps what was found by another model.
            found |= torch.zeros_like(found).scatter_(1, items, scores > -torch.inf)
        return found

    def comparable(self) -> Tensor:
        """The scores, minus infinity for what cannot be recommended, shape [B, S, I]."""
        return self.scores.masked_fill(~(self.given & self.unseen[:, None, :]), -torch.inf)


def rank_of_place(higher: Tensor, num_items: int, dtype: torch.dtype) -> Tensor:
    """The rank of what ``higher`` (int64, any shape) of ``num_items`` items score above: 1 for none, 0 for all."""
    return 1 - torch.log1p(higher.to(dtype)) / math.log(num_items + 1)


def gather_items(values: Tensor, items: Tensor) -> Tensor:
    """The ``values`` (shape [B, S, I]) of ``items`` (shape [B, C], int64), shape [B, C, S]."""
    index = items[:, None, :].expand(-1, values.shape[1], -1)
    return values.gather(2, index).transpose(1, 2)
