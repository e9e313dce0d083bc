"""Holds a fitted model against the most-popular baseline in one stage of its split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor, nn

from recsys.data.features import FeatureTable
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.raw import FeatureKind
from recsys.data.split import Split, Stage
from recsys.errors import SplitError
from recsys.evaluation.fixed_negatives import FixedNegativesResult, evaluate_fixed_negatives
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.popularity import Popularity
from recsys.recommending import fitted_popularity

BASELINE = "popularity"


@dataclass(frozen=True, slots=True)
class Assessment:
    """How a model did, beside the baseline.

    Args:
        stage: what was ranked.
        ranking: full-catalogue results by model name; the baseline first.
        fixed_negatives: results among the data set's fixed negatives by model name; empty where it has none.
    """

    stage: Stage
    ranking: dict[str, RankingResult]
    fixed_negatives: dict[str, FixedNegativesResult]

    def metrics(self, name: str) -> dict[str, float]:
        """All numbers of one model under one level of names."""
        fixed = self.fixed_negatives[name].flat() if name in self.fixed_negatives else {}
        return {**self.ranking[name].flat(self.stage), **fixed}


def assess(
    config: DictConfig,
    prepared: PreparedDataset,
    interactions: Interactions,
    split: Split,
    model: nn.Module,
    name: str,
    stage: Stage = "test",
) -> Assessment:
    """Rank the full catalogue with the model and with the baseline, on the device of training.

    Args:
        config: the configuration of the run; its ``evaluation`` says how.
        prepared: the data.
        interactions: the interactions that ``split`` divides.
        split: which interactions are known and which are to be found.
        model: the fitted model.
        name: what the tables call it.
        stage: ``valid`` or ``test``.

    Raises:
        SplitError: the stage has no held-out interactions.
    """
    if len(split.targets(stage)) == 0:
        raise SplitError(
            f"Held-out interactions are required to evaluate, but the {stage} part of the split is empty. "
            "Choose another stage, or give the split a larger share for it."
        )
    device = evaluation_device(config)
    task = RankingTask.from_split(interactions, split, stage, device)
    evaluator = instantiate(config.evaluation)
    vectors = content_vectors(prepared)
    vectors = None if vectors is None else vectors.to(device)
    models: dict[str, Any] = {}
    if not isinstance(model, Popularity):
        models[BASELINE] = fitted_popularity(interactions.take(split.train))
    models[name] = model
    ranking, fixed = {}, {}
    pairs = None if stage == "valid" else fixed_pairs(prepared, interactions, split, device)
    for label, candidate in models.items():
        candidate.to(device).eval()
        ranking[label] = evaluator.evaluate(candidate, task, vectors)
        if pairs is not None:
            fixed[label] = evaluate_fixed_negatives(candidate, *pairs)
    return Assessment(stage, ranking, fixed)


def evaluation_device(config: DictConfig) -> torch.device:
    """The GPU where there is one and the trainer may use it, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() and config.trainer.accelerator != "cpu" else "cpu")


def content_vectors(prepared: PreparedDataset) -> Tensor | None:
    """Multi-hot vectors of the items' first multi-valued feature, shape [I, V], by which lists are called diverse."""
    columns = [column for column in prepared.schema.item_features if column.kind == FeatureKind.MULTI_VALUED][:1]
    return FeatureTable.from_table(prepared.items, tuple(columns)).multi_hot(columns[0].name) if columns else None


def fixed_pairs(
    prepared: PreparedDataset, interactions: Interactions, split: Split, device: torch.device
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Users, their held-out item and its fixed negatives; None where the data set has none.

    Raises:
        SplitError: a user with fixed negatives has not exactly one held-out item.
    """
    if prepared.fixed_negatives is None:
        return None
    users, negatives = prepared.fixed_negatives
    test = interactions.take(split.test)
    counts = np.bincount(test.user_index, minlength=interactions.num_users)
    if (counts[users] != 1).any():
        raise SplitError(
            "Ranking among fixed negatives needs exactly one test item for each of their users, but "
            f"{int((counts[users] != 1).sum())} users have another number. Use split=predefined."
        )
    target = np.empty(interactions.num_users, dtype=np.int64)
    target[test.user_index] = test.item_index
    columns = (users.astype(np.int64), target[users], negatives.astype(np.int64))
    first, second, third = (torch.from_numpy(column).to(device) for column in columns)
    return first, second, third
