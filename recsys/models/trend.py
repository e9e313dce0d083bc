"""What was popular when the user was active.

Shape suffixes: B queries, I items of the catalogue, T spans of time, M interactions of all histories together.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.protocols import Query
from recsys.models.recency import SECONDS_PER_DAY
from recsys.models.served.form import ServingForm
from recsys.models.served.trend_table import TrendTable

#: Numbers of the table at most, 1 GiB.
_MAX_NUMBERS = 2**28


class Trend(nn.Module):
    """Scores an item by how much more popular than usual it was at the times of the user's interactions.

    ``score(u, i) = mean_s log((share_i(t_s) + a) / (share_i + a))`` over the times t_s of the history: ``share_i`` is
    the part of all training interactions that are with i, and ``share_i(t)`` the same with each interaction weighed by
    ``exp(-|t - t'| / scale)`` for its time t'. That the popularity which matters is that of the moment is the point of
    Ji, Sun, Zhang, Li: A Re-visit of the Popularity Baseline in Recommender Systems (2020).

    By itself it ranks badly, for it leaves out what is popular always and who likes what. It is a source of ``hybrid``,
    and says what no other model says. Times before and after those of training count as its first and last; an
    interaction whose time is not known counts as of the end. Both directions of time count: online, nothing is later.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
        scale_days: how far around a moment, in days; times are kept in spans of half as long.
        prior: a, in shares of an average item.

    Raises:
        ModelError: a setting is not positive.
    """

    table: Tensor
    first_second: Tensor

    def __init__(self, num_users: int, num_items: int, scale_days: float = 2.0, prior: float = 0.1) -> None:
        super().__init__()
        if not (scale_days > 0 and prior > 0):
            raise ModelError(
                f"model.scale_days and model.prior must be above 0, but they are {scale_days} and {prior}. "
                "Correct them."
            )
        self.num_items = num_items
        self.scale_days = scale_days
        self.prior = prior
        self.span_seconds = max(1, round(scale_days * SECONDS_PER_DAY / 2))
        self.register_buffer("table", torch.zeros(1, num_items))
        self.register_buffer("first_second", torch.zeros((), dtype=torch.int64))

    def sized_by_data(self) -> tuple[str, ...]:
        """The table; see :class:`recsys.models.protocols.SizedByData`."""
        return ("table",)

    def fit(self, interactions: Interactions) -> None:
        """Count the interactions of each item around each moment.

        Raises:
            ModelError: the interactions have no timestamps, or the table would be too large.
        """
        if interactions.timestamp is None:
            raise ModelError("Trends need interactions with timestamps, but these data have none. Leave trend out.")
        if len(interactions) == 0:
            return
        first = int(interactions.timestamp.min())
        span = (interactions.timestamp - first) // self.span_seconds
        num_spans = int(span.max()) + 1
        if num_spans * self.num_items > _MAX_NUMBERS:
            raise ModelError(
                f"Trends of {self.num_items:,} items over {num_spans:,} spans of {self.scale_days / 2:g} days are "
                f"{num_spans * self.num_items:,} numbers; {_MAX_NUMBERS:,} is the limit. Raise model.scale_days."
            )
        counts = np.zeros((num_spans, self.num_items), dtype=np.float32)
        np.add.at(counts, (span, interactions.item_index), 1)
        around = torch.from_numpy(_smoothed(counts, np.exp(-self.span_seconds / (self.scale_days * SECONDS_PER_DAY))))
        usual = torch.from_numpy(counts.sum(0))
        prior = self.prior / self.num_items
        ratio = (around / around.sum(1, keepdim=True) + prior) / (usual / usual.sum() + prior)
        self.table = ratio.log().to(self.table.device)
        self.first_second.fill_(first)

    def score(self, query: Query) -> Tensor:
        """Score the catalogue, shape [B, I], float32; NaN for an empty history."""
        return self.score_histories(query.histories)

    def score_histories(self, histories: Histories) -> Tensor:
        """See :class:`recsys.models.protocols.FoldsIn`."""
        num_spans = len(self.table)
        if histories.timestamp is None:
            span = torch.full_like(histories.items, num_spans - 1)
        else:
            span = ((histories.timestamp - self.first_second) // self.span_seconds).clamp(0, num_spans - 1)
        row = torch.repeat_interleave(torch.arange(len(histories), device=span.device), histories.counts)
        times = self.table.new_zeros(len(histories), num_spans)
        times.index_put_((row, span), self.table.new_ones(()), accumulate=True)
        # An empty history is 0 / 0.
        return (times / histories.counts[:, None]) @ self.table

    def serving_form(self) -> ServingForm:
        """The table; see :class:`recsys.models.served.form.Serves`."""
        return ServingForm(TrendTable(self.table, int(self.first_second), self.span_seconds).eval(), None)


def _smoothed(counts: np.ndarray, decay: float) -> np.ndarray:
    """The sum over all rows s of ``decay ** |t - s|`` times row s, for each row t; shape [T, I] as ``counts``."""
    forward, backward = counts.copy(), counts.copy()
    for row in range(1, len(counts)):
        forward[row] += decay * forward[row - 1]
        backward[-row - 1] += decay * backward[-row]
    return forward + backward - counts
