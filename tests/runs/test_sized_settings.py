from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from recsys.models.ials import IALS
from recsys.models.interface.data_size import DataSize
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
    assert (sized.embedding_dim, sized.unobserved_weight, sized.l2) == (7, 0.3, config.model.l2)
    assert config.model.unobserved_weight == "auto"  # not changed
    assert said.startswith("chosen by 40 users, ") and said.endswith(" interactions: model.unobserved_weight=0.3")


def test_where_nothing_is_auto_nothing_is_said(small):
    config, prepared = small
    sized, _ = sized_model(config.model, prepared)
    assert sized_model(sized, prepared) == (sized, "")


def test_also_the_sources_of_a_model_are_sized(small):
    config, prepared = small
    hybrid = OmegaConf.create({"_target_": "recsys.models.hybrid.Hybrid", "sources": {"a": config.model, "b": None}})
    sized, said = sized_model(hybrid, prepared)
    assert sized.sources.a.embedding_dim == 64
    assert "model.sources.a.embedding_dim=64" in said


def test_a_model_is_built_with_what_was_chosen(small):
    config, prepared = small
    model = build_model(config.model, 0, prepared)
    assert isinstance(model, IALS)
    assert (model.item_vectors.shape[1], model.unobserved_weight) == (64, 0.3)


@pytest.mark.parametrize(
    ("users", "items", "interactions", "dim", "weight"),
    [
        (943, 1682, 100_000, 64, 0.3),  # MovieLens 100K
        (6040, 3706, 1_000_209, 64, 0.3),  # MovieLens 1M
        (5000, 7855, 75_113, 128, 0.023),  # 12 * 75,113 / (5,000 * 7,855) = 0.0229
        (30_000, 41_000, 1_500_000, 512, 0.015),  # log2(41 / 4) = 3.4: 64 * 2^3
        (300_000, 400_000, 3_000_000, 1024, 0.005),  # the least weight, and the most dimensions
        (900, 41_000, 50_000, 112, 0.016),  # an eighth of the users
        (0, 0, 0, 64, 0.005),
    ],
)
def test_defaults_of_ials_by_the_size_of_the_data(users, items, interactions, dim, weight):
    chosen = IALS.sized_defaults(DataSize(users, items, interactions))
    assert chosen == {"embedding_dim": dim, "unobserved_weight": weight}
    assert tuple(chosen) == IALS.sized_settings
