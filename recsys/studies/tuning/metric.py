"""What a search optimises where nothing is said, and which way is better."""

from __future__ import annotations

from typing import Literal

from hydra.utils import get_class
from omegaconf import DictConfig

from recsys.models.interface.protocols import PredictsRatings

#: Metrics of which less is better.
ERRORS = ("rmse", "mae")


def default_metric(config: DictConfig) -> str:
    """``valid/rmse`` for a model of ratings, else what its training monitors.

    Args:
        config: the resolved configuration of a training.
    """
    rates = issubclass(get_class(config.model["_target_"]), PredictsRatings)
    return f"valid/{ERRORS[0]}" if rates else str(config.fitting.monitor)


def best_direction(metric: str) -> Literal["maximize", "minimize"]:
    """Whether more or less of a metric is better.

    Example:
        >>> best_direction("valid/rmse"), best_direction("valid/ndcg@10")
        ('minimize', 'maximize')
    """
    return "minimize" if metric.rpartition("/")[2] in ERRORS else "maximize"
