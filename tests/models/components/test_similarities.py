import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.components.similarities import AdjustedCosine, AsymmetricCosine, Cosine, Jaccard
from tests.models.knn_reference import SIMILARITIES, similarity_of
from tests.models.small_data import small_data

A, B = torch.tensor([1.0, 1, 0, 1]), torch.tensor([1.0, 0, 0, 1])


def compared(similarity) -> float:
    return similarity.compare((A @ B).reshape(1, 1), A.square().sum()[None], B.square().sum()[None]).item()


def test_hand_numbers():
    # <a, b> = 2, |a|^2 = 3, |b|^2 = 2
    assert compared(Cosine()) == pytest.approx(2 / 6**0.5)
    assert compared(Cosine(shrinkage=1)) == pytest.approx(2 / (6**0.5 + 1))
    assert compared(AsymmetricCosine(alpha=0.5)) == pytest.approx(2 / 6**0.5)
    assert compared(AsymmetricCosine(alpha=1)) == pytest.approx(2 / 3)
    assert compared(AsymmetricCosine(alpha=0)) == pytest.approx(2 / 2)
    assert compared(Jaccard()) == pytest.approx(2 / 3)
    assert compared(Jaccard(shrinkage=1)) == pytest.approx(2 / 4)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_blocks_of_rows_follow_the_definition(name):
    random = np.random.default_rng(0)
    first, second = random.random((3, 5)), random.random((4, 5))
    expected = [[similarity_of(name, a, b) for b in second] for a in first]
    arguments = (first @ second.T, (first**2).sum(axis=1), (second**2).sum(axis=1))
    compared = SIMILARITIES[name].compare(*(torch.from_numpy(array).float() for array in arguments))
    np.testing.assert_allclose(compared, expected, rtol=1e-5)


@pytest.mark.parametrize("similarity", [Cosine(), AsymmetricCosine(), Jaccard(), AdjustedCosine()])
def test_a_row_of_zeros_is_like_nothing(similarity):
    assert similarity.compare(torch.zeros(1, 2), torch.zeros(1), torch.tensor([0.0, 3.0])).tolist() == [[0, 0]]


def test_the_adjusted_cosine_subtracts_the_mean_of_the_user():
    data = small_data()
    matrix = AdjustedCosine().represent(Histories.from_interactions(data), data.num_items)
    torch.testing.assert_close(matrix.dense().sum(dim=1), torch.zeros(data.num_users), atol=1e-5, rtol=0)
    user = data.user_index[0]
    centred = data.rating[0] - data.rating[data.user_index == user].mean()
    assert matrix.dense()[user, data.item_index[0]] == pytest.approx(centred)


@pytest.mark.parametrize("similarity", [Cosine, AsymmetricCosine, Jaccard, AdjustedCosine])
def test_refuses_negative_shrinkage(similarity):
    with pytest.raises(ModelError, match="shrinkage must be at least 0, but it is -1"):
        similarity(shrinkage=-1)


def test_refuses_alpha_out_of_range():
    with pytest.raises(ModelError, match="alpha must be from 0 to 1, but it is 2"):
        AsymmetricCosine(alpha=2)
