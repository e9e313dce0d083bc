import torch

from recsys.models.onnx.user_table import UserTable
from tests.models.onnx.model_queries import asked

TABLE = UserTable(torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))


def test_known_users_are_looked_up():
    assert TABLE(asked([], [], [], users=[2, 0, 2])).tolist() == [[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]


def test_a_stranger_has_no_vector_whatever_the_history():
    vectors = TABLE(asked([1, 2], [0], users=[-1, 1]))
    assert vectors[0].isnan().all()
    assert vectors[1].tolist() == [3.0, 4.0]
