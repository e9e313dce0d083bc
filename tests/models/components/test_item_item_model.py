import pytest
import torch

from recsys.data.histories import Histories
from recsys.models.components.item_item_model import ItemItemModel
from recsys.models.components.item_weights import DenseItemWeights, SparseItemWeights
from recsys.models.components.recency import Recency
from recsys.models.interface.protocols import Query
from recsys.models.linalg.top_entries import nonzero

#: ``WEIGHTS[j, i]`` is what item j adds to the score of item i.
WEIGHTS = torch.tensor([[0.0, 2.0, 0.5], [1.0, 0.0, 0.0], [4.0, 0.0, 0.0]])


def model(kind="dense", step_decay=1.0):
    if kind == "dense":
        weights = DenseItemWeights(3)
        weights.set_weights(WEIGHTS)
    else:
        weights = SparseItemWeights(3)
        weights.set_weights(nonzero(WEIGHTS.T))
    return ItemItemModel(3, Recency(step_decay), weights)


def query(*histories):
    items = torch.tensor([item for history in histories for item in history], dtype=torch.int64)
    offsets = torch.tensor([0, *(len(history) for history in histories)]).cumsum(0)
    return Query(torch.full((len(histories),), -1), Histories(offsets, items, None, None))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_score_is_the_sum_over_the_history(kind):
    scores = model(kind).score(query([0, 1], [2], []))
    assert scores[:2].tolist() == [[1.0, 2.0, 0.5], [4.0, 0.0, 0.0]]
    assert scores[2].isnan().all()


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_older_interactions_count_less(kind):
    # 1 is the newest of the history; 0 has weight 1/2.
    assert model(kind, step_decay=0.5).score(query([0, 1])).tolist() == [[1.0, 1.0, 0.25]]


def test_known_and_new_users_are_treated_alike():
    asked = query([0, 1], [2])
    known = Query(torch.tensor([5, 6]), asked.histories)
    assert model().score(known).equal(model().score(asked))
    assert model().score_histories(asked.histories).equal(model().score(asked))


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_contributions_add_up_to_the_score(kind):
    asked = query([0, 1], [2])
    explanation = model(kind, step_decay=0.5).explain(asked, torch.tensor([[1, 0], [0, -1]]))
    # Item 1 for the first user: 2 / 2 from item 0, nothing from item 1; item 0: nothing and 1. No item: NaN.
    assert explanation.contributions[:2].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert explanation.contributions[2, 0].item() == 4.0
    assert explanation.contributions[2, 1].isnan()
    assert explanation.rest[0].tolist() == [0.0, 0.0]


def test_item_weights_are_those_of_each_score():
    assert model().item_weights(torch.tensor([0, 2])).tolist() == [[0.0, 1.0, 4.0], [0.5, 0.0, 0.0]]
    assert model("sparse").item_weights(torch.tensor([0])).tolist() == [[0.0, 1.0, 4.0]]


def test_sizes_of_sparse_weights_depend_on_the_data():
    assert model().dynamic_buffers() == ()
    names = model("sparse").dynamic_buffers()
    assert names == ("weights.columns", "weights.values")
    assert set(names) <= set(model("sparse").state_dict())
