import pytest
from torch import nn

from recsys.errors import ModelError
from recsys.models.mf import MF
from recsys.training.l2 import l2_penalty


def test_null_is_the_default_where_there_are_vectors_and_no_penalty_elsewhere():
    model = MF(3, 4, embedding_dim=2)
    assert l2_penalty(model, None, 0.01) == (0.01, model.squared_norms)
    assert l2_penalty(nn.Linear(1, 1), None, 0.01) == (0.0, None)


def test_zero_is_no_penalty():
    assert l2_penalty(MF(3, 4, embedding_dim=2), 0.0, 0.01) == (0.0, None)


def test_a_penalty_that_is_set_needs_vectors():
    with pytest.raises(ModelError, match=r"training\.l2=0\.5 needs a model with squared_norms, but Linear has none"):
        l2_penalty(nn.Linear(1, 1), 0.5, 0.01)
