import pytest

from recsys.errors import ModelError
from recsys.models.layers.validation import check_dims


def test_positive_dimensions_are_accepted():
    check_dims()
    check_dims(embedding_dim=1, hidden_dims=[64, 1], sizes=(3,))


@pytest.mark.parametrize("value", [0, -3, [], [64, 0], (0,)])
def test_other_dimensions_are_refused_by_the_name_of_the_setting(value):
    with pytest.raises(ModelError, match=r"model\.hidden_dims must be at least 1, but it is .*\. Correct it"):
        check_dims(embedding_dim=8, hidden_dims=value)
