"""Trainings on the checkerboard, and what runs them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from recsys.evaluation.ranking_task import RankingTask
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF
from recsys.training.fitting import FitReport, fit
from recsys.training.full_catalogue import FullCatalogueModule
from recsys.training.losses import (
    LogisticLoss,
    SoftmaxLoss,
)
from recsys.training.module import RecommenderModule
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.checkerboard import checkerboard

INTERACTIONS, SPLIT = checkerboard()
TRAIN = INTERACTIONS.take(SPLIT.train)
VALIDATION = partial(RankingTask.from_split, INTERACTIONS, SPLIT, "valid")


def mf() -> MF:
    torch.manual_seed(0)
    return MF(INTERACTIONS.num_users, INTERACTIONS.num_items, embedding_dim=8)


def neumf() -> NeuMF:
    torch.manual_seed(0)
    return NeuMF(INTERACTIONS.num_users, INTERACTIONS.num_items, embedding_dim=8, hidden_dims=(16, 8), dropout=0.1)


def sampled(network: torch.nn.Module, **options: Any) -> SampledNegativesModule:
    settings: dict[str, Any] = {
        "batch_size": 64,
        "optimizer": partial(torch.optim.Adam, lr=0.02),
        "negative_sampler": UniformNegatives(4),
        "loss": LogisticLoss(),
        "validation": VALIDATION,
        **options,
    }
    return SampledNegativesModule(network, TRAIN, **settings)


def full(network: torch.nn.Module, **options: Any) -> FullCatalogueModule:
    settings: dict[str, Any] = {
        "batch_size": 16,
        "optimizer": partial(torch.optim.Adam, lr=0.05),
        "catalogue_loss": SoftmaxLoss(),
        "validation": VALIDATION,
        **options,
    }
    return FullCatalogueModule(network, TRAIN, **settings)


def run(module: RecommenderModule, directory: Path, max_epochs: int, **options: Any) -> FitReport:
    settings: dict[str, Any] = {"monitor": "valid/ndcg@10", **options}
    trainer = partial(pl.Trainer, max_epochs=max_epochs, accelerator="cpu", devices=1)
    return fit(module, trainer, directory, **settings)
