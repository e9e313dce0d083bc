"""Whether explanations name what a score really comes from: scores without it are computed and compared.

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
from recsys.evaluation.significance import Interval, bootstrap_intervals
from recsys.models.interface.explanation import Explanation, rows_of
from recsys.models.interface.protocols import Explains, Query, Recommender


@dataclass(frozen=True, slots=True, eq=False)
class Fidelity:
    """How far the best score of each user falls when an interaction is taken out of the history.

    Args:
        named: the fall without the interaction that the explanation names first, shape [U].
        random: the mean fall without a random one, shape [U].
        least: the fall without the one that is named last, shape [U].
        scores: of the whole history, shape [U].
        bootstrap_seed: of the intervals.
    """

    named: FloatArray
    random: FloatArray
    least: FloatArray
    scores: FloatArray
    bootstrap_seed: int = 0

    @property
    def wins(self) -> float:
        """The share of users for whom the named one lowers the score more than a random one does; a tie is half."""
        return float(((self.named > self.random) + 0.5 * (self.named == self.random)).mean())

    @property
    def ratio(self) -> float:
        """The mean fall without the named one, in units of the mean fall without a random one."""
        return float(self.named.mean() / self.random.mean())

    def interval(self) -> Interval:
        """Of the mean difference between the two falls: the 95 % bootstrap interval over users."""
        return bootstrap_intervals((self.named - self.random)[:, None], seed=self.bootstrap_seed)[0]


@torch.no_grad()
def deletion_fidelity(
    model: Recommender,
    explainer: Explains,
    task: RankingTask,
    max_users: int = 500,
    num_random: int = 10,
    batch_size: int = 64,
    seed: int = 0,
) -> Fidelity:
    """Take single interactions out of histories and see how far the score of the item recommended first falls.

    An explanation is faithful where the interaction with the largest part is one that the score needs. The model is
    asked again without it, without a random one of the same history, and without the one with the smallest part.
    Deleting what an explanation names is the test of Samek et al.: Evaluating the Visualization of What a Deep Neural
    Network Has Learned (2017).

    Args:
        model: what is explained, on the device of ``task``.
        explainer: what explains it.
        task: gives the users and their histories; those with fewer than two interactions are left out.
        max_users: users, at most; a random choice.
        num_random: random interactions of each history, with replacement.
        batch_size: users explained at once.
        seed: of the choices.

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
        explanation = explainer.explain(query, top)
        offsets, counts = query.histories.offsets[:-1], query.histories.counts.cpu().numpy()
        named, least = offsets + _extreme(explanation, True), offsets + _extreme(explanation, False)
        draws = torch.from_numpy(random.integers(0, counts, (num_random, len(counts)))).to(offsets.device) + offsets
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


def _extreme(explanation: Explanation, largest: bool) -> Tensor:
    """The position within each history of the interaction with the largest or smallest part, shape [B], int64.

    Interactions that were explained together are not named.
    """
    histories, sign = explanation.histories, 1.0 if largest else -1.0
    rows = rows_of(histories)
    position = torch.arange(len(rows), device=rows.device) - histories.offsets[:-1][rows]
    values = sign * explanation.contributions[:, 0].double()
    values = values.masked_fill(values.isnan() | (position < explanation.num_grouped[rows]), -torch.inf)
    best = values.new_full((len(histories),), -torch.inf).scatter_reduce_(0, rows, values, "amax")
    first = torch.where(values == best[rows], position, len(rows))
    return torch.full_like(histories.counts, len(rows)).scatter_reduce_(0, rows, first, "amin")


def _score_without(model: Recommender, query: Query, places: Tensor, items: Tensor) -> Tensor:
    """The scores of ``items`` (shape [B, 1]) when the interactions at ``places`` (shape [B]) are left out, shape [B].

    No opinion is a score of 0, as where nothing is known.
    """
    histories = query.histories
    kept = torch.ones_like(histories.items, dtype=torch.bool).index_fill_(0, places, False)
    shorter = Histories(
        offsets=histories.offsets - torch.arange(len(query) + 1, device=places.device),
        items=histories.items[kept],
        rating=None if histories.rating is None else histories.rating[kept],
        timestamp=None if histories.timestamp is None else histories.timestamp[kept],
    )
    return model.score(replace(query, histories=shorter)).gather(1, items)[:, 0].nan_to_num(nan=0.0)
