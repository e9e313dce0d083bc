"""Evaluates a fitted model beside a baseline, on one stage of its split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from recsys.data.feature_tensors import RaggedFeature
from recsys.data.features import FeatureTable
from recsys.data.feedback_view import FeedbackView
from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.data.raw import FeatureKind
from recsys.data.split import Split, Stage
from recsys.data.vocabulary import Vocabulary
from recsys.distributed.ranks import ranks
from recsys.errors import SplitError
from recsys.evaluation.fixed_negatives import FixedNegativesResult, evaluate_fixed_negatives
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.evaluation.per_user import per_user_table
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_result import RankingResult
from recsys.evaluation.ranking_task import RankingTask
from recsys.evaluation.rating import RatingEvaluator, RatingResult, RatingTask
from recsys.models.interface.protocols import PredictsRatings
from recsys.retrieval.seen_policy import SeenPolicy

#: Features with more values than this, such as tags, are not used for the diversity of lists: their vectors are dense.
MAX_CONTENT_VALUES = 1000


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Results of a model and of the baseline.

    Args:
        stage: the evaluated stage.
        ranking: full-catalogue results by model name; the baseline first.
        fixed_negatives: results among the data set's fixed negatives by model name; empty if it has none.
        rating: errors of predicted ratings by model name; empty if no model predicts ratings, or in the implicit view.
    """

    stage: Stage
    ranking: dict[str, RankingResult]
    fixed_negatives: dict[str, FixedNegativesResult]
    rating: dict[str, RatingResult]

    def metrics(self, name: str) -> dict[str, float]:
        """All numbers of one model by flat name, such as ``test/ndcg@10``."""
        fixed = self.fixed_negatives[name].flat() if name in self.fixed_negatives else {}
        rating = self.rating[name].flat(self.stage) if name in self.rating else {}
        return {**self.ranking[name].flat(self.stage), **rating, **fixed}

    def baseline_metrics(self, name: str) -> dict[str, float]:
        """The same numbers of the baseline, such as ``baseline/test/ndcg@10``; none where it was left out.

        Args:
            name: of the model, which is not the baseline.
        """
        others = [other for other in self.ranking if other != name]
        return {f"baseline/{key}": value for other in others for key, value in self.metrics(other).items()}

    def per_user(self, name: str, users: Vocabulary) -> pa.Table:
        """The metrics of each user under one model; ``users`` gives their external ids."""
        return per_user_table(self.ranking[name], users, self.fixed_negatives.get(name))


def evaluate_model(
    evaluator: RankingEvaluator,
    baseline: nn.Module | None,
    prepared: PreparedDataset,
    view: FeedbackView,
    split: Split,
    model: nn.Module,
    device: torch.device,
    stage: Stage = "test",
    exclude_seen: SeenPolicy = ONLY_NEW.exclude_seen,
) -> EvaluationReport:
    """Rank the full catalogue with the model and with the baseline; compare predicted ratings with held-out ones.

    In the explicit view every model ranks for the same users, with the same held-out positives and the same seen items
    masked. There, predicted ratings are evaluated too; batches and bootstrap are those of ``evaluator``.

    Several ranks that have the same model call it together: each ranks for some of the users. Rank 0 has the results,
    which are those of one process; the report of the others is empty.

    Args:
        evaluator: ranks and measures.
        baseline: a fitted model of another class; left out if it is None or of the same class as ``model``.
        prepared: the data.
        view: the interactions that ``split`` divides.
        split: which interactions are known and which are held out.
        model: the fitted model; it is moved to the CPU afterwards.
        device: device to evaluate on.
        stage: ``valid`` or ``test``.
        exclude_seen: which known items are left out of the lists; ``evaluator`` says whether they are to be found.

    Raises:
        SplitError: the stage has no held-out interactions.
        EvaluationError: all of them were known before, or ``exclude_seen`` needs timestamps that are not there.
    """
    if len(split.targets(stage)) == 0:
        raise SplitError(
            f"Held-out interactions are required to evaluate, but the {stage} part of the split is empty. "
            "Choose another stage, or give the split a larger share for it."
        )
    vectors = content_vectors(prepared)
    vectors = None if vectors is None else vectors.to(device)
    pairs = fixed_pairs(prepared, view.interactions, split, device) if stage == "test" else None
    models: dict[str, Any] = {model_name(model): model}
    if baseline is not None and type(baseline) is not type(model):
        models = {model_name(baseline): baseline, **models}
    ranking, fixed, rating = {}, {}, {}
    known_items = KnownItems(exclude_seen, evaluator.repeats)
    task, task_rates = None, False
    for name, candidate in models.items():
        rates = isinstance(candidate, PredictsRatings)
        if task is None or task_rates != rates:
            task = None  # so that there are never two
            task, task_rates = (
                RankingTask.from_split(view.interactions, split, stage, device, view.positive, rates, known_items),
                rates,
            )
        candidate.to(device).eval()
        if not ranks().is_main:
            evaluator.assist(candidate, task)
            candidate.cpu()
            continue
        ranking[name] = evaluator.evaluate(candidate, task, vectors)
        if pairs is not None:
            # With fewer negatives than the usual cut-off of ten, every item would be a hit.
            ks = (min(10, pairs[2].shape[1]),)
            ranked = torch.from_numpy(ranking[name].users).to(device)
            rows = torch.isin(pairs[0], ranked) if ranking[name].sampled_from is not None else slice(None)
            users, targets, negatives = (column[rows] for column in pairs)
            if len(users) > 0:  # a small sample may have none of them
                fixed[name] = evaluate_fixed_negatives(
                    candidate, users, targets, negatives, ks=ks, histories=task.histories
                )
        if rates and view.kind == "explicit":
            judge = RatingEvaluator(evaluator.batch_size, evaluator.bootstrap_samples, evaluator.seed)
            rating[name] = judge.evaluate(candidate, RatingTask.from_split(view.interactions, split, stage, device))
        candidate.cpu()
    return EvaluationReport(stage, ranking, fixed, rating)


def model_name(model: nn.Module) -> str:
    """Name of a model in tables: ``model_name`` where it has one, else that of its class."""
    return str(getattr(model, "model_name", type(model).__name__))


def content_vectors(prepared: PreparedDataset) -> Tensor | None:
    """Multi-hot content vectors of the items for the diversity of lists, shape [I, V].

    They encode the first multi-valued feature with at most :data:`MAX_CONTENT_VALUES` values, such as genres; None if
    there is no such feature.
    """
    for column in prepared.schema.item_features:
        if column.kind == FeatureKind.MULTI_VALUED:
            feature = FeatureTable.from_table(prepared.items, (column,))[column.name]
            if isinstance(feature, RaggedFeature) and len(feature.vocabulary) <= MAX_CONTENT_VALUES:
                return feature.multi_hot()
    return None


def fixed_pairs(
    prepared: PreparedDataset, interactions: Interactions, split: Split, device: torch.device
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Users, their held-out item and their fixed negatives; None if the data set has no fixed negatives.

    Raises:
        SplitError: a user with fixed negatives does not have exactly one held-out item.
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
