"""Every choice of ``model/sources`` is a model of the shelf that a hybrid can be made of."""

import pytest
from hydra.core.config_store import ConfigStore
from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.cli.source_configs import register_sources
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.protocols import Fittable, RanksCandidates
from recsys.runs.sized_settings import sized_by
from tests.test_configs import CONFIGS, train_config

#: Models that are not made of others.
SOURCES = sorted(
    path.stem for path in (CONFIGS / "model").glob("*.yaml") if "sources:" not in path.read_text(encoding="utf-8")
)


def test_a_file_of_its_own_is_for_a_model_alone():
    assert {path.stem for path in (CONFIGS / "model" / "sources").glob("*.yaml")} <= set(SOURCES)


def test_a_model_needs_no_file_to_be_a_source(tmp_path):
    """A new model with its configuration alone, trained by gradient steps or fitted at once."""
    for name in ("model", "trainer"):
        (tmp_path / name).mkdir()
    (tmp_path / "trainer" / "default.yaml").write_text("max_epochs: 7")
    (tmp_path / "model" / "by_steps.yaml").write_text("_target_: a.B")
    (tmp_path / "model" / "at_once.yaml").write_text("_target_: a.C")
    (tmp_path / "model" / "of_others.yaml").write_text("defaults: [{sources: [at_once]}]")
    register_sources(tmp_path, {"by_steps": "full_catalogue", "at_once": "none"}.__getitem__, "none")
    choices = ConfigStore.instance().repo["model"]["sources"]
    try:
        assert choices["at_once.yaml"].node == {"defaults": [{"/model@at_once": "at_once"}]}
        by_steps = choices["by_steps.yaml"]
        assert by_steps.package == "_global_"
        assert {"/training@sources_training.by_steps.training": "full_catalogue"} in by_steps.node.defaults
        assert by_steps.node.sources_training.by_steps.trainer.max_epochs == 7
        assert "of_others.yaml" not in choices
    finally:
        for name in ("at_once", "by_steps"):
            choices.pop(f"{name}.yaml")


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_has_the_settings_of_its_model_and_its_training(name):
    config = train_config("model=hybrid", f"model/sources=[{name}]")
    OmegaConf.resolve(config)
    sized, _ = sized_by(config.model, lambda: DataSize(3, 4, 3))
    model = instantiate(sized)(num_users=3, num_items=4)
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
