"""The choices of the group ``model/sources``: one for each model, made of the model's own configuration.

A model that is fitted at once is a source as it is; one that learns by gradient steps has a training of its own under
``sources_training``, the one that suits it, for as many epochs as a model alone. A file in ``configs/model/sources/``
takes the place of what is made here, for a model that should be trained otherwise where it is a source.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

#: The group whose choices are made here.
GROUP = "model/sources"

#: Says in the search path of Hydra where these choices come from.
PROVIDER = "recsys"


def register_sources(configs: Path, training_of: Callable[[str], str], no_training: str) -> None:
    """Make every model of ``configs`` a choice of ``model/sources``, but those that are made of sources themselves.

    Args:
        configs: directory of the configurations.
        training_of: the choice of ``training`` that suits a model, by the model's name.
        no_training: that choice for a model that is fitted at once.
    """
    epochs = OmegaConf.load(configs / "trainer" / "default.yaml").max_epochs
    for path in sorted((configs / "model").glob("*.yaml")):
        settings = OmegaConf.load(path)
        assert isinstance(settings, DictConfig), "a file of one constructor"
        if _has_sources(settings) or (configs / GROUP / path.name).is_file():
            continue
        training = training_of(path.stem)
        if training == no_training:
            node: dict[str, Any] = {"defaults": [{f"/model@{path.stem}": path.stem}]}
            package = None
        else:
            node = _with_training(path.stem, training, epochs)
            package = "_global_"
        ConfigStore.instance().store(path.stem, node, group=GROUP, package=package, provider=PROVIDER)


def _with_training(name: str, training: str, epochs: int) -> dict[str, Any]:
    return {
        "defaults": [
            {f"/model@model.sources.{name}": name},
            {f"/training@sources_training.{name}.training": training},
            "_self_",
        ],
        "sources_training": {name: {"trainer": {"max_epochs": epochs}}},
    }


def _has_sources(settings: DictConfig) -> bool:
    return any("sources" in choice for choice in settings.get("defaults", []) if isinstance(choice, DictConfig))
