"""Batches as slices of a permutation of tensors that already live on the training device.

No worker processes and no copies: an epoch is one permutation, and a batch is a slice of it. The permutation depends
only on the seed and the epoch, so that a resumed run goes on exactly where the interrupted one would have gone on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor


def epoch_generator(seed: int, epoch: int, stream: int, device: torch.device) -> torch.Generator:
    """A generator on ``device`` that depends on nothing but its arguments.

    Args:
        seed: seed of the run.
        epoch: epoch from zero.
        stream: tells apart the uses of randomness within an epoch (and the processes that train together).
        device: device of the generator.
    """
    mixed = torch.Generator().manual_seed(((seed * 1_000_003 + epoch) * 1_000_003 + stream) % 2**63)
    return torch.Generator(device).manual_seed(int(torch.randint(2**62, (1,), generator=mixed)))


class PermutationBatches:
    """Iterates over slices of a permutation of some columns, a new permutation each epoch.

    Args:
        columns: tensors of one length on one device; a slice is a tuple with a part of each.
        slice_size: rows of a slice; the last one of an epoch is shorter.
        seed: seed of the permutations.
        epoch: gives the current epoch.
        rank: which share of each slice this process takes.
        num_processes: how many processes share each slice.
    """

    def __init__(
        self,
        columns: tuple[Tensor, ...],
        slice_size: int,
        seed: int,
        epoch: Callable[[], int],
        rank: int = 0,
        num_processes: int = 1,
    ) -> None:
        self.columns = columns
        self.slice_size = slice_size
        self._seed = seed
        self._epoch = epoch
        self._rank = rank
        self._num_processes = num_processes

    def __len__(self) -> int:
        return -(-len(self.columns[0]) // self.slice_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        device = self.columns[0].device
        generator = epoch_generator(self._seed, self._epoch(), 0, device)
        order = torch.randperm(len(self.columns[0]), generator=generator, device=device)
        for rows in order.split(self.slice_size):
            # Every process must take the same number of steps: a slice too small to share is left to all of them.
            share = rows[self._rank :: self._num_processes] if len(rows) >= self._num_processes else rows
            yield tuple(column[share] for column in self.columns)


class OrderedBatches:
    """Iterates over slices of one tensor in its order.

    Args:
        column: the tensor.
        batch_size: length of a slice; the last one is shorter.
        rank: which share of the batches this process takes.
        num_processes: how many processes share the batches.
    """

    def __init__(self, column: Tensor, batch_size: int, rank: int = 0, num_processes: int = 1) -> None:
        self._batches = column.split(batch_size)[rank::num_processes]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._batches)
