"""The settings of a training, apart from its run."""

from __future__ import annotations

import pytest
from omegaconf import OmegaConf

from recsys.cli.configuration import compose_config
from recsys.errors import RunError
from recsys.runs.starting import resolved, started
from recsys.runs.training_settings import read_training_settings, write_training_settings


@pytest.fixture
def settings(tmp_path):
    """The settings of a training of EASE, in a file."""
    path = tmp_path / "training.yaml"
    changes = ["model=ease", "model.l2=77", "seed=5", "preparation.min_user_interactions=2", "name=of_the_bundle"]
    write_training_settings(resolved(compose_config("train", changes)), path)
    return path


def test_they_name_neither_data_nor_places(settings):
    kept = OmegaConf.load(settings)
    assert (kept.model.l2, kept.seed, kept.preparation.min_user_interactions) == (77, 5, 2)
    assert not {"data", "paths", "tracking", "name", "chosen_by", "resume"} & set(kept)


def test_a_training_with_them_is_the_same_on_other_data(settings):
    overrides = [f"settings_of={settings}", "data=store", "refit=all", "name=x", "trainer.max_epochs=3"]
    made, run = started(compose_config("train", overrides), overrides)
    assert run is None
    assert made.model._target_ == "recsys.models.ease.EASE"
    assert (made.model.l2, made.seed, made.preparation.min_user_interactions) == (77, 5, 2)
    assert (made.data.name, made.refit, made.name, made.trainer.max_epochs) == ("store", "all", "x", 3)
    assert made.settings_of == str(settings)


def test_a_run_that_was_made_so_can_be_taken_over(settings, tmp_path):
    whole = read_training_settings(settings)
    again = tmp_path / "again.yaml"
    write_training_settings(whole, again)
    assert OmegaConf.load(again) == whole


def test_another_model_beside_them_takes_over_what_they_say_of_the_data(settings):
    overrides = [f"settings_of={settings}", "model=ials", "name=x"]
    made, _ = started(compose_config("train", overrides), overrides)
    assert made.model._target_ == "recsys.models.ials.IALS" and "l2" in made.model
    assert (made.seed, made.preparation.min_user_interactions) == (5, 2)


def test_another_training_of_the_same_model_is_refused(settings):
    overrides = [f"settings_of={settings}", "training=next_item", "name=x"]
    with pytest.raises(RunError, match=r"'training=next_item' as well. Leave one of the two out"):
        started(compose_config("train", overrides), overrides)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is required, but .* cannot be read"),
        ("seed: 5\n", "has no settings of a model"),
        ("- 5\n", "has no settings of a model"),
        ("model: {_target_: os.system}\n", "which would run other code"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, content, message):
    path = tmp_path / "training.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RunError, match=message):
        read_training_settings(path)
