from __future__ import annotations

from recsys.models.interface.data_size import DataSize


def test_the_density_is_the_share_of_pairs():
    assert DataSize(10, 20, 50).density == 0.25
    assert DataSize(0, 20, 0).density == 0
