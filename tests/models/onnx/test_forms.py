"""Every model gives the same scores in the form in which it is served, in PyTorch and as ONNX."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from recsys.export.onnx_export import export_encoder, export_ranker
from recsys.models.interface.protocols import Query
from recsys.models.onnx.exportable import Exportable, ServingForm, scores_of
from recsys.models.onnx.onnx_query import OnnxQuery
from recsys.runtime.onnx_inputs import CANDIDATES
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.models.onnx.model_queries import assert_scores_close, random_histories, run, served
from tests.models.test_contract import MODELS, everyone, fitted, models_that, models_with, nothing_known_of
from tests.models.test_contract import scores_of as expected_scores

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
SERVED = models_that(Exportable)
RANKERS = models_with("serving_ranker")


@cache
def form_of(name: str) -> ServingForm:
    return fitted(name).model.serving_form()


def as_served(name: str, query: Query, padding: int = 0) -> OnnxQuery:
    return served(query, padding, form_of(name).user_columns, prepared_board().users)


def form_scores(name: str, query: OnnxQuery) -> torch.Tensor:
    form = form_of(name)
    with torch.inference_mode():
        return scores_of(form, query).clone()


def strangers(ratings: bool = True, times: bool = True) -> Query:
    """Users who were not in training, with items that come again; the fourth has no history."""
    lengths = [1, 7, 90, 0, 33]
    return Query(torch.full((len(lengths),), -1), random_histories(lengths, NUM_ITEMS, 0, ratings, times))


def row_of(query: OnnxQuery, row: int) -> OnnxQuery:
    features = {name: values[[row]] for name, values in query.features.items()}
    return OnnxQuery(*(part[[row]] for part in query[:-1]), features)


def assert_as_the_model(name: str, query: Query, padding: int = 0) -> None:
    actual = form_scores(name, as_served(name, query, padding))
    expected = expected_scores(fitted(name).model, query)
    if form_of(name).item_vectors is not None:  # inner products may differ from scores by a constant for each query
        actual, expected = (scores - scores.nanmean(1, keepdim=True) for scores in (actual, expected))
    assert_scores_close(actual, expected)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_served(name):
    assert name in SERVED, (
        f"{name} has a file in configs/model, but no serving_form: give it one, so that it can be exported "
        "(recsys/models/onnx/exportable.py, class Serves)."
    )


@pytest.mark.parametrize("name", SERVED)
def test_the_page_of_models_says_what_it_becomes(name):
    gives = "scores" if form_of(name).item_vectors is None else "a vector"
    assert f"\n| `{name}` | {gives} | " in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SERVED)
def test_knows_the_users_of_training(name):
    assert_as_the_model(name, everyone(fitted(name)))


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize(("ratings", "times"), [(True, True), (False, True), (True, False), (False, False)])
def test_folds_in_a_stranger_with_what_is_told_of_the_history(name, ratings, times):
    assert_as_the_model(name, strangers(ratings, times))


@pytest.mark.parametrize("name", SERVED)
@pytest.mark.parametrize("padding", [1, 300])
def test_padding_changes_nothing(name, padding):
    assert_as_the_model(name, strangers(), padding)


@pytest.mark.parametrize("name", SERVED)
def test_a_known_user_comes_with_another_history(name):
    query = Query(torch.tensor([0, 7, 3]), random_histories([4, 0, 60], NUM_ITEMS, 1))
    assert_as_the_model(name, query)


@pytest.mark.parametrize("name", SERVED)
def test_nothing_known_of_anyone_is_no_error(name):
    assert_as_the_model(name, Query(torch.tensor([-1, 2]), nothing_known_of(2)))


def test_a_stranger_with_the_features_of_a_user_is_scored_by_them(name="two_tower"):
    asked = as_served(name, everyone(fitted(name)))
    query = replace(everyone(fitted(name)), features=dict(asked.features))
    query = replace(query, users=torch.full_like(query.users, -1))
    assert form_of(name).user_columns
    assert_as_the_model(name, query)
    nothing_told = as_served(name, replace(query, features={}))
    assert not form_scores(name, nothing_told).equal(form_scores(name, as_served(name, query)))


@pytest.mark.parametrize("name", SERVED)
def test_scores_are_the_same_alone(name):
    query = as_served(name, strangers())
    together = form_scores(name, query)
    alone = [form_scores(name, row_of(query, row)) for row in range(5)]
    assert_scores_close(torch.cat(alone), together, 1e-5)


@pytest.mark.parametrize("name", RANKERS)
def test_a_ranker_scores_candidates_as_the_catalogue(name):
    query = everyone(fitted(name))
    candidates = torch.randint(-1, NUM_ITEMS, (len(query), 12), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        actual = fitted(name).model.serving_ranker()(as_served(name, query), candidates)
    expected = expected_scores(fitted(name).model, query).gather(1, candidates.clamp(min=0))
    assert_scores_close(torch.where(candidates < 0, 0, actual), torch.where(candidates < 0, 0, expected))


@pytest.mark.parametrize("name", SERVED)
def test_onnx_gives_the_same(name, tmp_path):
    form = form_of(name)
    export_encoder(form.encoder, tmp_path / "encoder.onnx", user_columns=form.user_columns)
    for query in (everyone(fitted(name)), strangers(), strangers(False, False)):
        asked = as_served(name, query, 2)
        with torch.inference_mode():
            expected = form.encoder(asked)
        assert_scores_close(run(tmp_path / "encoder.onnx", asked), expected)


@pytest.mark.parametrize("name", RANKERS)
def test_a_ranker_in_onnx_gives_the_same(name, tmp_path):
    ranker = fitted(name).model.serving_ranker()
    export_ranker(ranker, tmp_path / "ranker.onnx", user_columns=form_of(name).user_columns)
    for query in (as_served(name, everyone(fitted(name))), as_served(name, strangers(), 1)):
        candidates = torch.randint(-1, NUM_ITEMS, (len(query.users), 9), generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            expected = ranker(query, candidates)
        actual = run(tmp_path / "ranker.onnx", query, **{CANDIDATES: candidates})
        assert_scores_close(torch.where(candidates < 0, 0, actual), torch.where(candidates < 0, 0, expected))
