"""Tastes of simulated users."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import SettingsError
from recsys.studies.simulation.taste import TasteModel, TasteSettings

GENRES = ("Drama", "Comedy", "Horror", "War")
ITEMS = {f"i{n}": {"genres": [GENRES[n % 4]], "year": 1990} for n in range(200)}


def test_an_affinity_is_a_probability_for_each_item():
    affinities = TasteModel(ITEMS).affinities("ann")
    assert affinities.shape == (200,)
    assert ((affinities > 0) & (affinities < 1)).all()


def test_a_taste_depends_on_neither_the_order_of_items_nor_other_items():
    few = TasteModel({name: ITEMS[name] for name in ("i7", "i3")})
    assert few.affinities("ann") == pytest.approx(TasteModel(ITEMS).affinities_of("ann", ["i7", "i3"]))


def test_another_seed_is_another_taste():
    other = TasteModel(ITEMS, TasteSettings(seed=1))
    assert abs(np.corrcoef(other.affinities("ann"), TasteModel(ITEMS).affinities("ann"))[0, 1]) < 0.5


def test_items_with_equal_columns_are_alike_as_far_as_columns_explain_them():
    taste = TasteModel(ITEMS, TasteSettings(content_share=1.0, quality_spread=0.0))
    affinities = taste.affinities("ann")
    assert affinities[0] == pytest.approx(affinities[4])
    assert affinities[0] != pytest.approx(affinities[1])


def test_without_sharpness_and_quality_everything_is_liked_alike():
    taste = TasteModel(ITEMS, TasteSettings(sharpness=0.0, quality_spread=0.0, offset=0.0))
    assert taste.affinities("ann") == pytest.approx(np.full(200, 0.5))


def test_an_item_that_is_not_known_is_not_liked():
    assert TasteModel(ITEMS).affinities_of("ann", ["gone"]).tolist() == [0.0]


def test_the_best_mean_is_that_of_the_best_items_and_the_random_mean_that_of_all():
    taste = TasteModel(ITEMS)
    affinities = taste.affinities("ann")
    assert taste.best_mean("ann", 2) == pytest.approx(sorted(affinities)[-2:][0] / 2 + max(affinities) / 2)
    assert taste.random_mean("ann") == pytest.approx(affinities.mean())


@pytest.mark.parametrize("values", [{"num_factors": 0}, {"content_share": 1.5}, {"sharpness": -1.0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingsError, match="must be"):
        TasteSettings(**values)


def test_no_items_are_refused():
    with pytest.raises(SettingsError, match="at least one item"):
        TasteModel({})
