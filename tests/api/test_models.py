import pytest

from recsys.api import models
from recsys.api.estimator_class import estimator_class
from recsys.cli.model_choices import model_choices


def test_has_every_model_by_the_name_of_its_class():
    assert dir(models) == sorted(model_choices())
    assert all(getattr(models, name) is estimator_class(name) for name in dir(models))


def test_has_nothing_else():
    with pytest.raises(AttributeError, match="has no attribute 'Ease'"):
        models.Ease  # noqa: B018
