"""Item 5 of the small data has no interactions; a new item with its features must be ranked as it is."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from recsys.errors import ModelError
from recsys.export.onnx_export import export_ranker
from recsys.models.components.item_statistics import ItemStatistics
from recsys.models.content import Content
from recsys.models.hybrid import Hybrid
from recsys.models.interface.protocols import Query
from recsys.models.layers.ranker_networks import LinearBlend
from recsys.models.onnx.new_candidates import NewCandidates
from recsys.runtime.onnx_inputs import CANDIDATES, NEW_ITEMS
from tests.models.onnx.model_queries import assert_scores_close, random_histories, run, served
from tests.models.small_data import small_data
from tests.models.test_hybrid import GROUPS, SOURCES, hybrid

CONTENT = {"content": partial(Content, num_components=3)}
STRANGERS = Query(torch.tensor([-1, -1, -1]), random_histories([4, 9, 1], 12, 3))
#: Candidates of the catalogue, and with the item without interactions in the place of the new one.
OLD, NEW = torch.tensor([[5, 0, 7]] * 3), torch.tensor([[12, 0, 7]] * 3)
#: As the only column, genre, of new items says: crime, drama, and nothing that is known.
GENRES = torch.tensor([[0], [1], [-1]])


def ranked(model: Hybrid, candidates: Tensor, genres: Tensor | None) -> Tensor:
    spec = model.ranker_item_encoder()
    assert [column.name for column in spec.columns] == ["genre"]
    assert spec.columns[0].vocabulary == ("crime", "drama", "war")
    query = served(STRANGERS, 0, (), None)._replace(features={"gender": torch.full((3, 1), -1)})
    with torch.inference_mode():
        return model.serving_ranker()(query, candidates, None if genres is None else spec.encoder(genres))


@pytest.mark.parametrize("without", [None, *GROUPS])
def test_a_new_item_has_the_score_of_one_in_the_catalogue_that_nobody_has_interacted_with(without):
    assert (small_data().item_index != 5).all()
    model = hybrid(CONTENT, **({} if without is None else {without: False}))
    expected, found = ranked(model, OLD, None), ranked(model, NEW, GENRES)
    assert expected.isfinite().all()
    assert_scores_close(found, expected, 1e-5)


def test_each_new_item_has_its_own_score_and_none_where_no_source_knows_anything():
    model = hybrid(CONTENT)
    candidates = torch.tensor([[12, 13, 14, -1]] * 3)
    scores = ranked(model, candidates, GENRES)
    assert scores[:, :2].isfinite().all() and (scores[:, 0] != scores[:, 1]).all()
    assert scores[:, 2].isnan().all()
    assert_scores_close(scores[:, 1:2], ranked(model, candidates[:, 1:2], GENRES))


def test_a_source_that_knows_no_content_has_no_score_for_a_new_item():
    # The blend adds up the standardised scores of the sources; one that does not score adds nothing.
    alone, beside = (hybrid(sources, LinearBlend) for sources in (CONTENT, {**SOURCES, **CONTENT}))
    share = len(beside.sources)
    assert_scores_close(ranked(beside, NEW, GENRES)[:, :1] * share, ranked(alone, NEW, GENRES)[:, :1])


def test_several_sources_and_the_columns_have_their_own_numbers_of_a_vector():
    model = hybrid({**CONTENT, "ease": SOURCES["ease"], "short": partial(Content, num_components=2)})
    assert model.ranker_item_encoder().encoder(GENRES).shape == (3, 3 + 2 + 8)
    both = hybrid({**CONTENT, "short": partial(Content, num_components=2)})
    assert_scores_close(ranked(both, NEW, GENRES), ranked(both, OLD, None), 1e-5)


def test_without_a_source_that_knows_content_there_is_no_encoder():
    with pytest.raises(ModelError, match="none of ease, item_knn does. Add a source two_tower, or content with"):
        hybrid().ranker_item_encoder()
    assert hybrid().serving_ranker().new_candidates is None


def test_new_items_are_as_popular_and_fresh_as_the_least_popular_ones():
    statistics = ItemStatistics(4)
    statistics.popularity.copy_(torch.tensor([2.0, -1.0, 0.5, -1.0]))
    statistics.freshness.copy_(torch.tensor([[1.0, 1.0], [-1.0, 3.0], [0.0, 0.0], [-2.0, 5.0]]))
    new = NewCandidates([None, 4], 8, 2, statistics)
    assert new.popularity == -1 and new.freshness.tolist() == [-1.5, 4.0]
    assert new.width == 12


@pytest.mark.filterwarnings("ignore")  # of the exporter, on its own future
def test_onnx_gives_the_same(tmp_path: Path):
    model = hybrid({**SOURCES, **CONTENT})
    path, columns = tmp_path / "ranker.onnx", model.user_columns()
    export_ranker(model.serving_ranker(), path, user_columns=columns, new_items=torch.zeros(2, 11))
    query = served(STRANGERS)._replace(features={"gender": torch.tensor([[0], [1], [-1]])})
    candidates = torch.tensor([[12, 5, 7, 13, 14], [0, 1, 2, 3, 4], [14, 14, 13, -1, 12]])
    with torch.inference_mode():
        vectors = model.ranker_item_encoder().encoder(GENRES)
        expected = model.serving_ranker()(query, candidates, vectors)
    found = run(path, query, **{CANDIDATES: candidates, NEW_ITEMS: vectors})
    assert_scores_close(found, expected)
    assert expected.isnan().any() and expected.isfinite().any()
