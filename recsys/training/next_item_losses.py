"""Losses of targets against a catalogue, in which all rows of a batch share their negatives.

Shape suffixes: M targets, N negatives that are shared, H hard negatives of each, C = N + M * H candidates, I items of
the catalogue, E dim.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.user_items import UserItems
from recsys.errors import SettingsError
from recsys.training.linear_cross_entropy import linear_cross_entropy

#: Ways to correct for how the shared negatives are drawn.
CORRECTIONS = ("none", "logq", "refined")
#: Score of a negative that is left out: it counts nothing beside any other, and a row that has no other learns nothing.
LEFT_OUT = -1e4


class NextItemLoss(Protocol):
    """A loss of M targets, each with the vector that should find it.

    One with an attribute ``hard_depth`` above 0 has a method ``refresh(ranked)`` as well: before each epoch it receives
    for each user what the model now ranks highest among the items that they do not have, int64, shape
    [U, hard_depth], best first; -1 where a list ends.
    """

    def prepare(self, known: UserItems, target_counts: Tensor) -> None:
        """Take in the data before the first step.

        Args:
            known: the training interactions, on the training device.
            target_counts: how often each item is a target in an epoch, shape [I], int64.
        """
        ...

    def refresh(self, ranked: Tensor) -> None:
        """Take in, for each user, what the model now ranks highest among what they do not have.

        Args:
            ranked: shape [U, hard_depth], int64, best first; -1 where a list ends.
        """
        ...

    def candidates(self, targets: Tensor, users: Tensor, generator: torch.Generator) -> Tensor | None:
        """Draw the items that the targets are compared with.

        Args:
            targets: item of each query, shape [M], int64.
            users: user of each query, shape [M], int64.
            generator: source of randomness, on the device.

        Returns:
            Shape [C], int64; None for the catalogue.
        """
        ...

    def __call__(
        self, queries: Tensor, vectors: Tensor, targets: Tensor, users: Tensor, candidates: Tensor | None
    ) -> Tensor:
        """Compute the loss.

        Args:
            queries: shape [M, E].
            vectors: of the targets and then of the candidates, shape [M + C, E]; of the catalogue, shape [I, E], where
                that is what they are compared with.
            targets: item of each query, shape [M], int64.
            users: user of each query, shape [M], int64.
            candidates: what :meth:`candidates` gave for them.

        Returns:
            The mean over the targets, a scalar.
        """
        ...


class FullSoftmax(nn.Module):
    """Softmax cross-entropy over all items in training: ``-log softmax(q . X)_target``.

    Items that nobody has interacted with are no negatives: they would only learn to be scored low.

    Args:
        label_smoothing: share of the target's probability that is spread evenly over the catalogue.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.hard_depth = 0

    def prepare(self, known: UserItems, target_counts: Tensor) -> None:
        """See :class:`NextItemLoss`."""
        items = target_counts.nonzero()[:, 0]
        self._items = None if len(items) == len(target_counts) else items
        self._place = (target_counts > 0).cumsum(0) - 1

    def refresh(self, ranked: Tensor) -> None:
        """See :class:`NextItemLoss`: all items are compared as it is."""

    def candidates(self, targets: Tensor, users: Tensor, generator: torch.Generator) -> Tensor | None:
        """See :class:`NextItemLoss`: all items."""
        return None

    def forward(
        self, queries: Tensor, vectors: Tensor, targets: Tensor, users: Tensor, candidates: Tensor | None
    ) -> Tensor:
        """See :class:`NextItemLoss`."""
        if self._items is not None:
            vectors, targets = vectors.index_select(0, self._items), self._place[targets]
        return linear_cross_entropy(queries, vectors, targets, self.label_smoothing)


class InBatchSoftmax(nn.Module):
    """Softmax cross-entropy over shared negatives: targets of the batch, uniform draws, and hard ones of each user.

    With ``f`` the scores, ``p`` the target and ``E_n`` how often item n is expected among the shared negatives (in
    proportion to its training interactions among the targets of the batch, evenly among the uniform draws):

    - ``none``: ``-f_p + log(exp(f_p) + sum_n exp(f_n))``, which holds frequent items down.
    - ``logq``: the same with ``f - log E`` in place of every ``f``, that of the target too (Yi et al.:
      Sampling-Bias-Corrected Neural Modeling, 2019).
    - ``refined``: ``(1 - P_p) (-f_p + log sum_n exp(f_n - log E_n))``, where ``P_p`` is the softmax probability of the
      target and not differentiated. The target is always there and never drawn, so it stays out of the sum, and the
      gradient is that of the full softmax but for the draws (Khrylchenko et al.: Correcting the LogQ Correction, arXiv
      2507.09331).

    Uniform draws are among the items in training: others would only learn to be scored low.
    A negative that is the row's own target (an accidental hit) is left out of its row. Hard negatives are drawn evenly
    from the user's list and count as they are, without correction.

    Args:
        num_in_batch: targets of the batch that serve as negatives of all rows; all where the batch has no more.
        num_uniform: further negatives drawn evenly from the items in training.
        num_hard: hard negatives of each target, H.
        hard_depth: length of the users' lists that they are drawn from.
        correction: ``none``, ``logq`` or ``refined``.
        remove_known: also leave out negatives that the row's user has a training interaction with.

    Raises:
        SettingsError: there is no such correction, or there are no negatives.
    """

    def __init__(
        self,
        num_in_batch: int = 1024,
        num_uniform: int = 1024,
        num_hard: int = 0,
        hard_depth: int = 100,
        correction: str = "refined",
        remove_known: bool = False,
    ) -> None:
        super().__init__()
        if correction not in CORRECTIONS:
            raise SettingsError(
                f"training.next_item_loss.correction must be one of {', '.join(CORRECTIONS)}; it is {correction}."
            )
        if min(num_in_batch, num_uniform, num_hard) < 0 or num_in_batch + num_uniform < 1 or hard_depth < 1:
            raise SettingsError(
                "At least one shared negative and a hard_depth of at least 1 are required, and no number below 0; "
                f"num_in_batch={num_in_batch}, num_uniform={num_uniform}, num_hard={num_hard}, hard_depth={hard_depth}."
            )
        self.num_in_batch = num_in_batch
        self.num_uniform = num_uniform
        self.num_hard = num_hard
        self.hard_depth = hard_depth if num_hard > 0 else 0
        self.correction = correction
        self.remove_known = remove_known

    def prepare(self, known: UserItems, target_counts: Tensor) -> None:
        """See :class:`NextItemLoss`."""
        self._known = known
        self._frequency = target_counts / target_counts.sum()
        self._items = target_counts.nonzero()[:, 0]

    def refresh(self, ranked: Tensor) -> None:
        """See :class:`NextItemLoss`."""
        self._ranked = ranked
        self._num_ranked = (ranked >= 0).sum(1)

    def candidates(self, targets: Tensor, users: Tensor, generator: torch.Generator) -> Tensor:
        """See :class:`NextItemLoss`: the shared negatives, then the hard ones of each target."""
        shared = self._shared(targets, generator)
        if self.num_hard == 0:
            return shared
        return torch.cat([shared, self._hard(targets, users, generator).flatten()])

    def forward(
        self, queries: Tensor, vectors: Tensor, targets: Tensor, users: Tensor, candidates: Tensor | None
    ) -> Tensor:
        """See :class:`NextItemLoss`."""
        assert candidates is not None
        num_hard = len(targets) * self.num_hard
        items, hard_items = candidates.split([len(candidates) - num_hard, num_hard])
        of_targets, of_items, of_hard = vectors.split([len(targets), len(items), num_hard])
        positive = (queries * of_targets).sum(1)
        if self.correction == "none":
            negative = queries @ of_items.T
        else:
            in_batch = min(len(targets), self.num_in_batch)
            negative = torch.addmm(self._log_q(items, in_batch), queries, of_items.T, beta=-1)
            if self.correction == "logq":
                positive = positive - self._log_q(targets, in_batch)
        left_out = items == targets[:, None]
        if self.remove_known:
            left_out = left_out | self._known.contains(users[:, None], items)
        negative = negative.masked_fill(left_out, LEFT_OUT)
        if self.num_hard > 0:
            negative = torch.cat([negative, self._of_hard(queries, of_hard, targets, hard_items)], dim=1)
        others = torch.logsumexp(negative, dim=1)
        difference = others - positive
        if self.correction == "refined":
            return (torch.sigmoid(difference).detach() * difference).mean()
        return functional.softplus(difference).mean()

    def _shared(self, targets: Tensor, generator: torch.Generator) -> Tensor:
        """Items of the shared negatives, shape [N]."""
        device = targets.device
        in_batch = targets
        if len(targets) > self.num_in_batch:
            in_batch = targets[torch.randperm(len(targets), generator=generator, device=device)[: self.num_in_batch]]
        drawn = torch.randint(len(self._items), (self.num_uniform,), generator=generator, device=device)
        return torch.cat([in_batch, self._items[drawn]])

    def _log_q(self, items: Tensor, num_in_batch: int) -> Tensor:
        """The log of how often each of ``items`` is expected among the shared negatives, in the shape of ``items``."""
        return (num_in_batch * self._frequency[items] + self.num_uniform / len(self._items)).log()

    def _hard(self, targets: Tensor, users: Tensor, generator: torch.Generator) -> Tensor:
        """Hard negatives of each user, shape [M, H]; the target, which is left out, where a user has none."""
        drawn = torch.rand(len(users), self.num_hard, generator=generator, device=users.device)
        place = (drawn * self._num_ranked[users][:, None]).long()
        items = self._ranked[users[:, None], place]
        return torch.where(items < 0, targets[:, None], items)

    def _of_hard(self, queries: Tensor, vectors: Tensor, targets: Tensor, items: Tensor) -> Tensor:
        """Scores of hard negatives, shape [M, H]; :data:`LEFT_OUT` where it is the target."""
        items = items.view(len(queries), self.num_hard)
        scores = (vectors.view(*items.shape, -1) @ queries[:, :, None])[:, :, 0]
        return scores.masked_fill(items == targets[:, None], LEFT_OUT)
