"""Losses over the scores of lists of candidates.

Shape suffixes: B lists, C candidates of each, P relevant candidates of each at most.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.errors import SettingsError
from recsys.models.linalg.row_positions import row_positions

#: A loss of B lists, the mean over lists of the mean over their relevant candidates: from the scores (shape [B, C]),
#: whether a candidate was held out for the user (bool, shape [B, C], at least one in each list) and the log of the
#: weight of each candidate as a negative (shape [B, C], minus infinity for padding).
ListwiseLoss = Callable[[Tensor, Tensor, Tensor], Tensor]


class ListSoftmax(nn.Module):
    """Softmax cross-entropy of each relevant candidate against all that are not relevant.

    ``-log( exp(x_p) / (exp(x_p) + sum_n w_n exp(x_n)) )``: the listwise loss of Cao et al.: Learning to Rank: From
    Pairwise Approach to Listwise Approach (2007) with one relevant candidate at a time, so that the relevant ones of a
    list do not compete.
    """

    def forward(self, scores: Tensor, relevant: Tensor, log_weights: Tensor) -> Tensor:
        """See :data:`ListwiseLoss`."""
        negative = torch.logsumexp((scores + log_weights).masked_fill(relevant, -torch.inf), dim=1, keepdim=True)
        # The loss of a list without negatives is 0: softplus(-inf) is 0.
        each = functional.softplus(negative - scores).masked_fill(~relevant, 0)
        return (each.sum(1) / relevant.sum(1)).mean()


class LambdaNDCG(nn.Module):
    """Logistic loss of each relevant candidate against each that is not, by what changing places does to NDCG.

    ``sum_n w_n |D(r_p) - D(r_n)| log(1 + exp(x_n - x_p))`` with ``D(r) = 1 / log2(1 + r)`` for ranks up to ``k`` and 0
    beyond, and ranks ``r`` by the present scores: LambdaRank, Burges: From RankNet to LambdaRank to LambdaMART (2010).

    Args:
        k: cut-off of the NDCG, at least 1.

    Raises:
        SettingsError: ``k`` is below 1.
    """

    def __init__(self, k: int = 10) -> None:
        super().__init__()
        if k < 1:
            raise SettingsError(f"training.listwise_loss.k must be at least 1, but it is {k}. Correct it.")
        self.k = k

    def forward(self, scores: Tensor, relevant: Tensor, log_weights: Tensor) -> Tensor:
        """See :data:`ListwiseLoss`."""
        places, inside = row_positions(relevant)
        with torch.no_grad():
            comparable = scores.masked_fill(log_weights.isneginf() & ~relevant, -torch.inf)
            order = comparable.argsort(dim=1, descending=True, stable=True)
            rank = torch.empty_like(order).scatter_(
                1, order, torch.arange(scores.shape[1], device=scores.device).expand_as(order)
            )
            discount = torch.where(rank < self.k, 1 / torch.log2(rank + 2.0), 0)
            gain = (discount.gather(1, places)[:, :, None] - discount[:, None, :]).abs()  # [B, P, C]
            weight = gain * log_weights.exp().masked_fill(relevant, 0)[:, None, :] * inside[:, :, None]
        differences = scores[:, None, :] - scores.gather(1, places)[:, :, None]
        each = (weight * functional.softplus(differences)).sum(2)
        return (each.sum(1) / relevant.sum(1)).mean()
