"""Fidelity of explanations, measured by deletion: how far scores fall without the interactions that are named.

Shape suffixes: B users of a batch, U users, K explained items, M interactions, R random draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.errors import EvaluationError
from recsys.evaluation.means import FloatArray
from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.statistics.significance import Interval, bootstrap_intervals
from recsys.models.interface.protocols import Query, ScoringModel
from recsys.recommendation.model_queries import requests_of
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.types import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Fidelity:
    """How far the best score of each user falls when one interaction is deleted from the history.

    Args:
        named: fall without the interaction of the largest contribution, shape [U].
        random: mean fall without a random interaction, shape [U].
        least: fall without the interaction of the smallest contribution, shape [U].
        scores: scores with the whole history, shape [U].
        bootstrap_seed: seed of the intervals.
    """

    named: FloatArray
    random: FloatArray
    least: FloatArray
    scores: FloatArray
    bootstrap_seed: int = 0

    @property
    def wins(self) -> float:
        """Share of users whose score falls more without the named interaction than a random one; a tie is half."""
        return float(((self.named > self.random) + 0.5 * (self.named == self.random)).mean())

    @property
    def ratio(self) -> float:
        """Mean fall without the named interaction, divided by the mean fall without a random one."""
        return float(self.named.mean() / self.random.mean())

    def interval(self) -> Interval:
        """95 % bootstrap interval over users of the mean difference between the two falls."""
        return bootstrap_intervals((self.named - self.random)[:, None], seed=self.bootstrap_seed)[0]


@torch.no_grad()
def deletion_fidelity(
    model: ScoringModel,
    explainer: BatchExplainer,
    task: RankingTask,
    max_users: int = 500,
    num_random: int = 10,
    batch_size: int = 64,
    seed: int = 0,
) -> Fidelity:
    """Delete single interactions from histories and measure how far the score of the top item falls.

    An explanation is faithful if the score needs the interaction with the largest contribution. The user is scored
    again without it, without a random interaction of the same history, and without the one of the smallest
    contribution. Samek et al.: Evaluating the Visualization of What a Deep Neural Network Has Learned (2017).

    Args:
        model: the explained model, on the device of ``task``.
        explainer: explains its scores.
        task: gives the users and their histories; those with fewer than two interactions are left out.
        max_users: largest number of users; they are drawn at random.
        num_random: random interactions of each history, drawn with replacement.
        batch_size: users explained at once.
        seed: seed of the draws.

    Raises:
        EvaluationError: no user has two interactions and an item to recommend.
        ModelError: the scores do not depend on the history.
    """
    random = np.random.default_rng(seed)
    candidates = task.users[task.histories.counts[task.users] >= 2].cpu().numpy()
    chosen = np.sort(random.permutation(candidates)[:max_users])
    blocks = []
    for start in range(0, len(chosen), batch_size):
        users = torch.from_numpy(chosen[start : start + batch_size]).to(task.users.device)
        top = rank_users(model, task, users, 1).items
        users, top = users[top[:, 0] >= 0], top[top[:, 0] >= 0]
        query = task.query(users)
        score = model.score(query).gather(1, top)[:, 0]
        explanation = explainer.explain(requests_of(query), top.cpu().numpy())
        offsets, counts = explanation.history.offsets[:-1], explanation.history.counts
        named, least = offsets + _extreme(explanation, True), offsets + _extreme(explanation, False)
        draws = random.integers(0, counts, (num_random, len(counts))) + offsets
        falls = [score - _score_without(model, query, place, top) for place in (named, least, *draws)]
        mean_random = torch.stack(falls[2:]).mean(0)
        blocks.append(torch.stack([falls[0], mean_random, falls[1], score]).double().cpu().numpy())
    if not blocks or sum(block.shape[1] for block in blocks) == 0:
        raise EvaluationError(
            "Fidelity needs users with two interactions and an item to recommend, but there are none. Choose another "
            "split or stage."
        )
    named_U, random_U, least_U, scores_U = np.concatenate(blocks, axis=1)
    return Fidelity(named_U, random_U, least_U, scores_U, seed)


def _extreme(explanation: BatchExplanation, largest: bool) -> IntArray:
    """Position in each history of the interaction with the largest or smallest contribution, shape [B], int64.

    Interactions that were explained as a group are left out; in a tie the oldest counts.
    """
    history, sign = explanation.history, 1.0 if largest else -1.0
    position = np.arange(len(history.rows)) - history.offsets[:-1][history.rows]
    values = sign * explanation.contributions[:, 0].astype(np.float64)
    values[np.isnan(values) | (position < explanation.num_grouped[history.rows])] = -np.inf
    order = np.lexsort((position, -values, history.rows))  # the first of each row is the one
    return position[order[history.offsets[:-1]]]


def _score_without(model: ScoringModel, query: Query, places: IntArray, items: Tensor) -> Tensor:
    """The scores of ``items`` (shape [B, 1]) when the interactions at ``places`` (shape [B]) are left out, shape [B].

    An unscored item counts as a score of 0, as for an empty history.
    """
    histories = query.histories
    device = histories.items.device
    kept = torch.ones_like(histories.items, dtype=torch.bool)
    kept[torch.from_numpy(places).to(device)] = False
    shorter = Histories(
        offsets=histories.offsets - torch.arange(len(query) + 1, device=device),
        items=histories.items[kept],
        rating=None if histories.rating is None else histories.rating[kept],
        timestamp=None if histories.timestamp is None else histories.timestamp[kept],
    )
    return model.score(replace(query, histories=shorter)).gather(1, items)[:, 0].nan_to_num(nan=0.0)
