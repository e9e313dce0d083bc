from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from recsys.errors import ModelError
from recsys.export.onnx_export import export_ranker
from recsys.models.hybrid import Hybrid
from recsys.models.ials import IALS
from recsys.models.interface.protocols import Query
from recsys.models.layers.history_attention import HistoryAttention
from recsys.models.layers.ranker_networks import LinearBlend
from recsys.models.onnx.exportable import scores_of
from recsys.models.onnx.history_attention import ServedAttention
from recsys.models.popularity import Popularity
from recsys.runtime.onnx_inputs import CANDIDATES
from tests.models.onnx.model_queries import assert_scores_close, random_histories, run, served
from tests.models.test_hybrid import GROUPS, SOURCES, everyone, hybrid

STRANGERS = Query(torch.tensor([-1, 5, -1, 0]), random_histories([1, 8, 0, 60], 12, 3))
GENDERS = pa.table({"gender": ["f", "m"] * 15})
MORE = {**SOURCES, "ials": partial(IALS, embedding_dim=3), "popularity": Popularity}


def assert_as_the_model(model: Hybrid) -> None:
    form, ranker = model.serving_form(), model.serving_ranker()
    candidates = torch.randint(-1, 12, (4, 9), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for query in (everyone(), STRANGERS):
            assert_scores_close(scores_of(form, served(query, 1, form.user_columns, GENDERS)), model.score(query))
        ranked = ranker(served(STRANGERS, 0, form.user_columns, GENDERS), candidates)
        expected = model.score_candidates(STRANGERS, candidates.clamp(min=0))
    assert_scores_close(ranked.masked_fill(candidates < 0, 0), expected.masked_fill(candidates < 0, 0))


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_of_features_may_be_left_out(group):
    assert_as_the_model(hybrid(**{group: False}))


def test_a_stranger_is_known_by_the_features_that_are_told():
    model, known = hybrid(), everyone()
    told = served(known, 0, model.user_columns(), GENDERS).features
    stranger = Query(torch.full_like(known.users, -1), known.histories, dict(told))
    with torch.inference_mode():
        expected = model.score(known)
        untold = model.score(Query(stranger.users, known.histories))
        assert not torch.allclose(untold, expected, equal_nan=True)
        assert_scores_close(model.score(stranger), expected, 1e-6)
        assert_scores_close(scores_of(model.serving_form(), served(stranger)), expected)
        assert_scores_close(
            model.score_candidates(stranger, torch.arange(12).expand(30, -1)),
            model.score_candidates(known, torch.arange(12).expand(30, -1)),
            1e-6,
        )


@pytest.mark.parametrize("settings", [{}, {"num_candidates": 2}, {"max_history": 3, "attention_temperature": 0.03}])
def test_gives_the_scores_of_the_model(settings):
    assert_as_the_model(hybrid(MORE, **settings))


def test_takes_every_ranker():
    assert_as_the_model(hybrid(MORE, LinearBlend))


def test_users_or_items_may_have_no_columns():
    for side in ("users", "items"):
        model = hybrid()
        setattr(model.attributes, side, None)
        assert_as_the_model(model)


def test_attention_gives_the_similarities_of_the_model():
    attention = HistoryAttention(12, 4, temperature=0.03, max_history=5)
    attention.vectors.copy_(torch.nn.functional.normalize(torch.randn(12, 4), dim=1))
    actual = ServedAttention(attention.vectors, 0.03, 5)(served(STRANGERS))
    torch.testing.assert_close(actual, attention(STRANGERS.histories), equal_nan=True, rtol=1e-4, atol=1e-5)


def test_ranks_and_few_candidates_are_the_same_in_onnx(tmp_path: Path):
    # Sources that are exported fast.
    model = hybrid({"item_knn": SOURCES["item_knn"], "popularity": Popularity}, num_candidates=3)
    ranker, columns = model.serving_ranker(), model.user_columns()
    export_ranker(ranker, tmp_path / "ranker.onnx", user_columns=columns)
    candidates = torch.arange(12).expand(4, -1).contiguous()
    asked = served(STRANGERS, 2, columns, GENDERS)
    actual = run(tmp_path / "ranker.onnx", asked, **{CANDIDATES: candidates})
    with torch.inference_mode():
        assert_scores_close(actual, ranker(asked, candidates))


def test_a_source_that_cannot_be_served_is_named():
    class Silent(torch.nn.Module):
        def score(self, query: Query) -> torch.Tensor:
            raise NotImplementedError

    model = Hybrid(3, 4, {"silent": lambda num_users, num_items: Silent()}, LinearBlend)
    with pytest.raises(ModelError, match="silent cannot be"):
        model.serving_ranker()
