"""Settings of a model that are ``auto``: the model chooses them by the size of the data.

A model that has such settings has a static method ``sized_defaults``. What was chosen is written into the configuration
of a run, so that the run stays what it is when a later version chooses otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from recsys.data.prepared import PreparedDataset
from recsys.models.interface.data_size import AUTO, DataSize


def sized_model(config: DictConfig, prepared: PreparedDataset) -> tuple[DictConfig, str]:
    """The configuration of a model with numbers in place of ``auto``, also in those that it is made of.

    Args:
        config: of the model alone.
        prepared: the data.

    Returns:
        The configuration, which is ``config`` itself where nothing is ``auto``, and what was chosen, in words; empty
        where nothing was.
    """
    sizes = prepared.schema

    def size_of_data() -> DataSize:
        positives = prepared.positives()
        pairs = positives.user_index.astype(np.int64) * sizes.num_items + positives.item_index
        return DataSize(sizes.num_users, sizes.num_items, len(np.unique(pairs)))

    return sized_by(config, size_of_data)


def sized_by(config: DictConfig, size_of_data: Callable[[], DataSize]) -> tuple[DictConfig, str]:
    """As :func:`sized_model`, for a size that is computed where it is needed."""
    keys = _auto_keys(config)
    if not keys:
        return config, ""
    size = size_of_data()
    sized = config.copy()
    chosen = []
    for key in keys:
        node, _, name = key.rpartition(".")
        target = OmegaConf.select(config, f"{node}._target_" if node else "_target_")
        given = OmegaConf.select(config, node) if node else config
        numbers = {str(own): given[own] for own in given if isinstance(given[own], int | float)}
        value = get_class(target).sized_defaults(size, numbers)[name]  # type: ignore[attr-defined]  # config_check looked
        OmegaConf.update(sized, key, value)
        chosen.append(f"model.{key}={value}")
    return sized, (
        f"chosen by {size.num_users:,} users, {size.num_items:,} items and {size.num_interactions:,} interactions: "
        f"{' '.join(chosen)}"
    )


def _auto_keys(config: Any, prefix: str = "") -> list[str]:
    """Keys of the settings that are ``auto``, however deep, of constructors that have a choice for them."""
    found = []
    target = config.get("_target_")
    sized = getattr(get_class(target), "sized_settings", ()) if target is not None else ()
    for name in config:
        value = config._get_node(name)
        if OmegaConf.is_dict(value) and not value._is_none():
            found += _auto_keys(value, f"{prefix}{name}.")
        elif name in sized and config[name] == AUTO:
            found.append(f"{prefix}{name}")
    return found
