"""Every choice of ``model/sources`` is a model of the shelf that a hybrid can be made of."""

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.models.interface.protocols import Fittable, RanksCandidates
from tests.test_configs import CONFIGS, train_config

SOURCES = sorted(path.stem for path in (CONFIGS / "model" / "sources").glob("*.yaml"))
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))


def test_every_model_but_the_hybrid_can_be_a_source():
    assert [name for name in MODELS if name != "hybrid"] == SOURCES


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_the_settings_of_its_model_and_its_training(name):
    config = train_config("model=hybrid", f"model/sources=[{name}]")
    OmegaConf.resolve(config)
    model = instantiate(config.model)(num_users=3, num_items=4)
    assert isinstance(model, RanksCandidates)
    (source,) = model.source_models().values()
    settings = config.sources_training.get(name)
    assert (settings is None) == isinstance(source, Fittable)
    if settings is not None:
        assert instantiate(settings.training) is not None


def test_sources_are_one_list():
    config = train_config("model=hybrid", "model/sources=[ials,content,mf]", "model.sources.ials.embedding_dim=7")
    assert list(config.model.sources) == ["ials", "content", "mf"]
    assert config.model.sources.ials.embedding_dim == 7
