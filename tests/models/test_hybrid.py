import copy
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
import torch

from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import AsymmetricCosine
from recsys.models.components.source_scores import SourceScores
from recsys.models.components.weightings import TFIDF
from recsys.models.content import Content
from recsys.models.ease import EASE
from recsys.models.hybrid import Hybrid
from recsys.models.interface.protocols import FoldsIn, Query, RanksCandidates
from recsys.models.item_knn import ItemKNN
from recsys.models.layers.ranker_networks import LinearBlend, ResidualNetwork
from recsys.models.popularity import Popularity
from tests.models.small_data import histories_of, small_data

#: For the contract that every model keeps.
BOARD = [
    "candidate_selector=uniform",
    "stacking_folds.num_used=5",
    "training.optimizer.lr=0.02",
    "training.batch_size=8",
]

SOURCES = {
    "ease": partial(EASE, recency=Recency(), l2=5.0),
    "item_knn": partial(ItemKNN, similarity=AsymmetricCosine(), weighting=TFIDF(), recency=Recency(), num_neighbours=5),
}
GROUPS = ("ranks", "popularity", "freshness", "attention", "attributes")


def hybrid(sources: dict[str, Any] | None = None, ranker: Any = ResidualNetwork, **options: Any) -> Hybrid:
    """Fitted sources, and a ranker whose last layer says something."""
    torch.manual_seed(0)
    model = Hybrid(30, 12, SOURCES if sources is None else sources, ranker, **options)
    model.set_item_features(column("genre", ["drama", "war", "crime"] * 4))
    model.set_user_features(column("gender", ["f", "m"] * 15))
    data = small_data()
    for source in model.sources.values():
        source.fit(data)
    model.observe_training(data)
    if isinstance(model.ranker, ResidualNetwork):
        torch.nn.init.normal_(model.ranker.last.weight)
    return model.eval()


def column(name: str, values: list[str]) -> FeatureTable:
    return FeatureTable.from_table(pa.table({name: values}), (FeatureColumn(name, FeatureKind.CATEGORICAL),))


def everyone() -> Query:
    return Query(torch.arange(30), Histories.from_interactions(small_data()))


def test_the_linear_blend_is_the_mean_of_the_standardised_scores_at_first():
    model, query = hybrid(ranker=LinearBlend), everyone()
    rows = torch.stack([source.score(query) for source in model.sources.values()], dim=1)
    unseen = torch.ones(30, 12, dtype=torch.bool)
    data = small_data()
    unseen[torch.from_numpy(data.user_index).long(), torch.from_numpy(data.item_index).long()] = False
    expected = SourceScores.of(rows, unseen).scores.mean(1)
    known = query.histories.counts > 0
    torch.testing.assert_close(model.score(query)[known], expected[known], rtol=1e-4, atol=1e-5)
    assert model.score(query)[~known].isnan().all()


def test_ranks_the_best_unseen_items_of_each_source_and_nothing_else():
    query = everyone()
    whole, few = hybrid().score(query), hybrid(num_candidates=2).score(query)
    ranked = few.isfinite()
    sizes = ranked.sum(1)[query.histories.counts > 0]
    assert (sizes >= 2).all()
    assert (sizes <= 4).all()
    torch.testing.assert_close(few[ranked], whole[ranked], rtol=1e-4, atol=1e-5)
    row = torch.repeat_interleave(torch.arange(30), query.histories.counts)
    assert not ranked[row, query.histories.items].any()
    best = hybrid().sources["ease"].score(query)
    best[row, query.histories.items] = -torch.inf
    known = (query.histories.counts > 0).nonzero()[:, 0]
    assert ranked[known, best[known].argmax(1)].all()


def test_scores_given_candidates_whoever_found_them():
    query = everyone()
    items = torch.randint(0, 12, (30, 5), generator=torch.Generator().manual_seed(0))
    expected = hybrid().score(query).gather(1, items)
    for model in (hybrid(), hybrid(num_candidates=2)):
        torch.testing.assert_close(model.score_candidates(query, items), expected, equal_nan=True, rtol=1e-4, atol=1e-5)


def test_blocks_of_users_change_nothing_of_candidates(monkeypatch):
    query, items = everyone(), torch.arange(12).expand(30, -1)
    whole = hybrid().score_candidates(query, items)
    monkeypatch.setattr("recsys.models.hybrid.MAX_FEATURES", 1)
    torch.testing.assert_close(hybrid().score_candidates(query, items), whole, equal_nan=True, rtol=1e-4, atol=1e-5)


def test_as_many_candidates_as_items_are_the_whole_catalogue():
    query = everyone()
    torch.testing.assert_close(hybrid(num_candidates=12).score(query), hybrid().score(query), equal_nan=True)


def test_blocks_of_users_change_nothing(monkeypatch):
    whole = hybrid().score(everyone())
    monkeypatch.setattr("recsys.models.hybrid.MAX_FEATURES", 1)
    torch.testing.assert_close(hybrid().score(everyone()), whole, equal_nan=True, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_of_features_counts_and_can_be_left_out(group):
    everything, without = hybrid(), hybrid(**{group: False})
    query = everyone()
    for model in (everything, without):
        items = torch.arange(12).expand(30, -1)
        assert model.candidate_features(query, model.score_sources(query), items).shape == (
            30,
            12,
            model.num_fixed_features,
        )
    assert without.ranker.first.in_features < everything.ranker.first.in_features
    known = query.histories.counts > 0
    assert without.score(query)[known].isfinite().all()


def test_folds_in_only_where_all_sources_do():
    assert isinstance(hybrid(), FoldsIn)
    assert isinstance(hybrid(), RanksCandidates)
    with_popularity = hybrid({**SOURCES, "popularity": Popularity})
    assert not isinstance(with_popularity, FoldsIn)


def test_a_new_user_is_scored_from_the_history():
    model = hybrid()
    histories = histories_of([1, 2, 3], [4])
    scores = model.score_histories(histories)
    assert scores.isfinite().all()
    torch.testing.assert_close(scores, model.score(Query(torch.tensor([-1, -1]), histories)))


def test_a_copy_folds_in_by_itself():
    model = hybrid()
    other = copy.deepcopy(model)
    before = model.score_histories(histories_of([1, 2]))
    torch.nn.init.zeros_(other.ranker.last.weight)
    assert not torch.allclose(other.score_histories(histories_of([1, 2])), before)
    torch.testing.assert_close(model.score_histories(histories_of([1, 2])), before)


def test_one_source_with_an_opinion_is_enough():
    model = hybrid({**SOURCES, "popularity": Popularity})
    scores = model.score(Query(torch.tensor([0]), histories_of([])))
    assert scores.isfinite().all()


def test_items_that_no_source_scores_get_no_score():
    model = hybrid({"content": Content})
    table = pa.table({"genre": ["drama"] * 11 + [None]})
    model.sources["content"].set_item_features(
        FeatureTable.from_table(table, (FeatureColumn("genre", FeatureKind.CATEGORICAL),))
    )
    model.sources["content"].fit(small_data())
    scores = model.score(Query(torch.tensor([0]), histories_of([1, 2])))
    assert scores[0].isnan().tolist() == [False] * 11 + [True]


def test_names_the_buffers_of_sources_that_the_data_size():
    names = hybrid().dynamic_buffers()
    assert names
    assert all(name.startswith("sources.item_knn.") for name in names)
    assert all(hybrid().get_buffer(name) is not None for name in names)


def test_no_sources_and_unknown_columns_are_refused():
    with pytest.raises(ModelError, match=r"model\.sources is empty"):
        hybrid({})
    with pytest.raises(ModelError, match="it asks for colour"):
        hybrid(item_columns=["colour"])
    with pytest.raises(ModelError, match="it asks for age"):
        hybrid(user_columns=["age"])
    with pytest.raises(ModelError, match="num_candidates"):
        hybrid(num_candidates=0)


def test_texts_are_no_attributes_unless_they_are_named():
    table = pa.table({"title": ["a long title"] * 4, "genre": ["drama"] * 4})
    kinds = {"title": FeatureKind.TEXT, "genre": FeatureKind.CATEGORICAL}
    features = FeatureTable.from_table(table, tuple(FeatureColumn(name, kind) for name, kind in kinds.items()))
    for asked, expected in ((None, ("genre",)), (["title"], ("title",))):
        model = Hybrid(3, 4, SOURCES, LinearBlend, item_columns=asked)
        model.set_item_features(features)
        assert model.attributes.items.columns == expected


def test_sources_share_one_sentence_model():
    both = {"one": partial(Content, sentence_model="a"), "other": partial(Content, sentence_model="b")}
    with pytest.raises(ModelError, match="they have a, b"):
        Hybrid(3, 4, both, LinearBlend).sentence_encoder()
    assert Hybrid(3, 4, SOURCES, LinearBlend).sentence_encoder() is None
    one = Hybrid(3, 4, {**SOURCES, "text": both["one"]}, LinearBlend)
    assert one.sentence_encoder() == "a"
