import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.elicitation.familiarity import MIN_NOISE, FamiliarityModel
from recsys.errors import ModelError
from tests.checkerboard import checkerboard


def random_interactions(seed: int = 0, num_users: int = 40, num_items: int = 25) -> tuple[Interactions, np.ndarray]:
    """Interactions, and the matrix of those users who have any."""
    random = np.random.default_rng(seed)
    matrix = random.random((num_users, num_items)) < random.random(num_items)
    matrix[:, 0] = False  # nobody knows item 0
    users, items = matrix.nonzero()
    rows = Interactions(users.astype(np.int32), items.astype(np.int32), None, None, None, num_users + 3, num_items)
    return rows, matrix[matrix.any(axis=1)].astype(float)


def test_shares_are_of_the_users_who_have_an_interaction():
    rows, matrix = random_interactions()
    found = FamiliarityModel.from_interactions(rows, num_components=3)
    np.testing.assert_allclose(found.shares, matrix.mean(0))


def test_with_all_components_the_covariance_is_that_of_the_answers():
    rows, matrix = random_interactions()
    found = FamiliarityModel.from_interactions(rows, num_components=25)
    np.testing.assert_allclose(found.loadings @ found.loadings.T, np.cov(matrix.T, bias=True), atol=1e-5)
    assert (found.noise >= MIN_NOISE).all()


def test_loadings_are_the_leading_principal_components():
    rows, matrix = random_interactions(1)
    found = FamiliarityModel.from_interactions(rows, num_components=2)
    values = np.linalg.eigvalsh(np.cov(matrix.T, bias=True))[::-1]
    # the matrix is decomposed before its mean is taken out, which costs the components little
    lengths = np.square(found.loadings).sum(0)
    assert found.loadings.shape == (25, 2)
    assert lengths[0] >= lengths[1]
    assert 0.8 * values[:2].sum() < lengths.sum() <= values[:2].sum() + 1e-6


def test_loadings_and_noise_make_up_the_variance_of_an_answer():
    rows, matrix = random_interactions(2)
    found = FamiliarityModel.from_interactions(rows, num_components=3)
    total = np.square(found.loadings).sum(1) + found.noise
    np.testing.assert_allclose(total[1:], matrix.var(0)[1:], atol=MIN_NOISE)


def test_the_two_colours_of_the_board_are_one_component():
    rows, _ = checkerboard()
    found = FamiliarityModel.from_interactions(rows, num_components=1)
    signs = np.sign(found.loadings[:, 0])
    assert (signs[::2] == signs[0]).all() and (signs[1::2] == -signs[0]).all()


@pytest.mark.parametrize("num_components", [0, -1])
def test_at_least_one_component_is_required(num_components):
    with pytest.raises(ModelError, match=f"num_components is {num_components}. Give more"):
        FamiliarityModel.from_interactions(random_interactions()[0], num_components)


def test_nothing_is_learnt_from_nothing():
    rows = random_interactions()[0].take(np.empty(0, dtype=np.int64))
    with pytest.raises(ModelError, match="there are 0 interactions"):
        FamiliarityModel.from_interactions(rows)
