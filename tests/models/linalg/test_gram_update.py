"""What models keep of an earlier fit gives the same as a fit on all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.data.training_change import TrainingChange
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import AdjustedCosine, Cosine, Jaccard
from recsys.models.components.weightings import BM25, Unweighted
from recsys.models.ease import EASE
from recsys.models.ials import IALS
from recsys.models.interface.earlier_fit import EarlierFit
from recsys.models.item_knn import ItemKNN
from recsys.models.linalg.gram_update import GRAM, updated_gram
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.popularity import Popularity

GENERATOR = np.random.default_rng(0)
RECENCY = Recency(step_decay=1.0, day_decay=1.0)


def drawn(num_rows: int, num_users: int, num_items: int, weighted: bool = False) -> Interactions:
    pairs = GENERATOR.permutation(num_users * num_items)[:num_rows]
    user, item = (pairs // num_items).astype(np.int32), (pairs % num_items).astype(np.int32)
    weight = GENERATOR.integers(1, 9, num_rows).astype(np.float32) if weighted else None
    return Interactions(user, item, None, None, None, num_users, num_items, weight)


def grown(before: Interactions, num_rows: int, num_users: int, num_items: int) -> Interactions:
    """Some rows less, and rows of old and new users and items more."""
    kept = before.take(np.arange(5, len(before)))
    more = drawn(num_rows, num_users, num_items, before.weight is not None)
    known = set((kept.user_index.astype(int) * num_items + kept.item_index).tolist())
    fresh = [r for r, pair in enumerate(more.pairs.tolist()) if pair not in known]
    more = more.take(np.array(fresh))
    columns = {
        name: np.concatenate([getattr(kept, name), getattr(more, name)])
        for name in ("user_index", "item_index", "weight")
        if getattr(kept, name) is not None
    }
    return replace(kept, **columns, num_users=num_users, num_items=num_items)


def updates(make, sizes=((60, 30), (64, 33), (70, 33)), weighted=False):
    """The model after two updates, and one that is fitted at once to the last rows."""
    rows = drawn(500, *sizes[0], weighted)
    model = make(*sizes[0])
    model.fit(rows)
    statistics: dict[str, torch.Tensor] = {}
    for size in sizes[1:]:
        later, updated = grown(rows, 40, *size), make(*size)
        earlier = EarlierFit(model.state_dict(), TrainingChange.between(rows, later), statistics)
        statistics = updated.update(later, earlier)
        rows, model = later, updated
    whole = make(*sizes[-1])
    whole.fit(rows)
    return model, whole, statistics


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda users, items: EASE(users, items, RECENCY, l2=5.0),
        lambda users, items: EASE(users, items, RECENCY, l2=5.0, num_neighbours=7),
        lambda users, items: ItemKNN(users, items, Cosine(), Unweighted(), RECENCY, num_neighbours=7),
        lambda users, items: ItemKNN(users, items, Jaccard(), Unweighted(), RECENCY, num_neighbours=7, normalize=True),
        lambda users, items: Popularity(users, items),
    ],
    ids=["ease", "sparse_ease", "item_knn", "jaccard", "popularity"],
)
def test_updates_equal_a_fit_on_all_rows(make, weighted):
    model, whole, _ = updates(make, weighted=weighted)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name]), name


def test_the_matrix_is_kept_and_is_that_of_all_rows():
    before, now = drawn(300, 40, 20), None
    now = grown(before, 30, 45, 24)
    first = updated_gram(before, EarlierFit({}, TrainingChange.between(before, before)), torch.device("cpu"))
    change = TrainingChange.between(before, now)
    second = updated_gram(now, EarlierFit({}, change, {GRAM: first}), torch.device("cpu"))
    dense = InteractionMatrix.from_interactions(now).dense()
    assert torch.equal(second, dense.T @ dense)


@pytest.mark.parametrize(
    "model",
    [
        ItemKNN(40, 20, Cosine(), BM25(), RECENCY),
        ItemKNN(40, 20, AdjustedCosine(), Unweighted(), RECENCY),
        Popularity(40, 20, half_life_days=3.0),
    ],
    ids=["weighting_of_all", "ratings_less_the_mean", "fading"],
)
def test_what_does_not_add_up_over_users_is_not_updated(model):
    rows = drawn(300, 40, 20)
    assert model.update(rows, EarlierFit({}, TrainingChange.between(rows, rows))) is None


def test_factors_go_on_from_where_they_were():
    """A sweep from earlier factors is nearly as good as all sweeps from the start, and far better than one."""
    torch.manual_seed(0)
    first = torch.rand(64, 4) @ torch.rand(4, 33) + 0.3 * torch.rand(64, 33)
    liked = (first > first.median()).nonzero().numpy().astype(np.int32)
    every = Interactions(liked[:, 0].copy(), liked[:, 1].copy(), None, None, None, 64, 33)
    known = (every.user_index < 60) & (every.item_index < 30)
    before = replace(every.take(known), num_users=60, num_items=30)

    def fitted(iterations: int) -> IALS:
        model = IALS(64, 33, embedding_dim=4, l2=0.01, iterations=iterations)
        model.fit(every)
        return model

    earlier, updated = IALS(60, 30, embedding_dim=4, l2=0.01), IALS(64, 33, embedding_dim=4, l2=0.01)
    earlier.fit(before)
    kept = updated.update(every, EarlierFit(earlier.state_dict(), TrainingChange.between(before, every)))
    assert set(kept) == {"user_vectors"} and kept["user_vectors"].shape == (64, 4)
    again = IALS(64, 33, embedding_dim=4, l2=0.01)
    again.update(every, EarlierFit(updated.state_dict(), TrainingChange.between(every, every), kept))
    whole, one = fitted(16), fitted(1)

    def error(model: IALS) -> float:
        return float((items_only(model) - items_only(whole)).square().mean())

    assert error(updated) < error(one) / 3
    assert error(again) < error(updated)


def items_only(model: IALS) -> torch.Tensor:
    """Products of items, which do not depend on how the axes are turned."""
    return model.item_vectors @ model.item_vectors.T
