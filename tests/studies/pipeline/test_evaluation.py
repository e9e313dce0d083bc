from functools import partial

import numpy as np
import pytest
import torch

from recsys.evaluation.ranking import RankingEvaluator
from recsys.recommendation.catalogue_columns import content_of
from recsys.recommendation.model_stages import ModelRanker, ScoreRetriever
from recsys.recommendation.sampled_explanation import batch_explainer_of
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.mmr import MMR
from recsys.studies.pipeline.evaluation import PipelineEvaluator
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.models.test_contract import fitted

MAKE = partial(RankingEvaluator, bootstrap_samples=0)


def evaluator(board, k=3, num_candidates=NUM_ITEMS, batch_size=16):
    genres = content_of(prepared_board())
    vectors = torch.from_numpy(genres.multi_hot())
    return PipelineEvaluator(board.task, MAKE, k, num_candidates, vectors, CalibratedReranker(genres, 0), batch_size)


def report_of(board, ranker=None, rerankers=None, chosen=None, explainer=None, **settings):
    retriever = ScoreRetriever(board.model, NUM_ITEMS)
    return evaluator(board, **settings).evaluate(retriever, ranker, rerankers or {}, chosen, explainer)


def test_without_further_stages_the_numbers_are_those_of_the_model():
    board = fitted("popularity")
    expected = MAKE(ks=[3]).evaluate(
        board.model, board.task, torch.from_numpy(content_of(prepared_board()).multi_hot())
    )
    report = report_of(board)
    for name, mean in expected.means().items():
        assert report.plain.result.means()[name] == pytest.approx(mean), name
    assert report.plain.result.catalogue["diversity@3"] == pytest.approx(expected.catalogue["diversity@3"])
    assert report.ranked is None
    assert report.mean_candidates == pytest.approx(
        np.mean(NUM_ITEMS - board.task.seen.counts[board.task.users].numpy())
    )


def test_the_recall_of_retrieval_is_that_of_all_candidates():
    # all unseen items are candidates, so that every held-out item is among them
    assert report_of(fitted("popularity")).retrieved.result.means()[f"recall@{NUM_ITEMS}"] == 1
    few = report_of(fitted("popularity"), num_candidates=3)
    assert few.retrieved.result.means()["recall@3"] < 1
    assert few.mean_candidates == 3


def test_a_ranker_is_measured_beside_the_retriever():
    popular, personalized = fitted("popularity"), fitted("ease")
    report = report_of(popular, ranker=ModelRanker(personalized.model))
    assert report.plain is report.ranked
    of_popular, of_personal = (
        MAKE(ks=[3]).evaluate(board.model, board.task).means()["ndcg@3"] for board in (popular, personalized)
    )
    assert of_personal > of_popular
    assert report.retrieved.result.means()["ndcg@3"] == pytest.approx(of_popular)
    assert report.ranked.result.means()["ndcg@3"] == pytest.approx(of_personal)


def test_strengths_are_measured_apart():
    genres = content_of(prepared_board())
    board = fitted("popularity")
    rerankers = {
        ("mmr", diversity_weight): MMR(genres.multi_hot(), diversity_weight) for diversity_weight in (0.0, 0.9)
    }
    report = report_of(board, rerankers=rerankers)
    unchanged, diverse = report.diversified["mmr", 0.0], report.diversified["mmr", 0.9]
    assert unchanged.result.means()["ndcg@3"] == pytest.approx(report.plain.result.means()["ndcg@3"])
    assert unchanged.divergence == pytest.approx(report.plain.divergence)
    # nearly all unseen squares are of the colour that a user does not like
    assert diverse.result.catalogue["diversity@3"] > unchanged.result.catalogue["diversity@3"]
    assert diverse.divergence < unchanged.divergence


def test_numbers_do_not_depend_on_the_batches():
    genres = content_of(prepared_board())
    reports = [
        report_of(fitted("ease"), rerankers={("calibrated", 0.5): CalibratedReranker(genres, 0.5)}, batch_size=size)
        for size in (7, 1000)
    ]
    first, second = (report.diversified["calibrated", 0.5] for report in reports)
    assert first.result.means() == second.result.means()
    assert first.divergence == pytest.approx(second.divergence)


def test_stages_are_timed_in_batches_and_alone():
    board = fitted("ease")
    stages = {"ranker": ModelRanker(board.model), "explainer": batch_explainer_of(board.model, NUM_ITEMS)}
    report = report_of(board, chosen=MMR(np.eye(NUM_ITEMS), 0.5), **stages)
    for times in (report.batch_milliseconds, report.alone_milliseconds):
        assert list(times) == ["retrieve", "filter", "rank", "diversify", "explain"]
        assert all(value > 0 for value in times.values())
