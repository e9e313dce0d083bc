from __future__ import annotations

import numpy as np
import torch

from recsys.evaluation.statistics import resampling
from recsys.evaluation.statistics.resampling import drawn_on_device, resampled_ratios

CPU = torch.device("cpu")


def values(num_users=400, num_measures=3):
    return torch.from_numpy(np.random.default_rng(0).exponential(size=(num_users, num_measures)))


def test_each_resample_draws_as_many_users_as_there_are():
    blocks = list(drawn_on_device(50, 7, 3, seed=0, device=CPU))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert torch.cat(blocks).sum(1).tolist() == [50.0] * 7


def test_draws_on_the_device_repeat_for_a_seed_and_do_not_for_another():
    first, again, other = (torch.cat(list(drawn_on_device(50, 4, 4, seed, CPU))) for seed in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)


def test_draws_on_the_device_are_distributed_as_those_on_the_host(monkeypatch):
    # Of 400 users the mean varies by 1/20; the ends of 4,000 resamples by some hundredth of that.
    ones = torch.ones(400, 1, dtype=torch.float64)
    on_host = resampled_ratios(values(), ones, 4000, seed=0)
    monkeypatch.setattr(resampling, "_drawn_on_host", drawn_on_device)
    on_device = resampled_ratios(values(), ones, 4000, seed=0)
    assert not on_device.equal(on_host)
    for share in (0.025, 0.5, 0.975):
        torch.testing.assert_close(on_device.quantile(share, dim=0), on_host.quantile(share, dim=0), atol=0.006, rtol=0)


def test_a_ratio_is_that_of_the_sums_over_the_drawn_users(monkeypatch):
    drawn = torch.tensor([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]], dtype=torch.float64)
    monkeypatch.setattr(resampling, "_drawn_on_host", lambda *_: iter([drawn]))
    totals, counts = torch.tensor([[1.0], [0.0], [5.0]]).double(), torch.tensor([[1.0], [0.0], [2.0]]).double()
    ratios = resampled_ratios(totals, counts, 2, seed=0)
    assert ratios[0].item() == 7 / 4  # (2 * 1 + 5) / (2 * 1 + 2)
    assert ratios[1].isnan().all()  # user 1 alone, for whom nothing counts
