"""The page of models says of each what it can do, as its protocols do."""

import re
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.models.interface.capabilities import capabilities
from tests.test_configs import CONFIGS, train_config

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))
#: By model: what it can do, and its main settings.
ROWS = {
    cells[0].strip("`"): (cells[2], re.findall(r"`(\w+)`", cells[3]))
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 5 and cells[0].startswith("`")
    if cells[0] != "`model=`"
}


def test_every_model_has_a_row_and_every_row_a_model():
    assert sorted(ROWS) == MODELS


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_says_what_the_model_can_do(name):
    config = train_config(f"model={name}")
    OmegaConf.resolve(config)
    model = instantiate(config.model)(num_users=3, num_items=4)
    assert ROWS[name][0] == ", ".join(capabilities(model))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_settings_of_a_row_exist(name):
    settings = ROWS[name][1]
    assert settings
    assert set(settings) <= set(train_config(f"model={name}").model)
