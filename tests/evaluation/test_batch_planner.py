from __future__ import annotations

import pytest
import torch

from recsys.evaluation import batch_planner
from recsys.evaluation.batch_planner import (
    CPU_SCORES,
    CPU_USERS,
    MAX_SCORES,
    MEMORY_SHARE,
    bytes_per_user,
    free_bytes,
    users_in_memory,
    users_per_batch,
)

GIB = 2**30
CPU, GPU = torch.device("cpu"), torch.device("cuda")

#: Users and items of MovieLens 20M, and interactions of a user.
NUM_USERS, NUM_ITEMS, PAIRS = 138_493, 26_744, 144


def test_the_bytes_of_a_user_are_those_of_scores_lists_and_pairs():
    # 1,000 scores of 17 bytes, 11 places of 64 bytes, 5 pairs of 64 bytes
    assert bytes_per_user(1000, 10, 5) == 17_000 + 704 + 320


def test_a_batch_takes_its_share_of_the_memory_and_no_more():
    users = users_in_memory(4 * GIB, NUM_ITEMS, 50, PAIRS)
    needed = bytes_per_user(NUM_ITEMS, 50, PAIRS)
    assert users * needed <= 4 * GIB * MEMORY_SHARE < (users + 1) * needed


def test_all_users_of_movielens_20m_take_few_batches_on_80_gib():
    users = users_in_memory(80 * GIB, NUM_ITEMS, 50, PAIRS)
    assert -(-NUM_USERS // users) <= 30
    assert users * bytes_per_user(NUM_ITEMS, 50, PAIRS) <= 40 * GIB


def test_no_kernel_has_more_scores_than_32_bits_count():
    assert users_in_memory(10**15, NUM_ITEMS, 50) * NUM_ITEMS <= MAX_SCORES < 2**31


@pytest.mark.parametrize("num_items", [1, 10**9])
def test_a_batch_has_at_least_one_user(num_items):
    assert users_in_memory(1, num_items, 50) == 1


def test_a_gpu_is_asked_for_its_memory(monkeypatch):
    monkeypatch.setattr(batch_planner, "free_bytes", {CPU: None, GPU: 2 * GIB}.__getitem__)
    assert users_per_batch(GPU, NUM_ITEMS, 50) == users_in_memory(2 * GIB, NUM_ITEMS, 50)


def test_memory_that_pytorch_keeps_for_itself_is_free(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (70 * GIB, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 9 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 4 * GIB)
    assert free_bytes(GPU) == 75 * GIB


@pytest.mark.parametrize(
    ("num_items", "users"), [(100, CPU_USERS), (NUM_ITEMS, CPU_SCORES // NUM_ITEMS), (10**8, 1), (0, CPU_USERS)]
)
def test_on_the_cpu_the_scores_of_a_batch_fit_the_caches(num_items, users):
    assert users_per_batch(CPU, num_items, 50) == users
