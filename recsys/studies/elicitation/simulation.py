"""What asking new users is worth: held-out users answer, and get recommendations from their answers.

Shape suffixes: U held-out users, I items, B queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.split import Split, Stage
from recsys.elicitation.familiarity import FamiliarityModel
from recsys.elicitation.preference_elicitation import PreferenceElicitation
from recsys.evaluation.means import FloatArray
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import FoldsIn, Query

BoolArray = npt.NDArray[np.bool_]

#: Asks all users: takes what each knows, shape [U, I], and the largest number of questions; returns the items in the
#: order in which each user is asked, shape [U, questions], int64, -1 where there is no item left.
Strategy = Callable[[BoolArray, int], npt.NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Simulated:
    """The result of one strategy of asking with one number of questions.

    Args:
        strategy: name of the strategy.
        num_questions: how many items.
        num_known: how many of them a user knew, on average.
        values: NDCG of each user, shape [U].
    """

    strategy: str
    num_questions: int
    num_known: float
    values: FloatArray


class WithPopularityFallback(nn.Module):
    """A model that folds in, and the most popular items for those of whom it knows nothing.

    Args:
        model: a model that folds in.
        counts: training interactions of each item, shape [I].
    """

    counts: Tensor

    def __init__(self, model: nn.Module, counts: Tensor) -> None:
        super().__init__()
        assert isinstance(model, FoldsIn), "callers ask for the protocol first"
        self.model = model
        self.register_buffer("counts", counts.float())

    def score(self, query: Query) -> Tensor:
        """Scores by the histories alone, shape [B, I]; the counts where the model scores no item."""
        scores: Tensor = self.model.score_histories(query.histories)
        return torch.where(scores.isnan().all(dim=1, keepdim=True), self.counts, scores)


class ElicitationSimulation:
    """Held-out users who know what is given of them, and like what is held out.

    An item that is held out counts as not known when it is asked for. What is given of a user is never recommended,
    whether it was asked for or not, so that candidates and targets are the same whatever is asked.

    Args:
        interactions: what ``split`` divides.
        split: a split with held-out users.
        stage: ``valid`` to choose settings, ``test`` for final numbers.
        model: a fitted model that folds in, on the CPU.
        evaluator: ranks; one of its cut-offs is ``k``.
        k: cut-off of NDCG.
    """

    def __init__(
        self,
        interactions: Interactions,
        split: Split,
        stage: Stage,
        model: nn.Module,
        evaluator: RankingEvaluator,
        k: int = 10,
    ) -> None:
        task = RankingTask.from_split(interactions, split, stage)
        given = interactions.take(split.valid_fold_in if stage == "valid" else split.test_fold_in)
        place = np.full(interactions.num_users, -1)
        held_out = np.unique(given.user_index)
        self._users = held_out[np.isin(held_out, task.users.numpy())]
        place[self._users] = np.arange(len(self._users))
        rows = place[given.user_index]
        self.knows: BoolArray = np.zeros((len(self._users), interactions.num_items), dtype=np.bool_)
        self.knows[rows[rows >= 0], given.item_index[rows >= 0]] = True
        self._task = replace(task, users=torch.from_numpy(self._users).long())
        self._model = WithPopularityFallback(model, task.training_item_counts)
        self._evaluator = evaluator
        self._metric = f"ndcg@{k}"
        self._num_users = interactions.num_users

    def run(self, name: str, strategy: Strategy, numbers: Sequence[int]) -> list[Simulated]:
        """Ask with ``strategy``, and measure after each of ``numbers`` questions."""
        asked = strategy(self.knows, max(numbers))
        rows = np.arange(len(asked))[:, None]
        answers = self.knows[rows, asked] & (asked >= 0)
        results = []
        for number in sorted(numbers):
            known = answers[:, :number]
            user, _ = known.nonzero()
            values = self._ndcg(user, asked[:, :number][known])
            results.append(Simulated(name, number, float(known.sum(1).mean()), values))
        return results

    def with_all(self, name: str) -> Simulated:
        """What everything that is given of the users is worth: a bound on what answers can be."""
        user, items = self.knows.nonzero()
        return Simulated(name, self.knows.shape[1], float(self.knows.sum(1).mean()), self._ndcg(user, items))

    def _ndcg(self, rows: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> FloatArray:
        """NDCG of each user with ``items`` as histories, in their order; ``rows`` ascend."""
        counts = np.zeros(self._num_users, dtype=np.int64)
        counts[self._users] = np.bincount(rows, minlength=len(self._users))
        offsets = torch.from_numpy(np.concatenate([[0], counts.cumsum()]))
        histories = Histories(offsets, torch.from_numpy(items.astype(np.int64)), None, None)
        result = self._evaluator.evaluate(self._model, replace(self._task, histories=histories))
        return result.per_user[self._metric]


def same_items(items: Sequence[int]) -> Strategy:
    """Everyone is asked for the same items."""

    def ask(knows: BoolArray, num_questions: int) -> npt.NDArray[np.int64]:
        row = np.full(num_questions, -1, dtype=np.int64)
        row[: len(items)] = items[:num_questions]
        return np.tile(row, (len(knows), 1))

    return ask


def at_random(candidates: npt.NDArray[np.int64], seed: int) -> Strategy:
    """Each user is asked for items drawn from ``candidates``, without replacement."""

    def ask(knows: BoolArray, num_questions: int) -> npt.NDArray[np.int64]:
        generator = np.random.default_rng(seed)
        asked = np.full((len(knows), num_questions), -1, dtype=np.int64)
        for row in asked:
            drawn = generator.permutation(candidates)[:num_questions]
            row[: len(drawn)] = drawn
        return asked

    return ask


def by_answers(familiarity: FamiliarityModel) -> Strategy:
    """Each user is asked by their answers so far."""

    def ask(knows: BoolArray, num_questions: int) -> npt.NDArray[np.int64]:
        asked = np.full((len(knows), num_questions), -1, dtype=np.int64)
        for row, known in zip(asked, knows, strict=True):
            elicitation = PreferenceElicitation(familiarity)
            for number in range(num_questions):
                item = elicitation.next_item()
                if item is None:
                    break
                row[number] = item
                elicitation.answer(item, bool(known[item]))
        return asked

    return ask
