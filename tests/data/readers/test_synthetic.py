from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.raw import FeatureColumn, FeatureKind, RawDataset, Reader
from recsys.data.readers.synthetic import SyntheticReader
from recsys.errors import DataError


def _codes(dataset: RawDataset) -> tuple[np.ndarray, np.ndarray]:
    user, item = (dataset.interactions[name].combine_chunks().indices.to_numpy() for name in ("user_id", "item_id"))
    return user, item


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_sizes_are_exact_pairs_distinct_and_no_user_left_out(data: st.DataObject) -> None:
    num_users = data.draw(st.integers(1, 60))
    num_items = data.draw(st.integers(10, 80))
    num_interactions = data.draw(st.integers(num_users, num_users * num_items // 10))
    dataset = SyntheticReader(num_users, num_items, num_interactions, seed=data.draw(st.integers(0, 9))).read()
    user, item = _codes(dataset)
    assert len(user) == len(set(zip(user.tolist(), item.tolist(), strict=True))) == num_interactions
    assert set(user.tolist()) == set(range(num_users))
    assert dataset.items is not None
    assert len(dataset.items) == num_items
    assert set(dataset.interactions["rating"].to_pylist()) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def test_the_seed_decides() -> None:
    first, again, other = (SyntheticReader(100, 50, 500, seed=seed).read() for seed in (1, 1, 2))
    assert first.interactions.equals(again.interactions)
    assert first.items is not None
    assert first.items.equals(again.items)
    assert not first.interactions.equals(other.interactions)


def test_columns_and_features() -> None:
    dataset = SyntheticReader().read()
    assert dataset.interactions.column_names == ["user_id", "item_id", "rating", "timestamp"]
    assert dataset.interactions["user_id"][0].as_py() == "u1"
    assert dataset.items is not None
    item = dataset.items.to_pylist()[0]
    assert (item["item_id"], item["title"]) == ("i1", "Item 1")
    assert len(item["genres"]) == 1
    assert dataset.item_features == (FeatureColumn("genres", FeatureKind.MULTI_VALUED),)
    timestamps = dataset.interactions["timestamp"].to_numpy()
    assert 1_577_836_800 <= timestamps.min() < timestamps.max() < 1_577_836_800 + 63_072_000


def test_popularity_is_skewed_by_its_exponent() -> None:
    shares = []
    for exponent in (0.0, 1.0):
        _, item = _codes(SyntheticReader(2000, 1000, 40_000, popularity_exponent=exponent).read())
        counts = np.sort(np.bincount(item, minlength=1000))
        shares.append(counts[-100:].sum() / counts.sum())
    # the most popular tenth: little more than a tenth of the interactions, and about half of them
    assert shares[0] < 0.3
    assert shares[1] > 0.4


def test_users_have_tastes_that_a_model_can_learn() -> None:
    dataset = SyntheticReader(500, 300, 12_000).read()
    user, item = _codes(dataset)
    assert dataset.items is not None
    genres = dataset.items["genres"].to_pylist()
    genre = np.unique([one[0] for one in genres], return_inverse=True)[1][item]
    counts = np.zeros((500, genre.max() + 1))
    np.add.at(counts, (user, genre), 1)
    active = counts[counts.sum(axis=1) >= 30]
    favourite = (active.max(axis=1) / active.sum(axis=1)).mean()
    everyone = counts.sum(axis=0)
    # a user's favourite genre has far more of their interactions than the most popular genre has of all
    assert favourite > 1.5 * everyone.max() / everyone.sum()
    # ratings of one user in one genre agree more than ratings at large
    rating = dataset.interactions["rating"].to_numpy()
    cell = user * (genre.max() + 1) + genre
    mean = np.bincount(cell, rating, minlength=cell.max() + 1) / np.maximum(np.bincount(cell), 1)
    assert (rating - mean[cell]).var() < 0.8 * rating.var()


@pytest.mark.parametrize("sizes", [(10, 10, 9), (10, 10, 11), (0, 10, 0), (10, 0, 10)])
def test_sizes_that_do_not_fit_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(DataError, match="from num_users to a tenth of num_users x num_items interactions"):
        SyntheticReader(*sizes)


def test_a_latent_dimension_is_needed() -> None:
    with pytest.raises(DataError, match="a latent dimension"):
        SyntheticReader(latent_dim=0)


def test_the_fingerprint_is_the_arguments() -> None:
    assert isinstance(SyntheticReader(), Reader)
    assert SyntheticReader(seed=1).fingerprint() == SyntheticReader(seed=1).fingerprint()
    assert SyntheticReader(seed=1).fingerprint() != SyntheticReader(seed=2).fingerprint()
