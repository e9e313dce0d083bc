"""Inverses of Gram matrices with a ridge on their diagonal, in single precision and in place.

Shape suffixes: I items.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.distributed.ranks import ranks
from recsys.errors import ModelError
from recsys.models.linalg.device_memory import free_memory

#: With a smaller pivot, some weights would have an error of a percent and more.
_MIN_PIVOT = 1e-5


def check_catalogue(
    num_items: int, max_items: int | None, num_matrices: float, device: torch.device | str = "cpu"
) -> None:
    """Check that I x I matrices fit the free memory: on the host those of all ranks of this machine.

    Args:
        num_items: I.
        max_items: largest accepted number of items; None: as many as the memory holds.
        num_matrices: float32 I x I matrices that are about to be held at once.
        device: whose memory they take.

    Raises:
        ModelError: there are more items, or less memory is free. Where nobody tells what is free, nothing is checked.
    """
    if max_items is not None and num_items > max_items:
        raise ModelError(
            f"This model accepts {max_items:,} items at most (model.max_items={max_items}), but there are "
            f"{num_items:,}. Raise the limit, or leave it out: null accepts what the memory holds."
        )
    on_host, processes = torch.device(device).type == "cpu", ranks().local_size
    needed = matrices_bytes(num_items, num_matrices) * (processes if on_host else 1)
    free = free_memory(torch.device(device))
    if free is not None and needed > free:
        in_all = f" in {processes} processes" if on_host and processes > 1 else ""
        raise ModelError(
            f"This model holds matrices of items by items, {needed / 1e9:.1f} GB for these {num_items:,} items"
            f"{in_all}, but {free / 1e9:.1f} GB are free on {device}. Choose a model that holds few weights for each "
            "item, such as item_knn, or a machine with more memory. Of data that do not come split, "
            "preparation.min_item_interactions can leave out rare items."
        )


def matrices_bytes(num_items: int, num_matrices: float) -> int:
    """Bytes of ``num_matrices`` float32 matrices of I x I."""
    return int(num_matrices * 4 * num_items**2)


def regularised_inverse(gram_II: Tensor, ridge: float) -> Tensor:
    """Invert ``gram + ridge * identity`` in place; returns ``gram_II``, which holds the inverse, float32.

    The matrix is scaled to a unit diagonal before its Cholesky factorisation, and the inverse is scaled back. The
    diagonal differs by orders of magnitude, as the popularity of items does; the scaled matrix is much better
    conditioned, so that single precision is enough.

    On the CPU the factor and the inverse take the place of the matrix (LAPACK's ``potrf`` and ``potri``), and a tenth
    of a matrix is held beside it at most. On a GPU the inverse takes one more matrix.

    Args:
        gram_II: a Gram matrix, float32, contiguous.
        ridge: added to its diagonal, above 0.

    Raises:
        ModelError: the ridge is too small for an accurate inverse; ``gram_II`` is then not defined.
    """
    gram_II.diagonal().add_(ridge)
    scale = gram_II.diagonal().rsqrt()
    gram_II.mul_(scale).mul_(scale[:, None]).fill_diagonal_(1)
    # LAPACK stores columns one after the other. The matrix is symmetric, so that its transposed view is the same one.
    by_columns = gram_II.mT
    failed = torch.empty(0, dtype=torch.int32, device=gram_II.device)
    torch.linalg.cholesky_ex(by_columns, out=(by_columns, failed))
    # A pivot is the share of an item that the items before it do not explain; rounding errors of 1e-7 accumulate.
    if bool(failed) or gram_II.diagonal().square().min() < _MIN_PIVOT:
        raise ModelError(
            f"The inverse for {len(gram_II):,} items cannot be computed in single precision with a regularisation of "
            f"{ridge:g}: it is too small for these data. Raise model.l2."
        )
    torch.cholesky_inverse(by_columns, out=by_columns)
    return gram_II.mul_(scale).mul_(scale[:, None])
