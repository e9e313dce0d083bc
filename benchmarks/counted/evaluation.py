"""Counts an evaluation by ranking: batches of a large one, and what each batch does."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import torch
from torch import nn

from counted.operators import CountOperators, OperatorCount
from counted.training_steps import NUM_ITEMS, NUM_USERS, synthetic_interactions
from recsys.data.split import Split
from recsys.evaluation.batch_planner import users_in_memory
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.ials import IALS
from recsys.models.linalg.positive_definite import SOLVERS
from recsys.models.mf import MF

#: Free memory of the device that batches are planned for, and known items of a user of MovieLens 20M.
FREE_BYTES, PAIRS_PER_USER = 80 * 2**30, 144

#: Users that are evaluated to count a batch, and those of a batch: two counts differ by the batches between them.
_EVALUATED, _FEW, _MANY = 240, 20, 40


def batches() -> int:
    """Batches of an evaluation of MovieLens 20M on a device with 80 GiB, by the planner's arithmetic."""
    return math.ceil(NUM_USERS / users_in_memory(FREE_BYTES, NUM_ITEMS, 50, PAIRS_PER_USER))


def kernels_per_batch() -> float:
    """Operators of a batch, with what a matrix factorisation does to score it."""
    return _per_batch(_mf()).kernels


def synchronisations_per_batch() -> float:
    """Waits of a batch with a matrix factorisation."""
    return _per_batch(_mf()).synchronisations


def fold_in_synchronisations_per_batch() -> float:
    """Waits of a batch with iALS, which computes the vectors of users from their histories: as a GPU solves them."""
    model = IALS(NUM_USERS, NUM_ITEMS)
    model.item_vectors.normal_(generator=torch.Generator().manual_seed(0))
    with mock.patch.dict(SOLVERS, clear=True):
        return _per_batch(model).synchronisations


def _mf() -> MF:
    torch.manual_seed(0)
    return MF(NUM_USERS, NUM_ITEMS)


def _per_batch(model: nn.Module) -> OperatorCount:
    """What one batch does: the difference of two evaluations of the same users, by the batches between them."""
    task = _task()
    many, few = (_evaluated(model, task, size) for size in (_FEW, _MANY))
    between = _EVALUATED // _FEW - _EVALUATED // _MANY
    return OperatorCount(
        kernels=math.ceil((many.kernels - few.kernels) / between),
        synchronisations=math.ceil((many.synchronisations - few.synchronisations) / between),
    )


def _evaluated(model: nn.Module, task: RankingTask, batch_size: int) -> OperatorCount:
    evaluator = RankingEvaluator(batch_size=batch_size, max_users=_EVALUATED, bootstrap_samples=0)
    with CountOperators() as counted:
        evaluator.evaluate(model, task)  # type: ignore[arg-type]
    return counted.count


def _task() -> RankingTask:
    interactions = synthetic_interactions(400_000)
    # Items that are held out are in training as well, so that none is ranked among the cold ones.
    rows = np.arange(len(interactions))
    known = np.isin(interactions.item_index[360_000:], interactions.item_index[:360_000])
    return RankingTask.from_split(interactions, Split(rows[:360_000], rows[:0], rows[360_000:][known]), "test")
