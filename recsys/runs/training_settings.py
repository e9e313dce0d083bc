"""The settings of a model and its training, apart from its run: a bundle has them, so that it can be trained anew.

They name no data, no places and nobody. Settings that were ``auto`` are the numbers that were chosen for the data then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recsys.cli.config_check import check_config
from recsys.cli.overrides import setting_of
from recsys.cli.trusted_targets import check_targets
from recsys.errors import RunError

#: What of a run's configuration makes its model what it is, whatever it is trained on.
SETTINGS = (
    *("seed", "view", "weight_transform", "exclude_seen", "preparation", "split", "model", "training", "trainer"),
    *("fitting", "pretraining", "sources_training"),
)

#: Those of them that say how the data are prepared and divided, which hold for another model as well.
OF_DATA = ("seed", "weight_transform", "exclude_seen", "preparation", "split")


def write_training_settings(config: DictConfig, path: Path) -> None:
    """Write the settings of a run.

    Args:
        config: of the run, resolved.
        path: a file of YAML.
    """
    OmegaConf.save(OmegaConf.create({name: config[name] for name in SETTINGS if name in config}), path)


def read_training_settings(path: Path) -> DictConfig:
    """Read what :func:`write_training_settings` wrote, or the ``config.yaml`` of a run.

    Raises:
        RunError: there is no such file, it is damaged, or it names code that is neither part of recsys nor trusted.
    """
    try:
        found = OmegaConf.load(path)
    except Exception as error:  # OmegaConf lets the errors of its YAML library through
        raise RunError(
            f"A file with the settings of a training is required, but {path} cannot be read ({error}). Give the "
            "training.yaml of a bundle: settings_of=bundles/NAME/training.yaml"
        ) from error
    if not isinstance(found, DictConfig) or "model" not in found:
        raise RunError(f"{path} has no settings of a model. Give the training.yaml of a bundle.")
    kept = OmegaConf.masked_copy(found, [name for name in SETTINGS if name in found])
    check_targets(OmegaConf.to_container(kept), path)
    return kept


def with_settings_of(config: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """A configuration with the settings of the file that ``settings_of`` names, below what the command line says.

    With a ``model=`` beside it only what the file says of the data is taken over: :data:`OF_DATA`.

    Args:
        config: as composed from the command line, without interpolations.
        overrides: the command line.

    Raises:
        RunError: the file cannot be read, a part of a model or another training is asked for without the model, or a
            setting cannot be what it is.
    """
    found = read_training_settings(Path(config.settings_of))
    chosen = [one for one in overrides if one.lstrip("+").startswith(("model/", "training=", "training/"))]
    if any(one.startswith("model=") for one in overrides):
        found = OmegaConf.masked_copy(found, [name for name in OF_DATA if name in found])
    elif chosen:
        raise RunError(
            f"settings_of takes the model and its training from {config.settings_of}, but the command line says "
            f"{chosen[0]!r} as well. Leave one of the two out, or name the model with model=."
        )
    made = config.copy()
    for name in found:
        OmegaConf.update(made, str(name), found[name], merge=False, force_add=True)
    for override in overrides:
        key, setting = override.lstrip("+~").partition("=")[0], setting_of(override)
        if setting in found:
            place = key if "." in key else setting
            OmegaConf.update(made, place, OmegaConf.select(config, place), merge=False, force_add=True)
    check_config("train", made)
    return made
