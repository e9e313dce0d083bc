"""A bundle splits scores as the model in PyTorch does, for every model that has a configuration."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from recsys.errors import ModelError
from recsys.export.parity import parity_queries
from recsys.models.interface.protocols import Explains
from recsys.recommendation.sampled_explanation import batch_explainer_of
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.sampled_explanation import SampledExplainer
from recsys.runtime.bundle import Bundle
from recsys.runtime.explanations.onnx_explainer import OnnxExplainer, bundle_explainer
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.models.test_contract import MODELS, fitted, is_personalized, models_that

EXACT = models_that(Explains)
#: They score the users of the training by what they learnt of them.
KNOWN_USERS_ONLY = {"mf", "neumf"}
RATING_MODELS = {"bayesian_mf", "biased_mf", "svd_pp"}
SETTINGS = {"num_permutations": 8, "max_items": 6}


@cache
def opened(name: str, ranker: str | None = None) -> Bundle:
    return Bundle.open(board_bundle(name, ranker))


def explainer_of_bundle(bundle: Bundle, **settings: int) -> BatchExplainer:
    numbers, num_items = bundle.manifest.floats_per_position, bundle.manifest.data.num_items
    return bundle_explainer(
        bundle,
        lambda name: OnnxModel(bundle.directory / name),
        OnnxEncoder(bundle.query_encoder(), numbers),
        OnnxRanker(bundle.ranker(), numbers, num_items) if bundle.has_ranker else None,
        **settings,
    )


def requests_to(bundle: Bundle, known: bool, num_requests: int = 4) -> RequestBatch:
    """Users of the board, with half of what they have, or strangers with the same."""
    queries = parity_queries(prepared_board(), bundle.manifest.data.min_rating, bundle.user_columns)
    users = queries["512 users" if known else "a stranger with a history"].take(np.arange(num_requests))
    return users.latest(8)


def items_for(requests: RequestBatch) -> np.ndarray:
    items = np.random.default_rng(0).integers(0, NUM_ITEMS, (len(requests), 5))
    items[0, 2] = -1
    return items


def in_pytorch(name: str, requests: RequestBatch, items: np.ndarray, ranks: bool = False) -> BatchExplanation:
    asked = replace(requests, features={}) if (requests.users >= 0).all() else requests
    return batch_explainer_of(fitted(name).model, NUM_ITEMS, ranks=ranks, **SETTINGS).explain(asked, items)


def assert_same(found: BatchExplanation, expected: BatchExplanation, tolerance: float) -> None:
    scale = max(1e-6, float(np.abs(np.nan_to_num(expected.contributions)).max()))
    for ours, theirs in ((found.contributions, expected.contributions), (found.rest, expected.rest)):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)
    np.testing.assert_array_equal(found.num_grouped, expected.num_grouped)
    if expected.errors is None:
        assert found.errors is None
    else:
        np.testing.assert_allclose(found.errors, expected.errors, rtol=1e-2, atol=tolerance * scale)


@pytest.mark.parametrize("known", [True, False], ids=["known users", "strangers"])
@pytest.mark.parametrize("name", MODELS)
def test_contributions_are_those_of_pytorch(name, known):
    bundle = opened(name)
    assert bundle.has_explainer == (name in EXACT)
    explainer = explainer_of_bundle(bundle, **SETTINGS)
    requests = requests_to(bundle, known)
    items = items_for(requests)
    if not is_personalized(name) or (known and name in KNOWN_USERS_ONLY | RATING_MODELS):
        with pytest.raises(ModelError) as expected:
            in_pytorch(name, requests, items)
        with pytest.raises(ModelError) as found:
            explainer.explain(requests, items)
        assert str(found.value).split(". ")[0] == str(expected.value).split(". ")[0]
        return
    assert isinstance(explainer, OnnxExplainer if name in EXACT else SampledExplainer)
    found, expected = explainer.explain(requests, items), in_pytorch(name, requests, items)
    assert_same(found, expected, 1e-4 if name in EXACT else 1e-3)
    if name not in KNOWN_USERS_ONLY:
        assert np.nanmax(np.abs(found.contributions)) > 0


@pytest.mark.parametrize("ranker", ["ials", "hybrid"])
def test_the_scores_of_the_ranker_are_explained(ranker):
    bundle = opened("ease", ranker)
    requests = requests_to(bundle, known=True)
    items = items_for(requests)
    found = explainer_of_bundle(bundle, **SETTINGS).explain(requests, items)
    assert bundle.has_explainer == (ranker == "ials")
    assert_same(found, in_pytorch(ranker, requests, items, ranks=True), 1e-3)


def test_a_history_without_interactions_has_no_contributions():
    bundle = opened("ease")
    requests = requests_to(bundle, known=False, num_requests=2)
    mixed = replace(requests, history=RaggedItems.of([[], [4, 2]]))
    found = explainer_of_bundle(bundle).explain(mixed, np.array([[3], [6]]))
    assert found.contributions.shape == (2, 1)
    assert np.isnan(found.rest[:, 0]).tolist() == [True, False]


@pytest.mark.parametrize("name", ["ease", "nmf", "user_knn"])
def test_items_that_came_later_are_not_explained(name):
    requests = requests_to(opened(name), known=False, num_requests=2)
    found = explainer_of_bundle(opened(name), **SETTINGS).explain(
        requests, np.array([[3, NUM_ITEMS], [6, NUM_ITEMS + 4]])
    )
    assert np.isnan(found.rest).tolist() == [[False, True], [False, True]]
    assert np.isnan(found.contributions).any(axis=0).tolist() == [False, True]


@pytest.mark.parametrize("name", ["ials", "content"])
def test_many_requests_are_explained_in_blocks_as_alone(name, monkeypatch):
    bundle = opened(name)
    requests = requests_to(bundle, known=True, num_requests=5)
    items = items_for(requests)
    whole = explainer_of_bundle(bundle).explain(requests, items)
    monkeypatch.setattr("recsys.runtime.explanations.onnx_explainer.MAX_REQUESTS", 2)
    assert_same(explainer_of_bundle(bundle).explain(requests, items), whole, 1e-5)
    monkeypatch.setattr("recsys.runtime.explanations.onnx_explainer.MAX_PAIRS", 1)
    assert_same(explainer_of_bundle(bundle).explain(requests, items), whole, 1e-5)


def test_contributions_add_up_to_the_scores_that_users_see():
    bundle = opened("pure_svd")
    requests = requests_to(bundle, known=True)
    items = items_for(requests)

    encoded = OnnxEncoder(bundle.query_encoder(), 1)(requests)
    scores = np.take_along_axis(encoded @ bundle.item_vectors().T, np.maximum(items, 0), axis=1)
    found = explainer_of_bundle(bundle).explain(requests, items)
    np.testing.assert_allclose(found.scores, np.where(items >= 0, scores, np.nan), rtol=1e-4, atol=1e-5)
