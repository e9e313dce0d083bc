import pytest

from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config, training_of


@pytest.mark.parametrize(
    ("model", "training"),
    [
        ("ease", "none"),
        ("mf", "sampled_negatives"),
        ("two_tower", "next_item"),
        ("hybrid", "listwise"),
        ("no_such_model", "sampled_negatives"),
    ],
)
def test_the_training_suits_the_model(model, training):
    assert training_of(model) == training


def test_the_training_of_a_model_is_composed_unless_another_is_chosen():
    assert compose_config("train", ["name=x", "model=ease"]).training == {}
    assert "negative_sampler" in compose_config("train", ["name=x", "model=mf"]).training
    assert "catalogue_loss" in compose_config("train", ["name=x", "model=mf", "training=full_catalogue"]).training


def test_the_configurations_are_found():
    assert (CONFIG_DIRECTORY / "train.yaml").is_file()
