"""Settings of the parts of a model that are trained on their own: the towers of a network, the sources of a hybrid."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import nn

from recsys.errors import ModelError
from recsys.models.interface.protocols import PretrainsInTowers, RanksCandidates

#: What ``sources_training`` may change for a source that learns by gradient steps.
SOURCE_SETTINGS = ("training", "trainer", "fitting", "pretraining")

#: What ``pretraining`` may change for a tower.
TOWER_SETTINGS = ("training", "trainer")


def source_settings(config: DictConfig, model: RanksCandidates, name: str) -> DictConfig:
    """The configuration that a source is fitted with: that of the run, changed by ``sources_training``.

    Args:
        config: of the run.
        model: whose source it is.
        name: of the source.

    Raises:
        ModelError: ``sources_training`` has a source or a setting that does not exist.
    """
    unknown = [source for source in config.sources_training if source not in model.source_models()]
    if unknown:
        raise ModelError(
            f"sources_training must name sources of the model ({', '.join(model.source_models())}), but it has "
            f"{', '.join(unknown)}. Leave it out, or add the source to model.sources."
        )
    settings = config.copy()
    settings.pretraining = None
    settings.sources_training = {}
    for key, value in config.sources_training.get(name, {}).items():
        if key not in SOURCE_SETTINGS:
            raise ModelError(
                f"sources_training.{name} may have {', '.join(SOURCE_SETTINGS)}, but it has {key}. Leave it out."
            )
        # Another kind of training has other keys; of the rest only what differs is given.
        settings[key] = value if key in ("training", "pretraining") else OmegaConf.merge(settings[key], value)
    return settings


def tower_settings(config: DictConfig, model: nn.Module) -> dict[str, DictConfig]:
    """The configuration that each tower is trained with: that of the run, changed by ``pretraining``.

    Args:
        config: of the run; its ``pretraining`` is not null.
        model: whose towers they are.

    Raises:
        ModelError: the model has no towers, or ``pretraining`` has a tower or a setting that does not exist.
    """
    if not isinstance(model, PretrainsInTowers):
        raise ModelError(
            f"Pre-training needs a model made of towers, but {type(model).__name__} has none. "
            "Leave pretraining=null, or choose a model such as neumf."
        )
    towers = model.towers()
    if set(config.pretraining) != set(towers):
        raise ModelError(
            f"pretraining must give settings for each tower ({', '.join(towers)}), but it has "
            f"{', '.join(config.pretraining)}. An empty mapping takes the settings of the run."
        )
    return {name: _changed(config, name, config.pretraining[name]) for name in towers}


def _changed(config: DictConfig, tower: str, changes: DictConfig) -> DictConfig:
    """The configuration of the run with what ``pretraining`` changes for one tower."""
    if not set(changes) <= set(TOWER_SETTINGS):
        raise ModelError(
            f"pretraining.{tower} may change training and trainer, but it has {', '.join(changes)}. The optimiser is "
            "training.optimizer, its schedule training.scheduler."
        )
    settings = config.copy()
    OmegaConf.set_struct(settings, True)
    try:
        settings.merge_with(changes)
    except OmegaConfBaseException as error:
        raise ModelError(f"pretraining.{tower} has a key that the run does not know ({error}). Correct it.") from error
    return settings
