from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.cli.configuration import compose_config

CONFIGS = Path(__file__).parents[1] / "configs"
NOT_CONSTRUCTORS = ("experiment", "paths", "search", "tuned")
#: Groups of one constructor a file; data and split are tested beside their classes as well.
GROUPS = sorted(path.name for path in CONFIGS.iterdir() if path.is_dir() and path.name not in NOT_CONSTRUCTORS)
CHOICES = [(group, path.stem) for group in GROUPS for path in sorted((CONFIGS / group).glob("*.yaml"))]
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))
NEEDED = {"amazon_reviews": ["data.root=."], "table": ["data.interactions=ratings.csv"], "ncf": ["data.root=."]}


def train_config(*overrides: str):
    config = compose_config("train", overrides=list(overrides), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    OmegaConf.set_struct(config, False)
    del config["hydra"]
    return config


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_composes_and_builds_what_it_names(group, name):
    config = train_config(f"{group}={name}", *NEEDED.get(name, []))
    OmegaConf.resolve(config)
    assert instantiate(config[group]) is not None


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_composes_without_gaps(name):
    config = train_config(f"experiment={name}")
    OmegaConf.resolve(config)
    assert not OmegaConf.missing_keys(config)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_begins_with_its_command(name):
    lines = (CONFIGS / "experiment" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith(f"# python scripts/train.py experiment={name}")


@pytest.mark.parametrize(
    "name", ["evaluate", "evaluate_pipeline", "recommend", "similar", "prepare", "train", "tune", "benchmark_models"]
)
def test_every_command_composes(name):
    assert compose_config(name)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_is_one_constructor(group, name):
    config = OmegaConf.load(CONFIGS / group / f"{name}.yaml")
    assert "_target_" in config
