"""Accuracy and catalogue metrics as ``torchmetrics`` states, which accumulate over batches and processes.

The formulas are in :mod:`recsys.evaluation.metrics` and :mod:`recsys.evaluation.catalogue`. Each user must be added
once, in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection

from recsys.errors import EvaluationError
from recsys.evaluation.catalogue import coverage, exposure_counts, gini, novelty
from recsys.evaluation.metrics import RANKING_METRICS, RankingMetric
from recsys.evaluation.ranked_batch import RankedBatch

#: The high part of a value is a multiple of one over this, so that 2^27 of them add up without rounding.
_PARTS_OF_ONE = 2.0**26


class _Mean(Metric):
    """The mean over the users for whom a metric is defined; NaN as long as there are none.

    High and low parts of the values are added up apart. Sums of the first are exact, those of the others are rounded
    far below the last digit of the whole: a mean does not depend on the batches and processes that users come in, and
    whether an epoch is the best, or as good as one before, is the same for any number of them.
    """

    is_differentiable = False
    full_state_update = False
    total: Tensor
    rest: Tensor
    count: Tensor

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("rest", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def _add(self, values: Tensor) -> None:
        # Not in place: a state that was reset in inference mode could not be changed outside of it.
        known = values.double().nan_to_num()
        high = (known * _PARTS_OF_ONE).round() / _PARTS_OF_ONE
        self.total = self.total + high.sum()
        self.rest = self.rest + (known - high).sum()
        self.count = self.count + (~values.isnan()).sum()

    def compute(self) -> Tensor:
        """The mean over all users added so far: a scalar, float64."""
        return (self.total + self.rest) / self.count


class MeanOverUsers(_Mean):
    """The mean over users of one accuracy metric.

    Args:
        metric: a function of :mod:`recsys.evaluation.metrics`.
        k: cut-off.
        **kwargs: of ``torchmetrics.Metric``.
    """

    higher_is_better = True

    def __init__(self, metric: RankingMetric, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = metric
        self.k = k

    def update(self, hits: Tensor, num_relevant: Tensor) -> None:
        """Add a batch: ``hits`` of shape [B, K], bool, and ``num_relevant`` of shape [B], int64."""
        self._add(self.metric(hits, num_relevant, self.k))


class MeanNovelty(_Mean):
    """The mean novelty of the lists.

    Args:
        information: bits of each item from :func:`recsys.evaluation.catalogue.self_information`, shape [I].
        k: cut-off.
        **kwargs: of ``torchmetrics.Metric``.
    """

    information: Tensor

    def __init__(self, information: Tensor, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.register_buffer("information", information, persistent=False)
        self.k = k

    def update(self, items: Tensor) -> None:
        """Add a batch: recommended ``items`` of shape [B, K], int64, -1 where there is none."""
        self._add(novelty(items[:, : self.k], self.information))


class ExposureMeasure(Metric):
    """A metric of exposure, i.e. of how often each item is recommended: coverage or the Gini index.

    Args:
        measure: computes a scalar from the exposure of each item, shape [I].
        num_items: size of the catalogue, I.
        k: cut-off.
        **kwargs: of ``torchmetrics.Metric``.
    """

    is_differentiable = False
    full_state_update = False
    exposure: Tensor

    def __init__(self, measure: Callable[[Tensor], Tensor], num_items: int, k: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.measure = measure
        self.k = k
        self.add_state("exposure", torch.zeros(num_items, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, items: Tensor) -> None:
        """Add a batch: recommended ``items`` of shape [B, K], int64, -1 where there is none."""
        self.exposure = self.exposure + exposure_counts(items[:, : self.k], len(self.exposure))

    def compute(self) -> Tensor:
        """The metric of all lists added so far: a scalar, float64."""
        return self.measure(self.exposure)


class RankingMetrics(torch.nn.Module):
    """The metrics that a validation loop tracks.

    Args:
        metrics: names in :data:`recsys.evaluation.metrics.RANKING_METRICS`.
        ks: cut-offs.
        num_items: size of the catalogue; if given, coverage and the Gini index are measured too.
        information: bits of each item from :func:`recsys.evaluation.catalogue.self_information`, shape [I]; if given,
            novelty is measured too.

    Raises:
        EvaluationError: a name is unknown.

    Example:
        >>> from recsys.evaluation.ranked_batch import RankedBatch
        >>> validation = RankingMetrics(metrics=("hit_rate", "mrr"), ks=(2,))
        >>> hits = torch.tensor([[False, True], [False, False]])
        >>> validation.update(RankedBatch(torch.tensor([[4, 0], [1, 2]]), hits, torch.tensor([1, 3])))
        >>> {name: value.item() for name, value in validation.compute().items()}
        {'hit_rate@2': 0.5, 'mrr@2': 0.25}
    """

    def __init__(
        self,
        metrics: Sequence[str] = ("ndcg", "recall", "hit_rate"),
        ks: Sequence[int] = (10,),
        num_items: int | None = None,
        information: Tensor | None = None,
    ) -> None:
        super().__init__()
        unknown = sorted(set(metrics) - set(RANKING_METRICS))
        if unknown:
            raise EvaluationError(
                f"metrics must be among {', '.join(RANKING_METRICS)}; unknown: {', '.join(unknown)}: correct the name"
            )
        states: dict[str, Metric | MetricCollection] = {}
        for k in ks:
            states |= {f"{name}@{k}": MeanOverUsers(RANKING_METRICS[name], k) for name in metrics}
            if num_items is not None:
                states[f"coverage@{k}"] = ExposureMeasure(coverage, num_items, k)
                states[f"gini@{k}"] = ExposureMeasure(gini, num_items, k)
            if information is not None:
                states[f"novelty@{k}"] = MeanNovelty(information, k)
        # Compute groups share states between metrics that are equal after one batch; these may differ later.
        self._states = MetricCollection(states, compute_groups=False)

    @property
    def names(self) -> list[str]:
        """Names of the metrics, such as ``ndcg@10``."""
        return [str(name) for name in self._states]

    def update(self, ranked: RankedBatch) -> None:
        """Add a batch of lists."""
        self._states.update(items=ranked.items, hits=ranked.hits, num_relevant=ranked.num_relevant)

    def compute(self) -> dict[str, Tensor]:
        """Each metric over all batches of all processes by name, such as ``ndcg@10``: a scalar, float64."""
        return self._states.compute()

    def reset(self) -> None:
        """Forget all batches."""
        self._states.reset()
