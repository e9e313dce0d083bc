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
