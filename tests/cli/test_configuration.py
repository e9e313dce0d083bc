import os
import sys

import pytest
from omegaconf import OmegaConf

from recsys.cli.configuration import CONFIG_DIRECTORY, compose_config, config_command, training_of


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


def run(monkeypatch, tmp_path, body, *arguments):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["export_triton.py", *arguments])
    return config_command("export_triton")(body)()


def test_a_command_gets_its_configuration(monkeypatch, tmp_path):
    seen = []
    run(monkeypatch, tmp_path, lambda config: seen.append(OmegaConf.to_container(config)), "bundle=a", "output=b")
    assert seen == [{"bundle": "a", "output": "b", "version": None, "instances": 1, "models": "in_process"}]
    assert list(tmp_path.iterdir()) == []
    assert "HYDRA_FULL_ERROR" not in os.environ


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bundle=a"], "error: output is required, but it was not given. Add output=...\n"),
        (
            ["bundle=a", "output=b", "instances=0"],
            "error: instances must be at least 1, but it is 0. Correct instances=0.\n",
        ),
        (["bundle=a=b", "output=b"], """must be quoted: 'bundle="a=b"'\n"""),
        (["bundles=a", "output=b"], "error: There is no setting bundles"),
    ],
)
def test_what_is_wrong_is_one_message_and_the_body_does_not_begin(monkeypatch, tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, tmp_path, lambda config: pytest.fail("it has begun"), *arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("error:") == 1
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_a_bug_keeps_its_traceback(monkeypatch, tmp_path):
    with pytest.raises(ZeroDivisionError):
        run(monkeypatch, tmp_path, lambda config: 1 / 0, "bundle=a", "output=b")


def test_the_configurations_are_found():
    assert (CONFIG_DIRECTORY / "train.yaml").is_file()
