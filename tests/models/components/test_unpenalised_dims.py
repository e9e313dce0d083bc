from __future__ import annotations

import pytest

from recsys.models.components.unpenalised_dims import unpenalised_dims
from recsys.models.interface.data_size import DataSize


@pytest.mark.parametrize(
    ("users", "items", "dim"),
    [
        (1985, 399, 16),
        (943, 1682, 16),  # MovieLens 100K
        (6040, 3706, 64),  # MovieLens 1M: log2(3706 / 1200) = 1.6
        (6000, 8160, 128),
        (30_000, 40_763, 512),
        (400_000, 900_000, 512),
        (800, 8160, 100),  # an eighth of the users
        (0, 0, 16),
    ],
)
def test_dimensions_grow_with_the_catalogue(users, items, dim):
    assert unpenalised_dims(DataSize(users, items, 1000), most=512) == dim


def test_there_are_never_more_than_the_most():
    assert unpenalised_dims(DataSize(50_000, 40_763, 1000), most=128) == 128
