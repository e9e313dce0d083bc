"""What ranks give to each other; alone, each of these returns what it was given.

All ranks call them in the same order. The bytes that this rank has given are counted in :data:`traffic`.

Shape suffixes: M rows of one rank, S rows of all ranks together.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed

from recsys.distributed.ranks import ranks


class Traffic:
    """Counts the bytes that this rank has given to collectives."""

    def __init__(self) -> None:
        self.bytes = 0

    def give(self, tensor: Tensor) -> None:
        """Count a tensor."""
        self.bytes += tensor.numel() * tensor.element_size()


traffic = Traffic()


def sum_over_ranks(tensor: Tensor) -> None:
    """Add up ``tensor`` over all ranks, in place; all ranks get the same bits."""
    if ranks().size > 1:
        traffic.give(tensor)
        distributed.all_reduce(tensor)


def from_main(tensor: Tensor) -> None:
    """Overwrite ``tensor``, which is contiguous, with that of rank 0."""
    from_rank(tensor, 0)


def from_rank(tensor: Tensor, rank: int) -> None:
    """Overwrite ``tensor``, which is contiguous, with that of a rank."""
    if ranks().size > 1:
        if ranks().rank == rank:
            traffic.give(tensor)
        distributed.broadcast(tensor, rank)


def object_from_main(value: Any) -> Any:
    """What rank 0 has given; it is pickled, so nothing of a user's data belongs here."""
    if ranks().size == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, 0, device=torch.device("cpu"))
    return values[0]


def counts_of_ranks(counts: Sequence[int]) -> list[list[int]]:
    """The ``counts`` of each rank, which are as many on all."""
    if ranks().size == 1:
        return [list(counts)]
    own = torch.tensor(counts, dtype=torch.int64)  # on the host: no device is waited for
    every = [torch.empty_like(own) for _ in range(ranks().size)]
    traffic.give(own)
    distributed.all_gather(every, own)
    return [of_rank.tolist() for of_rank in every]


def rows_of_ranks(rows: Tensor, counts: Sequence[int] | None = None) -> Tensor:
    """The rows of all ranks, those of rank 0 first.

    Args:
        rows: shape [M, ...]; ranks may have different numbers of them.
        counts: how many each rank has; None: they are asked.

    Returns:
        Shape [S, ...].
    """
    if ranks().size == 1:
        return rows
    if counts is None:
        counts = [of_rank[0] for of_rank in counts_of_ranks([len(rows)])]
    longest = max(counts)
    # Collectives take rows of one length.
    own = rows.contiguous() if len(rows) == longest else rows.new_zeros(longest, *rows.shape[1:])
    if len(rows) < longest:
        own[: len(rows)] = rows
    traffic.give(own)
    gathered = own.new_empty(ranks().size * longest, *own.shape[1:])
    distributed.all_gather(list(gathered.split(longest)) if longest else [own] * ranks().size, own)
    if min(counts) == longest:
        return gathered
    return torch.cat([gathered[rank * longest : rank * longest + count] for rank, count in enumerate(counts)])


def same_on_ranks(tensors: Iterable[Tensor]) -> bool:
    """Whether all ranks have the same bits in ``tensors``."""
    if ranks().size == 1:
        return True
    check = 0
    for tensor in tensors:
        flat = tensor.detach().cpu().contiguous().view(-1)
        check = zlib.crc32(flat.view(torch.uint8).numpy(), check)  # type: ignore[arg-type]  # it is a buffer
    first, *others = counts_of_ranks([check])
    return all(other == first for other in others)


def wait_for_ranks() -> None:
    """Go on when all ranks have come here."""
    counts_of_ranks([0])
