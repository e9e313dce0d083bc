import numpy as np
import pytest
import torch

from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import right_singular_vectors


def sparse(dense: np.ndarray) -> InteractionMatrix:
    rows, columns = np.nonzero(dense)
    counts = np.bincount(rows, minlength=len(dense))
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(counts)]))
    values = torch.from_numpy(dense[rows, columns]).float()
    return InteractionMatrix(offsets, torch.from_numpy(columns), values, dense.shape[1])


def random_matrix(num_rows: int, num_columns: int, density: float = 0.3) -> np.ndarray:
    random = np.random.default_rng(0)
    return random.random((num_rows, num_columns)) * (random.random((num_rows, num_columns)) < density)


def test_by_hand():
    # singular values 3 along the first column, 2 along the third, none along the second
    vectors = right_singular_vectors(sparse(np.diag([3.0, 0, 2])), 2, seed=0)
    torch.testing.assert_close(vectors, torch.tensor([[1.0, 0], [0, 0], [0, 1]]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", [(12, 20), (20, 12)])
def test_small_matrices_are_decomposed_exactly(shape):
    dense = random_matrix(*shape)
    vectors = right_singular_vectors(sparse(dense), 5, seed=3).numpy()
    expected = np.linalg.svd(dense)[2][:5].T
    # a singular vector is only given up to its sign
    np.testing.assert_allclose(np.abs((vectors * expected).sum(axis=0)), 1, atol=1e-4)
    assert (vectors[np.abs(vectors).argmax(axis=0), range(5)] > 0).all()


def test_what_is_kept_of_a_large_matrix_is_nearly_the_best_possible():
    dense = random_matrix(400, 300, density=0.05)  # its singular values fall slowly, the hardest case
    vectors = right_singular_vectors(sparse(dense), 20, seed=0).numpy()
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(20), atol=1e-5)
    kept, best = np.square(dense @ vectors).sum(), np.square(np.linalg.svd(dense)[1][:20]).sum()
    assert 0.99 * best < kept <= best * (1 + 1e-5)


def test_beyond_the_rank_there_is_nothing():
    dense = np.tile([[1.0, 0, 1, 0], [0, 1, 0, 1]], (3, 1))  # rank 2
    vectors = right_singular_vectors(sparse(dense), 4, seed=0)
    torch.testing.assert_close(vectors[:, :2].norm(dim=0), torch.ones(2))
    assert not vectors[:, 2:].any()
    assert not right_singular_vectors(sparse(np.zeros((3, 4))), 2, seed=0).any()


def test_the_seed_settles_the_start():
    matrix = sparse(random_matrix(60, 50))
    assert right_singular_vectors(matrix, 4, seed=1).equal(right_singular_vectors(matrix, 4, seed=1))
    assert not right_singular_vectors(matrix, 4, seed=1).equal(right_singular_vectors(matrix, 4, seed=2))


def test_more_turns_come_nearer_to_the_exact_vectors():
    dense = random_matrix(400, 300, density=0.05)
    exact = np.linalg.svd(dense)[2][:20].T

    def missed(num_turns):
        """Share of the exact subspace that is not spanned."""
        vectors = right_singular_vectors(sparse(dense), 20, seed=0, num_turns=num_turns).numpy()
        return 1 - np.square(exact.T @ vectors).sum() / 20

    assert missed(1) > 4 * missed(6) > 16 * missed(40)
    assert missed(150) < 1e-4
