from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from omegaconf import OmegaConf

from recsys.models.ials import IALS
from recsys.runs.assembly import build_data, build_model
from recsys.runs.sized_settings import sized_model
from tests.studies.small_study import study_config


@pytest.fixture
def small(tmp_path):
    """40 users, 51 items with an interaction, 240 interactions: as dense as 0.12."""
    config = study_config("train", tmp_path, "model=ials")
    return config, build_data(config)


def test_the_model_chooses_what_is_auto_and_nothing_else(small):
    config, prepared = small
    sized, said = sized_model(OmegaConf.merge(config.model, {"embedding_dim": 7}), prepared)
    assert (sized.embedding_dim, sized.unobserved_weight, sized.iterations) == (7, 0.3, config.model.iterations)
    assert config.model.unobserved_weight == "auto"  # not changed
    assert said.startswith("chosen by 40 users, ")
    assert said.endswith(f" interactions: model.unobserved_weight=0.3 model.l2={sized.l2}")


def test_where_nothing_is_auto_nothing_is_said(small):
    config, prepared = small
    sized, _ = sized_model(config.model, prepared)
    assert sized_model(sized, prepared) == (sized, "")


def test_also_the_sources_of_a_model_are_sized(small):
    config, prepared = small
    hybrid = OmegaConf.create({"_target_": "recsys.models.hybrid.Hybrid", "sources": {"a": config.model, "b": None}})
    sized, said = sized_model(hybrid, prepared)
    assert sized.sources.a.embedding_dim == 16
    assert "model.sources.a.embedding_dim=16" in said


def test_a_model_is_built_with_what_was_chosen(small):
    config, prepared = small
    model = build_model(config.model, 0, prepared)
    assert isinstance(model, IALS)
    assert (model.item_vectors.shape[1], model.unobserved_weight) == (16, 0.3)


def test_pairs_that_repeat_count_once(small):
    config, prepared = small
    twice = replace(prepared, interactions=prepared.interactions.take(np.repeat(np.arange(240), 2)))
    assert sized_model(config.model, twice) == sized_model(config.model, prepared)


def test_what_is_given_decides_what_goes_with_it(small):
    config, prepared = small
    chosen = [sized_model(OmegaConf.merge(config.model, {"unobserved_weight": a}), prepared)[0].l2 for a in (0.1, 0.2)]
    assert chosen[0] == pytest.approx(2 * chosen[1], rel=0.05)  # their product is the penalty
