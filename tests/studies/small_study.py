"""Configurations of studies on small synthetic data."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from recsys.cli.configuration import compose_config
from recsys.runs.starting import resolved

SMALL = (
    *("data=synthetic", "name=toy", "data.num_users=40", "data.num_items=60", "data.num_interactions=240"),
    *("trainer.accelerator=cpu", "tracking=none", "evaluation.bootstrap_samples=0"),
)


def study_config(command: str, directory: Path, *overrides: str) -> DictConfig:
    """The resolved configuration of ``command``; prepared data are kept in ``directory``."""
    paths = [f"paths.prepared_dir={directory}/prepared", f"paths.cache_dir={directory}", f"paths.runs_dir={directory}"]
    return resolved(compose_config(command, [*SMALL, *paths, *overrides]))
