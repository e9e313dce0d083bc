"""Evaluates the pipeline of finished runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch

from recsys.data.split import Stage
from recsys.errors import RetrievalError, RunError
from recsys.evaluation.known_items import ONLY_NEW, KnownItems
from recsys.evaluation.ranking import RankingEvaluator
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import PredictsRatings
from recsys.recommendation.catalogue_columns import content_column_of, content_of, reranker
from recsys.recommendation.model_stages import ModelRanker, ScoreRetriever, vector_retriever
from recsys.recommendation.sampled_explanation import batch_explainer_of
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.rerankers import RERANKERS
from recsys.retrieval.retrievers import Retriever
from recsys.runs.device import training_device
from recsys.runs.trained_run import TrainedRun, split_of_run
from recsys.studies.pipeline.evaluation import PipelineEvaluator, PipelineReport

#: Functions by name that make a retriever from a model, the size of the catalogue and a device.
RETRIEVERS: Mapping[str, Callable[[Any, int, torch.device], Retriever]] = MappingProxyType(
    {"scores": ScoreRetriever, "vectors": vector_retriever}
)


def measure_pipeline(
    run: TrainedRun,
    ranking_run: TrainedRun | None,
    retrieval: str,
    stage: Stage,
    k: int,
    num_candidates: int,
    diversity: str | None,
    diversity_weight: float,
    diversity_weights: Sequence[float],
    content: str | None,
    explain: bool,
    make_evaluator: Callable[..., RankingEvaluator],
    known_items: KnownItems = ONLY_NEW,
) -> PipelineReport:
    """Retrieve with one run, rank with another, diversify, and evaluate each stage.

    Args:
        run: the run whose model retrieves.
        ranking_run: the run whose model ranks the candidates; None keeps their order.
        retrieval: a name in :data:`RETRIEVERS`.
        stage: ``valid`` or ``test``.
        k: length of the final lists.
        num_candidates: candidates for each user.
        diversity: name of the re-ranker of the pipeline; None for none.
        diversity_weight: weight of that re-ranker.
        diversity_weights: weights at which re-rankers are compared: the one of ``diversity``, or all if it is None.
        content: the column that diversity is measured by; None for the first multi-valued feature. Where there is none,
            diversity is left out, unless ``diversity`` asks for it.
        explain: whether the pipeline explains its scores too; only the time is measured.
        make_evaluator: makes the evaluator of lists for the cut-offs ``ks``.
        known_items: which known items are left out of lists and of what is to be found.

    Raises:
        RetrievalError: there is no such retriever, re-ranker or column, or a setting is out of range.
        RunError: the runs differ in data or split, or only one of the models predicts ratings.
        ModelError: vectors are required of a model that has none.
    """
    if retrieval not in RETRIEVERS:
        raise RetrievalError(f"retrieval must be {' or '.join(RETRIEVERS)}, but it is {retrieval}. Correct it.")
    if not 1 <= k <= num_candidates:
        raise RetrievalError(
            f"k must be from 1 to num_candidates={num_candidates}, but it is {k}. Correct one of them."
        )
    rates = isinstance(run.model, PredictsRatings)
    if ranking_run is not None:
        _check_same(run, ranking_run)
    prepared = run.prepared
    # Checked before anything is measured.
    chosen = reranker(diversity, diversity_weight, prepared, content)
    has_content = (content or content_column_of(prepared)) is not None
    names = [diversity] if diversity is not None else list(RERANKERS) if has_content else []
    rerankers = {
        (name, step): made
        for name in names
        for step in [
            *diversity_weights,
            *([diversity_weight] if diversity is not None and diversity_weight not in diversity_weights else []),
        ]
        if (made := reranker(name, step, prepared, content)) is not None
    }
    genres = content_of(prepared, content) if has_content else None

    view, split = split_of_run(run)
    device = training_device(run.config)
    task = RankingTask.from_split(view.interactions, split, stage, device, view.positive, rates, known_items)
    evaluator = PipelineEvaluator(
        task,
        make_evaluator,
        k,
        num_candidates,
        vectors=None if genres is None else torch.from_numpy(genres.multi_hot()).to(device),
        calibration=None if genres is None else CalibratedReranker(genres, diversity_weight=0),
    )
    retriever = RETRIEVERS[retrieval](run.model.to(device), prepared.schema.num_items, device)
    last: Any = (ranking_run or run).model.to(device)
    ranker = None if ranking_run is None else ModelRanker(last, device)
    explainer = batch_explainer_of(last, prepared.schema.num_items, device, ranker is not None) if explain else None
    return evaluator.evaluate(retriever, ranker, rerankers, chosen, explainer)


def _check_same(run: TrainedRun, other: TrainedRun) -> None:
    """Check that two runs have the same data and split, and read the same histories."""
    for name in ("data_hash", "split_hash"):
        ours, theirs = getattr(run.manifest, name), getattr(other.manifest, name)
        if ours != theirs:
            raise RunError(
                f"Runs of the same data and split are required, but their {name} are {ours[:12]} and {theirs[:12]}. "
                "Train both with the same data and split settings."
            )
    if isinstance(run.model, PredictsRatings) != isinstance(other.model, PredictsRatings):
        raise RunError(
            "Two models of implicit feedback or two models of ratings are required, as both read the same histories, "
            f"but got {type(run.model).__name__} and {type(other.model).__name__}. Choose another ranker."
        )
