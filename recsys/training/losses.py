"""Losses over the scores of positives and of their negatives.

Shape suffixes: B positives of a batch, N negatives of each, I items of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

#: A loss of B positives with N sampled negatives each, the mean over the batch: from the scores of the positives
#: (shape [B]), those of the negatives (shape [B, N]) and the log of how often each negative was expected among the N
#: draws (broadcastable to [B, N]).
NegativesLoss = Callable[[Tensor, Tensor, Tensor], Tensor]

#: A loss of B users over every item of the catalogue, the sum over the batch: from the scores (shape [B, I]), the row
#: and the item of each of M positives (int64, shape [M] both) and the positives of each row (int64, shape [B]). Where
#: interactions have weights, a fifth argument is the weight of each positive (float32, shape [M]), and the fourth their
#: sum in each row.
CatalogueLoss = Callable[..., Tensor]

#: What the softplus of a loss is of.
SoftplusForm = Literal["scores", "differences"]


def softplus_form(loss: Any) -> SoftplusForm | None:
    """How a :data:`NegativesLoss` is a mean of ``softplus(z) = log(1 + exp(z))``, as its own class says.

    Returns:
        ``scores``: z is each negative's score and minus the positive's. ``differences``: z is each negative's score
        less the positive's. None: the loss is another one.
    """
    form: SoftplusForm | None = vars(type(loss)).get("softplus_of")
    return form


class LogisticLoss(nn.Module):
    """Binary cross-entropy: ``-log s(x+) - sum_n log s(-x-_n)``, averaged over all 1 + N pairs.

    The loss of He et al.: Neural Collaborative Filtering (2017).
    """

    #: See :func:`softplus_form`.
    softplus_of: ClassVar[SoftplusForm] = "scores"

    def forward(self, positive: Tensor, negative: Tensor, log_q: Tensor) -> Tensor:
        """See :data:`NegativesLoss`; the expected counts are not used."""
        total = functional.logsigmoid(positive).sum() + functional.logsigmoid(-negative).sum()
        return -total / (positive.numel() + negative.numel())


class BPRLoss(nn.Module):
    """Bayesian personalised ranking: ``-log s(x+ - x-)``, averaged over positives and negatives.

    Rendle, Freudenthaler, Gantner, Schmidt-Thieme: BPR (2009).
    """

    #: See :func:`softplus_form`.
    softplus_of: ClassVar[SoftplusForm] = "differences"

    def forward(self, positive: Tensor, negative: Tensor, log_q: Tensor) -> Tensor:
        """See :data:`NegativesLoss`; the expected counts are not used."""
        return functional.softplus(negative - positive[:, None]).mean()


class SampledSoftmaxLoss(nn.Module):
    """Softmax cross-entropy over the positive and its sampled negatives.

    ``-log( exp(x+) / (exp(x+) + sum_n exp(x-_n - log E_n)) )`` with E_n the expected count of negative n among the
    draws: the correction makes the sum estimate the sum over the whole catalogue, whatever the sampling distribution
    (Bengio, Senecal: Adaptive Importance Sampling, 2008).
    """

    def forward(self, positive: Tensor, negative: Tensor, log_q: Tensor) -> Tensor:
        """See :data:`NegativesLoss`."""
        corrected = torch.cat([positive[:, None], negative - log_q], dim=1)
        return (torch.logsumexp(corrected, dim=1) - positive).mean()


class SoftmaxLoss(nn.Module):
    """Softmax cross-entropy over the whole catalogue, one term for each positive: ``-sum_i log softmax(x_u)_i``.

    The multinomial likelihood of Liang et al.: Variational Autoencoders for Collaborative Filtering (2018).
    """

    def forward(
        self, scores: Tensor, rows: Tensor, items: Tensor, counts: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """See :data:`CatalogueLoss`."""
        return (torch.logsumexp(scores, dim=1) * counts).sum() - _weighted(scores[rows, items], weights).sum()


class WeightedLogisticLoss(nn.Module):
    """Binary cross-entropy over the whole catalogue: what uniform sampling of negatives gives in expectation.

    Each positive counts once. Every item of the catalogue counts as a negative with weight ``N * n_u / I``, which is
    how often N uniform draws for each of the user's n_u positives would have picked it.

    Args:
        negatives_per_positive: N, the total weight of negatives for each positive.
    """

    def __init__(self, negatives_per_positive: float = 8.0) -> None:
        super().__init__()
        self.negatives_per_positive = negatives_per_positive

    def forward(
        self, scores: Tensor, rows: Tensor, items: Tensor, counts: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """See :data:`CatalogueLoss`."""
        weight = self.negatives_per_positive * counts / scores.shape[1]
        positive = _weighted(functional.softplus(-scores[rows, items]), weights).sum()
        return positive + (functional.softplus(scores).sum(1) * weight).sum()


class SquaredLoss(nn.Module):
    """Squared error over the whole catalogue: ``sum_i+ (1 - x)^2 + alpha sum_i x^2``.

    The objective of implicit alternating least squares in the form of Rendle, Krichene, Zhang, Koren: Revisiting the
    Performance of iALS (2021), here for any network and by gradient steps.

    Args:
        unobserved_weight: alpha, the weight with which every item of the catalogue is pulled to zero.
    """

    def __init__(self, unobserved_weight: float = 0.3) -> None:
        super().__init__()
        self.unobserved_weight = unobserved_weight

    def forward(
        self, scores: Tensor, rows: Tensor, items: Tensor, counts: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """See :data:`CatalogueLoss`."""
        errors = _weighted((1 - scores[rows, items]).square(), weights)
        return errors.sum() + self.unobserved_weight * scores.square().sum()


def _weighted(values: Tensor, weights: Tensor | None) -> Tensor:
    return values if weights is None else values * weights
