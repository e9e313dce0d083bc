from __future__ import annotations

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from recsys.cli.configuration import compose_config
from recsys.errors import RunError
from recsys.studies.benchmark.tuned_models import tuned_models

CONFIGS = Path(__file__).parents[3] / "configs"


def rows(content, models=None):
    return tuned_models(None if content is None else OmegaConf.create(content), "toy", models, CONFIGS)


def test_a_row_becomes_a_command_that_fits_to_validation_too():
    (row,) = rows({"ease": ["model.l2=500"]})
    assert (row.name, row.model) == ("ease", "ease")
    assert row.command == "python scripts/train.py data=toy model=ease model.l2=500 refit=true"


def test_a_row_may_be_another_setting_of_a_model_and_then_says_so_in_its_name():
    (row,) = rows({"popularity_decayed": ["model=popularity", "model.half_life_days=30", "refit=false"]})
    assert row.overrides == (
        "data=toy",
        "model=popularity",
        "model.half_life_days=30",
        "refit=false",
        "name=popularity_decayed_toy",
    )


def test_a_command_can_be_pasted_into_a_shell():
    (row,) = rows({"mf": ["model.x={a: 1}"]})
    assert "'model.x={a: 1}'" in row.command


def test_some_of_the_rows_can_be_asked_for_in_another_order():
    assert [row.name for row in rows({"mf": [], "ease": None, "popularity": []}, ["ease", "mf"])] == ["ease", "mf"]


@pytest.mark.parametrize(
    ("content", "models", "message"),
    [
        (None, None, r"there are none for data=toy. Write configs/tuned/toy.yaml"),
        ({}, None, "there are none for data=toy"),
        ({"mf": []}, ["slimm"], r"must be among those of configs/tuned/toy.yaml \(mf\), but it has slimm"),
        ({"mf": "model.l2=5"}, None, "tuned.mf must be a list of overrides"),
        ({"mf": ["fast"]}, None, "tuned.mf must be a list of overrides"),
        (
            {"oracle": []},
            None,
            "tuned.oracle is of the model oracle, which has no configuration; there are .*mf.*neumf",
        ),
        ({"mine": ["model=oracle"]}, None, "tuned.mine is of the model oracle, which has no configuration"),
    ],
)
def test_rows_that_cannot_be_trained_are_refused(content, models, message):
    with pytest.raises(RunError, match=message):
        rows(content, models)


@pytest.mark.parametrize("data", sorted(path.stem for path in (CONFIGS / "tuned").glob("*.yaml")))
def test_every_tuned_setting_composes(data):
    found = tuned_models(OmegaConf.load(CONFIGS / "tuned" / f"{data}.yaml"), data, None, CONFIGS)
    assert "popularity" in [row.name for row in found]
    for row in found:
        assert compose_config("train", overrides=list(row.overrides))
