"""Inverses of Gram matrices with a ridge on their diagonal, in single precision.

Shape suffixes: I items.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.errors import ModelError

#: Below, some weights would have an error of a percent and more.
_MIN_PIVOT = 1e-5


def check_catalogue(num_items: int, max_items: int, num_matrices: int) -> None:
    """Refuse a catalogue for which I x I matrices would take more memory than was allowed.

    Args:
        num_items: I.
        max_items: the largest number that is accepted.
        num_matrices: I x I matrices of 4 bytes a number that are held at once, for the message.

    Raises:
        ModelError: there are more items.
    """
    if num_items > max_items:
        gigabytes = num_matrices * 4 * num_items**2 / 1e9
        raise ModelError(
            f"This model holds {num_matrices} matrices of items by items, {gigabytes:.1f} GB for these {num_items:,} "
            f"items; model.max_items={max_items} is its limit. Raise it if the memory is there, leave out rare items "
            "with preparation.min_item_interactions, or choose a model that holds few weights for each item."
        )


def regularised_inverse(gram_II: Tensor, ridge: float) -> Tensor:
    """``(gram + ridge)^-1``, shape [I, I], float32; overwrites ``gram_II``.

    The matrix is scaled to a diagonal of ones before its Cholesky factorisation and the inverse is scaled back. Items
    differ in popularity by orders of magnitude, and so do the diagonal's entries; the scaled matrix is much better
    conditioned, and single precision is enough.

    Args:
        gram_II: a Gram matrix, float32.
        ridge: added to its diagonal, above 0.

    Raises:
        ModelError: the ridge is so small beside the matrix that the inverse would not be exact.
    """
    gram_II.diagonal().add_(ridge)
    scale = gram_II.diagonal().rsqrt()
    gram_II.mul_(scale).mul_(scale[:, None]).fill_diagonal_(1)
    factor, failed = torch.linalg.cholesky_ex(gram_II)
    # A pivot is the share of an item that those before it do not explain; rounding errors of 1e-7 add up over items.
    if failed or factor.diagonal().square().min() < _MIN_PIVOT:
        raise ModelError(
            f"The inverse for {len(gram_II):,} items cannot be computed in single precision with a regularisation of "
            f"{ridge:g}: it is too small for these data. Raise model.l2."
        )
    inverse = torch.cholesky_inverse(factor)
    return inverse.mul_(scale).mul_(scale[:, None])
