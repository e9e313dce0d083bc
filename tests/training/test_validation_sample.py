from __future__ import annotations

import pytest

from recsys.training.validation_sample import (
    MIN_USERS,
    STEP_OF_FACTORS,
    STEP_OF_NETWORK,
    cost_of_step,
    num_validated,
    sample_note,
)
from tests.training.recipes import mf, neumf

#: Users with held-out items, items and interactions of the data of the README.
ML_100K, ML_1M, BEAUTY = (943, 1682, 100_000), (6040, 3706, 1_000_209), (22_363, 12_101, 198_502)
#: MovieLens 20M.
ML_20M = (138_493, 26_744, 20_000_263)


def epoch_cost(num_interactions, num_negatives, step):
    return num_interactions * (1 + num_negatives) * step


def test_a_step_of_a_factorisation_costs_more_of_its_pairs_than_one_of_a_network():
    assert (cost_of_step(mf()), cost_of_step(neumf())) == (STEP_OF_FACTORS, STEP_OF_NETWORK)


@pytest.mark.parametrize("step", [STEP_OF_FACTORS, STEP_OF_NETWORK])
@pytest.mark.parametrize(("users", "items", "interactions"), [ML_100K, ML_1M])
def test_all_users_of_small_data_are_validated(users, items, interactions, step):
    assert num_validated(users, items, epoch_cost(0.8 * interactions, 1, step), None) == users


def test_all_users_are_validated_where_the_cost_is_not_counted():
    users, items, _ = BEAUTY
    assert num_validated(users, items, None, None) == users


def test_a_network_of_pairs_is_validated_on_a_sample_of_movielens_20m():
    users, items, interactions = ML_20M
    cost = epoch_cost(interactions, 4, STEP_OF_NETWORK)
    drawn = num_validated(users, items, cost, None)
    # 20 million times 5 pairs times 4 are as many pairs as 14,956 users have with 26,744 items
    assert drawn == 14_956
    assert drawn * items <= cost


def test_no_sample_is_smaller_than_the_least():
    assert num_validated(10**6, 10**6, 1e9, None) == MIN_USERS


@pytest.mark.parametrize(("wanted", "drawn"), [(100, 100), (10**7, 10**6)])
def test_what_is_set_counts_whatever_it_costs(wanted, drawn):
    assert num_validated(10**6, 10**6, 1e9, wanted) == drawn


def test_what_is_said_names_the_cost_and_the_setting():
    said = sample_note(10_000, 10**6, 1000, 5e8, None)
    assert said.startswith("validation ranks for a sample of 10,000 of 1,000,000 users, the same in each epoch")
    assert said.endswith("for all it would take 2.0 times an epoch. training.validation_users=1000000 takes all.")
    assert sample_note(7, 9, 1000, 5e8, 7).endswith("(training.validation_users=7)")
