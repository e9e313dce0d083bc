"""Batches as slices of a permutation of tensors that already live on the training device.

No worker processes and no copies: an epoch is one permutation, and a batch is a slice of it. The permutation depends
only on the seed and the epoch, so that a resumed run goes on exactly where the interrupted one would have gone on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

#: Positions of so many rows fit into int32.
_INT32_ROWS = 2**31 - 1


def epoch_generator(seed: int, epoch: int, stream: int, device: torch.device) -> torch.Generator:
    """A generator on ``device`` that depends on nothing but its arguments.

    Args:
        seed: seed of the run.
        epoch: epoch from zero.
        stream: tells apart the uses of randomness within an epoch.
        device: device of the generator.
    """
    mixed = torch.Generator().manual_seed(((seed * 1_000_003 + epoch) * 1_000_003 + stream) % 2**63)
    return torch.Generator(device).manual_seed(int(torch.randint(2**62, (1,), generator=mixed)))


class PermutationBatches:
    """Iterates over slices of a permutation of some columns, a new permutation each epoch.

    With weights an epoch has as many rows, drawn in proportion to their weights: each row once for every whole time
    that it is due, and once more with the probability of the rest (systematic sampling).

    Args:
        columns: tensors of one length on one device; a slice is a tuple with a part of each.
        slice_size: rows of a slice; the last one of an epoch is shorter.
        seed: seed of the permutations.
        epoch: gives the current epoch.
        weights: how often each row is drawn beside the others, above 0; None for once each.
    """

    def __init__(
        self,
        columns: tuple[Tensor, ...],
        slice_size: int,
        seed: int,
        epoch: Callable[[], int],
        weights: Tensor | None = None,
    ) -> None:
        self.columns = columns
        self._due = None if weights is None else weights.double().cumsum(0)
        self.slice_size = slice_size
        self._seed = seed
        self._epoch = epoch

    @property
    def num_rows(self) -> int:
        """Rows of an epoch."""
        return len(self.columns[0])

    def __len__(self) -> int:
        return -(-self.num_rows // self.slice_size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        device = self.columns[0].device
        generator = epoch_generator(self._seed, self._epoch(), 0, device)
        dtype = torch.int32 if self.num_rows <= _INT32_ROWS else torch.int64
        order = torch.randperm(self.num_rows, generator=generator, device=device, dtype=dtype)
        drawn = None if self._due is None else self._drawn(self._due, generator).to(dtype)
        for rows in order.split(self.slice_size):
            places = rows if drawn is None else drawn.index_select(0, rows)
            # Of all the ways to gather elements index_select is by far the fastest on the CPU.
            yield tuple(column.index_select(0, places) for column in self.columns)

    @staticmethod
    def _drawn(due: Tensor, generator: torch.Generator) -> Tensor:
        """As many rows as there are, each in proportion to its weight; ``due`` are the weights added up."""
        start = torch.rand(1, generator=generator, device=due.device, dtype=torch.float64)
        places = (torch.arange(len(due), device=due.device) + start) * (due[-1] / len(due))
        return torch.searchsorted(due, places, right=True).clamp(max=len(due) - 1)


class HostBatches(PermutationBatches):
    """The same over one column of the host, in slices that are arrays: what is prepared there waits for no device."""

    def __iter__(self) -> Iterator[npt.NDArray[np.int64]]:  # type: ignore[override]
        for (rows,) in super().__iter__():
            yield rows.numpy()


class OrderedPlaces:
    """Iterates over slices of a range, in order; a class, since Lightning takes a list for several loaders.

    Args:
        num_rows: length of the range.
        slice_size: length of a slice; the last one is shorter.
    """

    def __init__(self, num_rows: int, slice_size: int) -> None:
        self._slices = [slice(start, min(start + slice_size, num_rows)) for start in range(0, num_rows, slice_size)]

    def __len__(self) -> int:
        return len(self._slices)

    def __iter__(self) -> Iterator[slice]:
        return iter(self._slices)
