import inspect
import re

import pytest

from recsys import errors
from recsys.errors import RecsysError

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]
WARNINGS = [one for one in CLASSES if issubclass(one, Warning)]
SPECIFIC = [one for one in CLASSES if one is not RecsysError and one not in WARNINGS]


def test_the_base_class_is_a_value_error():
    assert RecsysError.__bases__ == (ValueError,)


@pytest.mark.parametrize("warning", WARNINGS, ids=lambda warning: warning.__name__)
def test_a_warning_is_no_error(warning):
    assert warning.__bases__ == (UserWarning,)
    assert warning.__doc__


@pytest.mark.parametrize("error", SPECIFIC, ids=lambda error: error.__name__)
def test_each_error_is_one_level_below_the_base_class(error):
    assert error.__bases__ == (RecsysError,)


def test_an_error_is_caught_by_its_base_class_and_not_by_its_siblings():
    with pytest.raises(RecsysError, match="k must be positive"):
        try:
            raise errors.RequestError("k must be positive")
        except errors.DataError:
            pytest.fail("a request is no data")


def test_the_tree_in_the_documentation_has_every_class_once():
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    assert sorted(drawn) == sorted(one.__name__ for one in CLASSES)


def test_every_class_says_when_it_is_raised():
    assert all(one.__doc__ and one.__doc__ != RecsysError.__doc__ for one in SPECIFIC)
