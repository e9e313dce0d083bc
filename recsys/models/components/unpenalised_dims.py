"""How many dimensions a factorisation should have that nothing but their number keeps from learning noise."""

from __future__ import annotations

import math

from recsys.models.interface.data_size import DataSize

#: Dimensions of a small catalogue, and the number of items that they are for.
_DIMS, _ITEMS = 16, 1200


def unpenalised_dims(size: DataSize, most: int) -> int:
    """16 for up to some 1,700 items, and twice as many for each doubling, up to an eighth of the users.

    Args:
        size: of the data.
        most: that are ever taken, 16 times a power of 2.

    Example:
        >>> unpenalised_dims(DataSize(6040, 3706, 1_000_209), most=512)  # MovieLens 1M
        64
    """
    doublings = max(0, round(math.log2(max(size.num_items, 1) / _ITEMS)))
    return min(_DIMS * 2**doublings, most, max(_DIMS, size.num_users // 8))
