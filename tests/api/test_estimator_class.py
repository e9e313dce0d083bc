import inspect
import pickle

import recsys
from recsys.api.estimator import COMMON, Estimator
from recsys.api.estimator_class import estimator_class
from recsys.cli.model_choices import model_choices


def test_every_model_has_one_with_the_defaults_of_its_file():
    for name, choice in model_choices().items():
        class_ = estimator_class(name)
        assert issubclass(class_, Estimator) and class_.__name__ == name
        assert {key: value for key, value in class_().get_params(deep=False).items() if key in choice.own} == choice.own


def test_its_signature_has_the_settings():
    parameters = inspect.signature(recsys.EASE).parameters
    assert parameters["l2"].default == 500.0 and parameters["seed"].default == 42
    assert set(COMMON) <= set(inspect.signature(recsys.MF).parameters)
    assert set(COMMON) - set(parameters) == {"training", "epochs", "batch_size", "learning_rate", "patience"}


def test_its_documentation_is_that_of_the_model():
    from recsys.models.ease import EASE

    assert inspect.getdoc(recsys.EASE) == inspect.getdoc(EASE)


def test_is_made_once_and_pickled_by_its_name():
    assert estimator_class("EASE") is recsys.EASE
    assert pickle.loads(pickle.dumps(recsys.EASE)) is recsys.EASE
