"""Inverses of Gram matrices with a ridge on their diagonal, in single precision.

Shape suffixes: I items.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.errors import ModelError

#: With a smaller pivot, some weights would have an error of a percent and more.
_MIN_PIVOT = 1e-5


def check_catalogue(num_items: int, max_items: int, num_matrices: int) -> None:
    """Check that a catalogue is small enough for I x I matrices.

    Args:
        num_items: I.
        max_items: largest accepted number of items.
        num_matrices: number of float32 I x I matrices that are held at once, for the message.

    Raises:
        ModelError: there are more items.
    """
    if num_items > max_items:
        gigabytes = matrices_bytes(num_items, num_matrices) / 1e9
        raise ModelError(
            f"This model holds {num_matrices} matrices of items by items, {gigabytes:.1f} GB for these {num_items:,} "
            f"items; model.max_items={max_items} is its limit. Choose a model that holds few weights for each item, or "
            "raise the limit if the memory is there. Of data that do not come split, "
            "preparation.min_item_interactions can leave out rare items."
        )


def matrices_bytes(num_items: int, num_matrices: int) -> int:
    """Bytes of ``num_matrices`` float32 matrices of I x I."""
    return num_matrices * 4 * num_items**2


def regularised_inverse(gram_II: Tensor, ridge: float) -> Tensor:
    """The inverse ``(gram + ridge * identity)^-1``, shape [I, I], float32; overwrites ``gram_II``.

    The matrix is scaled to a unit diagonal before its Cholesky factorisation, and the inverse is scaled back. The
    diagonal differs by orders of magnitude, as the popularity of items does; the scaled matrix is much better
    conditioned, so that single precision is enough.

    Args:
        gram_II: a Gram matrix, float32.
        ridge: added to its diagonal, above 0.

    Raises:
        ModelError: the ridge is too small for an accurate inverse.
    """
    gram_II.diagonal().add_(ridge)
    scale = gram_II.diagonal().rsqrt()
    gram_II.mul_(scale).mul_(scale[:, None]).fill_diagonal_(1)
    factor, failed = torch.linalg.cholesky_ex(gram_II)
    # A pivot is the share of an item that the items before it do not explain; rounding errors of 1e-7 accumulate.
    if failed or factor.diagonal().square().min() < _MIN_PIVOT:
        raise ModelError(
            f"The inverse for {len(gram_II):,} items cannot be computed in single precision with a regularisation of "
            f"{ridge:g}: it is too small for these data. Raise model.l2."
        )
    inverse = torch.cholesky_inverse(factor)
    return inverse.mul_(scale).mul_(scale[:, None])
