import numpy as np
import pytest

pytest.importorskip("numba")

from recsys.training.fused import step_kernels as kernels

USERS, ITEMS = np.array([1, 1]), np.array([[0, 1], [0, 1]])
SETTINGS = True, 0.0, False  # differences, no penalty, no biases


def tables() -> tuple[np.ndarray, ...]:
    """Two users and two items of one dimension, without biases."""
    none = np.empty((0, 1))
    return np.array([[9.0], [1.0]]), np.array([[0.0], [0.0]]), none, none, none[:, 0]


def found() -> tuple:
    """Of batches of one positive."""
    return tuple((np.full(2, -1, np.int32), (np.empty(count, np.int64), np.zeros(1, np.int64))) for count in (1, 2))


def test_each_step_of_descent_sees_what_the_one_before_has_done():
    made = tables()
    grads = np.empty((1, 1)), np.empty((2, 1)), made[2], made[3], np.zeros(0)
    total = kernels.sgd_steps(USERS, ITEMS, 1, made, grads, found(), SETTINGS, 1.0)
    # first step: scores 0 and 0, slope 1/2: items 1/2 and -1/2, the user stays, as the items were zero
    # second: difference -1, slope s = 1 / (1 + e) = .2689: items .5 + s, user 1 + s * (.5 + .5)
    slope = 1 / (1 + np.e)
    assert total == pytest.approx(np.log(2) + np.log1p(np.exp(-1)))
    np.testing.assert_allclose(made[1][:, 0], [0.5 + slope, -0.5 - slope])
    np.testing.assert_allclose(made[0][:, 0], [9, 1 + slope])


def test_adam_updates_whole_tables_and_forgets_the_gradients():
    made = tables()
    grads = tuple(np.zeros_like(table) for table in made)
    flat = tuple(tuple(array.reshape(-1) for array in side[:2]) for side in (made, grads))
    averages, squares = (tuple(np.zeros(2) for _ in range(2)) for _ in range(2))
    adam = 0.1, 0.5, 0.75, 0.0, 0.9, 0.0
    averages[0][0] = 1.0  # of a user whom the batch does not have
    squares[0][0] = 4.0
    total = kernels.adam_steps(USERS[:1], ITEMS[:1], 1, made, grads, found(), SETTINGS, averages, squares, flat, adam)
    assert total == pytest.approx(np.log(2))
    # without epsilon the first step of an item is the learning rate against the gradient's sign, after the decay
    np.testing.assert_allclose(made[1][:, 0], [0.1, -0.1])
    # 9 * .9 - .1 * (.5 / (1 - .5)) / sqrt(3 / (1 - .75))
    assert made[0][0, 0] == pytest.approx(8.1 - 0.1 / 12**0.5)
    assert not any(grad.any() for grad in grads)


def test_a_row_that_is_in_no_table_ends_the_steps():
    made = tables()
    grads = np.empty((1, 1)), np.empty((2, 1)), made[2], made[3], np.zeros(0)
    assert kernels.sgd_steps(np.array([5]), ITEMS[:1], 1, made, grads, found(), SETTINGS, 1.0) is None
