from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf

from recsys.cli.configuration import NO_TRAINING, compose_config, training_of
from recsys.cli.hydra_errors import users_of

CONFIGS = Path(__file__).parents[1] / "configs"
NOT_CONSTRUCTORS = ("experiment", "paths", "search", "tuned")
#: Every file of a group of constructors, those of nested groups such as ``training/loss`` included.
CHOICES = [
    (str(path.parent.relative_to(CONFIGS)), path.stem)
    for path in sorted(CONFIGS.rglob("*.yaml"))
    if path.parent != CONFIGS and path.relative_to(CONFIGS).parts[0] not in NOT_CONSTRUCTORS
]
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))
COMMANDS = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))
NEEDED = {"amazon_reviews": ["data.root=."], "table": ["data.interactions=ratings.csv"], "ncf": ["data.root=."]}
LISTWISE = "training=listwise"
SOURCES = ["model=hybrid", LISTWISE]


def train_config(*overrides: str):
    config = compose_config("train", overrides=list(overrides), return_hydra_config=True)
    HydraConfig.instance().set_config(config)
    OmegaConf.set_struct(config, False)
    del config["hydra"]
    return config


def choosing(group: str, name: str) -> tuple[list[str], str]:
    """Overrides that choose a file of a group, and the key that it is then found at."""
    outer, _, inner = group.partition("/")
    if group == "model/sources":
        return [*SOURCES, f"{group}=[{name}]"], f"model.sources.{name}"
    if group in ("stacking_folds", "candidate_selector"):
        return [LISTWISE, f"{group}={name}"], group
    if group == "pruner":  # of a search, not of a training
        return [f"+{group}={name}"], group
    if not inner:
        return [f"{group}={name}", *NEEDED.get(name, [])], group
    user = users_of(outer, inner, CONFIGS)[0]
    return [f"{outer}={user}", f"{group}={name}"], group.replace("/", ".")


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_composes_and_builds_what_it_names(group, name):
    overrides, key = choosing(group, name)
    config = train_config(*overrides)
    OmegaConf.resolve(config)
    node = OmegaConf.select(config, key)
    if (group, name) == ("training", NO_TRAINING):
        assert node == {}
    else:
        assert "_target_" in node
        assert instantiate(node) is not None


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


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_composes_and_begins_with_its_command(name):
    assert compose_config(name)
    first = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"# python scripts/{name}.py")
    assert (CONFIGS.parent / "scripts" / f"{name}.py").is_file()


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_choice_is_one_constructor(group, name):
    config = OmegaConf.load(CONFIGS / group / f"{name}.yaml")
    if group != "model/sources" and (group, name) != ("training", NO_TRAINING):
        # One without a constructor of its own is a variant of another choice.
        assert "_target_" in config or "defaults" in config


@pytest.mark.parametrize("model", MODELS)
def test_only_what_the_training_of_a_model_uses_is_composed(model):
    config = train_config(f"model={model}")
    training = training_of(model)
    assert ("_target_" in config.training) == (training != NO_TRAINING)
    assert ("optimizer" in config.training) == (training != NO_TRAINING)
    assert ("stacking_folds" in config) == ("candidate_selector" in config) == (training == "listwise")
    if training != NO_TRAINING:
        assert not hasattr(get_object(config.model._target_), "fit")
