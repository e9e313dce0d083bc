"""What a retraining trains, and when it makes it live."""

from __future__ import annotations

from dataclasses import fields

import pytest

from recsys.cli.configuration import compose_config
from recsys.errors import SettingsError
from recsys.studies.retraining.retraining_settings import RetrainingSettings


@pytest.mark.parametrize(
    "values",
    [{"held_out": "some"}, {"share": 0.0}, {"keep": 0}, {"min_held_out": 0}, {"tolerance": -0.1}, {"tolerance": 1.0}],
)
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingsError, match="must be"):
        RetrainingSettings(**values)


def test_the_defaults_are_those_of_the_command():
    config, own = compose_config("retrain", []), RetrainingSettings()
    for field in fields(RetrainingSettings):
        given, default = config[field.name], getattr(own, field.name)
        assert (list(given) if isinstance(default, tuple) else given) == (
            list(default) if isinstance(default, tuple) else default
        )


def test_a_candidate_is_live_or_a_model_with_its_settings():
    settings = RetrainingSettings(models=["ease model.l2=9", "live"])
    assert [(one.name, one.settings) for one in settings.to_choose_from()] == [
        ("ease model.l2=9", ("model=ease", "model.l2=9")),
        ("live", ()),
    ]
    assert not settings.model_is_named and RetrainingSettings(train=["model=ease"]).model_is_named


@pytest.mark.parametrize("models", [[], ["live", "live"], ["no_such_model"]])
def test_other_candidates_are_refused(models):
    with pytest.raises(SettingsError, match="models must be"):
        RetrainingSettings(models=models)
