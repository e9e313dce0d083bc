from functools import partial

import numpy as np
import pyarrow as pa
import pytest
import torch

from recsys.data.features import FeatureTable
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.interface.protocols import (
    Factorized,
    FoldsIn,
    Query,
    ScoringModel,
    SequenceEncoder,
    UsesItemFeatures,
    UsesUserFeatures,
)
from recsys.models.layers.history_encoders import MeanEncoder, TransformerEncoder
from recsys.models.layers.packed_windows import PackedWindows
from recsys.models.two_tower import TwoTower

#: For the contract that every model keeps.
BOARD = [
    "model.embedding_dim=8",
    "model.encoder.hidden_dim=16",
    "training.optimizer.lr=0.02",
    "training.batch_size=8",
    "trainer.max_epochs=20",
]

#: Four users: items 1, 2, 3; items 4, 0; nothing; item 5.
HISTORIES = Histories(
    offsets=torch.tensor([0, 3, 5, 5, 6]),
    items=torch.tensor([1, 2, 3, 4, 0, 5]),
    rating=torch.tensor([5.0, 1.0, 3.0, 4.0, 2.0, 5.0]),
    timestamp=torch.tensor([0, 60, 90_000, 5, 7, 9]),
)
USERS = torch.arange(4)
QUERY = Query(USERS, HISTORIES)


def two_tower(seed: int = 0, **settings: object) -> TwoTower:
    torch.manual_seed(seed)
    model = TwoTower(4, 6, partial(TransformerEncoder, hidden_dim=16), embedding_dim=8, **settings)
    for name, parameter in model.named_parameters():
        if parameter.ndim == 1 or "bias" in name or "rating" in name:
            torch.nn.init.normal_(parameter)
    return model.eval()


AGES = pa.table({"age": ["a", "b", "a", None]})


def ages() -> FeatureTable:
    return FeatureTable.from_table(AGES, (FeatureColumn("age", FeatureKind.CATEGORICAL),))


def test_implements_its_protocols():
    for protocol in (
        ScoringModel,
        Factorized,
        FoldsIn,
        SequenceEncoder,
        UsesItemFeatures,
        UsesUserFeatures,
    ):
        assert isinstance(two_tower(), protocol)
    assert hasattr(two_tower(), "observe_training")


@pytest.mark.parametrize("settings", [{}, {"item_bias": False}, {"normalize": True, "temperature": 0.1}])
def test_the_score_is_the_inner_product_of_the_towers(settings):
    model = two_tower(**settings)
    products = model.encode_users(QUERY) @ model.encode_items(torch.arange(6)).T
    torch.testing.assert_close(model.score(QUERY), products)


def test_normalised_scores_are_cosines_over_the_temperature():
    scores = two_tower(normalize=True, temperature=0.1, item_bias=False).score(QUERY)
    assert scores.abs().max() <= 10 + 1e-4
    assert scores.abs().max() > 1


def test_the_query_is_the_state_after_the_last_interaction_of_a_packed_window():
    model = two_tower(user_ids=True)
    # The first three histories share a row, the fourth has one of its own; each starts from before its first item.
    items = torch.tensor([[0, 1, 2, 3, 0, 4, 0, 0], [0, 5, 0, 0, 0, 0, 0, 0]])
    places = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 0], [0, 1, 0, 0, 0, 0, 0, 0]])
    windows = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 2], [3, 3, 4, 4, 4, 4, 4, 4]])
    packed = PackedWindows(places, windows, torch.tensor([0, 1, 2, 3, -1]))
    states = model.encode_windows(packed, model.item_vectors(items))
    assert states.shape == (2, 8, 9)
    last = torch.stack([states[0, 3], states[0, 6], states[0, 7], states[1, 1]])
    torch.testing.assert_close(model.encode_users(QUERY), last)


def test_only_the_latest_interactions_count():
    long = two_tower(max_history=2)
    shortened = Histories(torch.tensor([0, 2]), torch.tensor([2, 3]), None, None)
    torch.testing.assert_close(long.score_histories(HISTORIES)[:1], long.score_histories(shortened))


def test_an_unknown_user_with_a_history_is_scored_from_it_alone():
    model = two_tower(user_ids=True)
    model.set_user_features(ages())
    unknown = model.score(Query(torch.full((4,), -1), HISTORIES))
    torch.testing.assert_close(unknown, model.score_histories(HISTORIES))
    assert not torch.allclose(unknown, model.score(QUERY))


def test_features_of_a_user_count_without_a_history():
    model = two_tower()
    model.set_user_features(ages())
    none = Histories(torch.zeros(4, dtype=torch.int64), torch.empty(0, dtype=torch.int64), None, None)
    scores = model.score(Query(torch.tensor([0, 1, 2]), none))
    torch.testing.assert_close(scores[0], scores[2])
    assert not torch.allclose(scores[0], scores[1])


@pytest.mark.parametrize(("setting", "column"), [("ratings", "rating"), ("time_gaps", "timestamp")])
def test_ratings_and_gaps_count_where_asked(setting, column):
    changed = {name: getattr(HISTORIES, name) for name in ("offsets", "items", "rating", "timestamp")}
    changed[column] = changed[column] * torch.tensor([1, 100, 100, 1, 100, 1])
    other = Query(USERS, Histories(**changed))
    with_it, without = two_tower(**{setting: True}), two_tower()
    assert not torch.allclose(with_it.score(QUERY)[0], with_it.score(other)[0])
    assert without.score(QUERY).equal(without.score(other))


def test_histories_without_ratings_and_times_are_scored_all_the_same():
    bare = Histories(HISTORIES.offsets, HISTORIES.items, None, None)
    assert two_tower(ratings=True, time_gaps=True).score_histories(bare).isfinite().all()


def test_a_new_item_starts_from_the_mean_bias():
    model = two_tower()
    model.observe_training(Interactions(np.zeros(5, "i4"), np.arange(5, dtype="i4"), None, None, None, 4, 6))
    assert model.items.is_trained.tolist() == [True] * 5 + [False]
    torch.testing.assert_close(model.encode_items(torch.tensor([5]))[0, -1], model.item_bias.weight[:5].mean())


def test_which_items_were_in_training_is_part_of_the_state():
    assert "items.is_trained" in two_tower().state_dict()


def test_features_are_chosen_by_column():
    features = FeatureTable.from_table(
        pa.table({"a": list("xxyyzz"), "b": list("xyxyxy")}),
        (FeatureColumn("a", FeatureKind.CATEGORICAL), FeatureColumn("b", FeatureKind.CATEGORICAL)),
    )
    model = two_tower(item_columns=["b"])
    model.set_item_features(features)
    assert model.items.features.columns == ("b",)
    without = two_tower(item_columns=[])
    without.set_item_features(features)
    assert without.items.features is None


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ModelError, match="temperature must be above 0, but it is 0"):
        TwoTower(1, 1, MeanEncoder, temperature=0)


def test_vectors_of_some_items_are_those_of_the_catalogue():
    model, some = two_tower(), torch.tensor([3, 0, 3])
    torch.testing.assert_close(model.item_vectors(some), model.item_vectors()[some])
    expected = model.catalogue(model.item_vectors())[some]
    torch.testing.assert_close(model.catalogue(model.item_vectors(some), some), expected)
