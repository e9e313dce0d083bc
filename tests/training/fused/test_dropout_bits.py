import numpy as np
import pytest

pytest.importorskip("numba")

import torch

from recsys.training.fused.dropout_bits import draw_bits


# 0.001 is less than a byte can decide, 0.5 is decided by bytes alone, and 0.999 leaves much to the hits
@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.7539, 0.999])
def test_drops_the_asked_share(probability):
    torch.manual_seed(0)
    count = 4_000_000
    (kept,) = draw_bits([count], probability)
    assert kept.dtype == np.int8 and np.unique(kept).tolist() == [0, 1]
    deviation = (probability * (1 - probability) / count) ** 0.5
    # 0.1 rounded to the next lower byte would be 16 deviations off
    assert abs((kept == 0).mean() - probability) < 4 * deviation


def test_number_of_dropped_elements_is_binomial():
    torch.manual_seed(0)
    # 4,000 masks of 500 elements: mean 50, variance 45, whose estimate has a relative deviation of sqrt(2 / 4000)
    numbers = np.array([(kept == 0).sum() for kept in draw_bits([500] * 4000, 0.1)])
    assert numbers.mean() == pytest.approx(50, abs=4 * (45 / 4000) ** 0.5)
    assert numbers.var() == pytest.approx(45, rel=4 * (2 / 4000) ** 0.5)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    gone = next(draw_bits([400_000], 0.5)) == 0
    # eight decisions share a random number; their correlation is zero up to 1 / sqrt(n)
    for distance in range(1, 17):
        assert abs(np.corrcoef(gone[:-distance], gone[distance:])[0, 1]) < 0.01


def test_any_count():
    counts = [1, 7, 8, 9, 8192, 8193, 3]
    assert [kept.shape for kept in draw_bits(counts, 0.3)] == [(count,) for count in counts]
    assert not list(draw_bits([], 0.3))


def test_depends_on_the_seed_alone():
    def drawn(seed: int) -> list[list[int]]:
        torch.manual_seed(seed)
        return [kept.tolist() for kept in draw_bits([100, 100], 0.5)]

    assert drawn(7) == drawn(7) != drawn(8)
    first, second = drawn(7)
    assert first != second
