"""What must be equal for the trials of a study to be comparable."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

#: Settings of a training that do not change what a trial gives.
INCIDENTAL = ("paths", "tracking", "show_users", "name", "evaluation", "baseline")


def study_identity(data_hash: str, split_hash: str, metric: str, config: DictConfig) -> dict[str, Any]:
    """Data, split, metric and the settings that all trials share, as JSON types.

    Args:
        data_hash: content hash of the prepared data.
        split_hash: content hash of the split without its test part.
        metric: the optimised metric.
        config: the resolved configuration that the trials start from.
    """
    settings = {str(name): str(value) for name, value in config.items() if name not in INCIDENTAL}
    return {"data": data_hash, "split": split_hash, "metric": metric, "settings": settings}
