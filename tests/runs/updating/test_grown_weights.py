from __future__ import annotations

import pyarrow as pa
import pytest
import torch

from recsys.data.features import FeatureTable
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import ModelError
from recsys.models.layers.history_encoders import MeanEncoder
from recsys.models.layers.item_tower import ItemTower
from recsys.models.mf import MF
from recsys.models.two_tower import TwoTower
from recsys.runs.updating.grown_weights import grow, grown_optimizer_state, learned_matrices, shrink


def tower(colours: list[str | None]) -> ItemTower:
    column = (FeatureColumn("colour", FeatureKind.CATEGORICAL),)
    model = ItemTower(len(colours), 3, 0.0, 1.0)
    model.set_item_features(FeatureTable.from_table(pa.table({"colour": colours}), column), None)
    return model


def test_rows_stay_and_new_ones_are_fresh_or_the_mean():
    earlier, fresh, mean = MF(5, 4, 3), MF(7, 6, 3), MF(7, 6, 3)
    start = fresh.item_vectors.weight.detach().clone()
    grow(earlier, fresh)
    grow(earlier, mean, "mean")
    for model in (fresh, mean):
        assert torch.equal(model.user_vectors.weight[:5], earlier.user_vectors.weight)
        assert torch.equal(model.item_bias.weight[:4], earlier.item_bias.weight)
    assert torch.equal(fresh.item_vectors.weight[4:], start[4:])
    assert torch.allclose(mean.item_vectors.weight[4:], earlier.item_vectors.weight.mean(0).expand(2, 3))


def test_vectors_go_a_part_of_the_way_back_and_biases_stay():
    earlier, model = MF(5, 4, 3), MF(7, 6, 3)
    torch.nn.init.normal_(earlier.item_bias.weight)
    fresh = learned_matrices(model)
    start = fresh["item_vectors.weight"].clone()
    grow(earlier, model)
    shrink(model, fresh, 0.25)
    expected = 0.75 * earlier.item_vectors.weight + 0.25 * start[:4]
    assert torch.allclose(model.item_vectors.weight[:4], expected)
    assert torch.equal(model.item_vectors.weight[4:], start[4:])
    assert torch.equal(model.item_bias.weight[:4], earlier.item_bias.weight)


def test_tables_alone_are_those_of_ids_and_features():
    model = TwoTower(5, 4, MeanEncoder, embedding_dim=3, user_ids=True)
    colours = (FeatureColumn("colour", FeatureKind.CATEGORICAL),)
    model.set_item_features(FeatureTable.from_table(pa.table({"colour": ["red", "blue", "red", None]}), colours))
    assert "encoder.perceptron.layers.1.weight" in learned_matrices(
        model
    ) and "item_bias.weight" not in learned_matrices(model)
    assert learned_matrices(model, tables_alone=True).keys() == {
        "items.ids.weight",
        "items.features.tables.0",
        "user_vectors.weight",
    }


def test_values_of_features_keep_their_vectors_where_new_ones_stand_between():
    earlier, model = tower(["red", "blue"]), tower(["red", "blue", "green", None])
    grow(earlier, model)
    assert torch.allclose(earlier(), model()[:2])


def test_models_with_other_parts_or_shapes_are_refused():
    with pytest.raises(ModelError, match="must have the parts of the earlier one, but they differ in"):
        grow(MF(5, 4, 3), MF(5, 4, 3, biases=False))
    with pytest.raises(ModelError, match=r"has shape \[5, 3\], and cannot become one of shape \[5, 2\]"):
        grow(MF(5, 4, 3), MF(5, 4, 2))


def test_the_optimiser_goes_on_with_zeros_for_new_rows():
    earlier, model = MF(5, 4, 3), MF(7, 6, 3)
    optimizer = torch.optim.Adam(earlier.parameters(), lr=0.1)
    earlier.score_pairs(torch.tensor([1]), torch.tensor([2])).sum().backward()
    optimizer.step()
    grow(earlier, model)
    going_on = torch.optim.Adam(model.parameters(), lr=0.1)
    going_on.load_state_dict(grown_optimizer_state(optimizer.state_dict(), earlier, model))
    before, after = optimizer.state[earlier.user_vectors.weight], going_on.state[model.user_vectors.weight]
    assert torch.equal(after["exp_avg"][:5], before["exp_avg"]) and not after["exp_avg"][5:].any()
    assert after["step"] == 1
    model.score_pairs(torch.tensor([6]), torch.tensor([5])).sum().backward()
    going_on.step()


def test_the_optimiser_follows_values_of_features():
    earlier, model = tower(["red", "blue"]), tower(["red", "blue", "green"])
    optimizer = torch.optim.Adam(earlier.parameters(), lr=0.1)
    earlier()[0].sum().backward()
    optimizer.step()
    state = grown_optimizer_state(optimizer.state_dict(), earlier, model)["state"]
    place = [name for name, _ in model.named_parameters()].index("features.tables.0")
    assert state[place]["exp_avg"].any(1).tolist() == [False, False, True]  # blue, green, red
