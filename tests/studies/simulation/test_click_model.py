"""What simulated users do with a list."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import SettingsError
from recsys.studies.simulation.click_model import Choice, ClickModel


def test_examination_falls_by_the_position():
    assert ClickModel(position_bias=1.0).examination(4).tolist() == [1.0, 1 / 2, 1 / 3, 1 / 4]


def test_without_bias_all_that_is_surely_liked_is_clicked_and_rated():
    model = ClickModel(position_bias=0.0, rating_share=1.0, rating_noise=0.0)
    assert model.choose(np.array([1.0, 0.0, 1.0]), np.random.default_rng(0)) == [Choice(1, 5), Choice(3, 5)]


def test_click_rates_are_examination_times_affinity():
    model = ClickModel(position_bias=1.0, rating_share=0.0)
    generator, clicks = np.random.default_rng(0), np.zeros(2)
    for _ in range(4000):
        for choice in model.choose(np.array([0.5, 0.8]), generator):
            assert choice.rating is None
            clicks[choice.position - 1] += 1
    assert clicks / 4000 == pytest.approx([0.5, 0.4], abs=0.03)


def test_what_is_liked_more_is_rated_higher():
    model = ClickModel(position_bias=0.0, rating_share=1.0, rating_noise=0.0)
    ratings = {}
    for seed in range(50):
        for choice in model.choose(np.array([0.1, 0.9]), np.random.default_rng(seed)):
            ratings[choice.position] = choice.rating
    assert ratings == {1: 2, 2: 5}


@pytest.mark.parametrize("values", [{"position_bias": -1.0}, {"rating_share": 2.0}, {"rating_noise": -1.0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingsError, match="must be"):
        ClickModel(**values)
