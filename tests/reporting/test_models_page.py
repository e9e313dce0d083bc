"""The page of models and the README are what the models themselves say."""

from functools import cache
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from recsys.errors import RecsysError
from recsys.models.interface.capabilities import capabilities
from recsys.models.interface.data_size import DataSize
from recsys.reporting import models_page
from recsys.reporting.models_page import card_of, model_names, spelled, up_to_date, with_parts
from recsys.runs.sized_settings import sized_by
from tests.test_configs import CONFIGS, train_config

ROOT = Path(__file__).parents[2]
tables = cache(models_page.tables)
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))


def test_the_pages_are_up_to_date():
    for path, content in up_to_date(ROOT).items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run make models-page"


def test_every_model_has_a_row():
    found = tables()
    assert model_names() == MODELS
    for name in MODELS:
        likes, ratings, served, weights = (f"\n| `{name}` |" in found[place] for place in found)
        assert likes != ratings
        assert weights == likes
        assert served


@pytest.mark.parametrize("name", MODELS)
def test_a_row_says_what_the_model_can_do(name):
    config = train_config(f"model={name}")
    OmegaConf.resolve(config)
    sized, _ = sized_by(config.model, lambda: DataSize(3, 4, 3))
    model = instantiate(sized)(num_users=3, num_items=4)
    rows = [line for table in list(tables().values())[:2] for line in table.splitlines()]
    (row,) = [line for line in rows if line.startswith(f"| `{name}` |")]
    assert f"| {', '.join(capabilities(model))} |" in row


@pytest.mark.parametrize("name", MODELS)
def test_settings_of_a_row_exist(name):
    settings = card_of(name).settings
    assert settings
    assert set(settings) <= set(train_config(f"model={name}").model)


def test_the_readme_counts_the_models():
    words = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"<!-- number of models -->{spelled(len(MODELS))}<!-- end -->" in words


@pytest.mark.parametrize(
    ("number", "words"),
    [(19, "nineteen"), (20, "twenty"), (21, "twenty-one"), (39, "thirty-nine"), (50, "50"), (7, "7")],
)
def test_numbers_in_words(number, words):
    assert spelled(number) == words


def test_only_the_named_places_of_a_page_change():
    page = "a <!-- n -->1<!-- end --> b\n<!-- t -->\nold\n<!-- end -->\nc"
    assert with_parts(page, {"n": "2", "t": "new\nrows"}) == (
        "a <!-- n -->2<!-- end --> b\n<!-- t -->\nnew\nrows\n<!-- end -->\nc"
    )
    with pytest.raises(RecsysError, match="one place from <!-- x -->"):
        with_parts(page, {"x": ""})
