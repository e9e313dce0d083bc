"""A model that answers from a table of scores, for testing how models are evaluated."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.models.interface.protocols import Query


class ScoreTable:
    """Scores every user by their row of ``scores``, shape [U, I]."""

    def __init__(self, scores: Tensor) -> None:
        self.scores = scores

    def score(self, query: Query) -> Tensor:
        return self.scores[query.users]


class PairTable:
    """Scores pairs by ``scores``, shape [U, I]."""

    def __init__(self, scores: Tensor) -> None:
        self.scores = scores

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        return self.scores[users, items]


class SharedRow:
    """Gives everyone one and the same row, as a view: writing to an answer would be writing to all."""

    def __init__(self, row: list[float]) -> None:
        self.row = torch.tensor(row)

    def score(self, query: Query) -> Tensor:
        return self.row.expand(len(query), -1)
