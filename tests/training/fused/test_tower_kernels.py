import numpy as np
import pytest

pytest.importorskip("numba")

from recsys.training.fused import tower_kernels as kernels

NONE = np.empty(0, np.int8)


def test_distinct_rows_are_numbered_as_they_come():
    places, slots, rows = np.full(9, -1, np.int32), np.empty(4, np.int64), np.empty(4, np.int64)
    assert kernels.number_rows(np.array([7, 2, 7, 0]), places, slots, rows) == 3
    assert slots.tolist() == [0, 1, 0, 2] and rows[:3].tolist() == [7, 2, 0]
    assert (places == -1).all()
    assert kernels.number_rows(np.array([7, 9]), places, slots, rows) == -1
    assert kernels.number_rows(np.array([-1]), places, slots, rows) == -1
    assert (places == -1).all()


def test_rows_are_gathered_without_what_is_dropped():
    table, out = np.array([[1.0, 2.0], [3.0, 4.0]]), np.empty((2, 2))
    squares = kernels.gather(np.array([1, 1]), table, np.array([1, 0, 1, 1], np.int8), out)
    assert squares == 2 * (9 + 16)
    assert out.tolist() == [[3, 0], [3, 4]]


def test_sums_are_rectified_and_then_dropped():
    first, of_users = np.array([[1.0, -3.0], [2.0, 5.0]]), np.array([[1.0, 2.0]])
    kernels.rectify_first(first, of_users, 2, np.array([1, 1, 0, 1], np.int8))
    assert first.tolist() == [[2, 0], [0, 7]]
    kernels.rectify(first, np.array([-1.0, -8.0]), NONE)
    assert first.tolist() == [[1, 0], [0, 0]]


def test_the_way_backward_through_the_output_stops_at_units_that_are_off():
    units, slopes, weight = np.array([[2.0, 0.0], [1.0, 3.0]]), np.array([1.0, -1.0]), np.array([5.0, 7.0])
    of_units, of_weight, of_bias, of_layer_bias = np.empty((2, 2)), np.zeros(2), np.zeros(1), np.zeros(2)
    kernels.output_gradients(slopes, units, weight, of_units, of_weight, of_bias, of_layer_bias)
    assert of_units.tolist() == [[5, 0], [-5, -7]]
    assert of_weight.tolist() == [1, -3] and of_bias.tolist() == [0] and of_layer_bias.tolist() == [0, -7]


def test_gradients_of_units_that_are_off_are_zero():
    grad, bias = np.array([[1.0, 2.0], [3.0, 4.0]]), np.zeros(2)
    kernels.rectifier_gradients(grad, np.array([[0.0, 1.0], [2.0, 0.0]]), bias)
    assert grad.tolist() == [[0, 2], [3, 0]] and bias.tolist() == [3, 2]


def test_rows_of_a_user_are_summed():
    sums = np.empty((2, 1))
    kernels.sum_of_items(np.array([[1.0], [2.0], [3.0], [4.0]]), 2, sums)
    assert sums.tolist() == [[3], [7]]


def test_gradients_go_to_their_places_with_the_penalty():
    table, into = np.array([[1.0], [2.0]]), np.zeros((1, 1))
    kernels.add_rows(np.array([1, 1]), np.array([0, 0]), np.array([[3.0], [5.0]]), NONE, table, 0.5, into)
    assert into.tolist() == [[3 + 5 + 2 * 0.5 * 2]]


def test_slopes_of_both_losses():
    scores, slopes = np.array([[0.0, 0.0]]), np.empty((1, 2))
    assert kernels.slopes_of(scores, slopes, 1.0, True) == pytest.approx(np.log(2))
    assert slopes.tolist() == [[-0.5, 0.5]]
    assert kernels.slopes_of(scores, slopes, 1.0, False) == pytest.approx(2 * np.log(2))
