from __future__ import annotations

import numpy as np

from recsys.evaluation.means import mean_over_users


def test_users_without_a_value_are_left_out():
    values = np.array([[1.0, np.nan, np.nan], [2.0, 4.0, np.nan]])
    np.testing.assert_array_equal(mean_over_users(values), [1.5, 4.0, np.nan])


def test_the_mean_over_no_users_is_not_defined():
    np.testing.assert_array_equal(mean_over_users(np.empty((0, 2))), [np.nan, np.nan])
