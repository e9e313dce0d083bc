"""The rows of one table: which of them are behind, and how they are caught up.

Shape suffixes: I rows of the table, M rows, D dim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from recsys.models.layers.embedding import RowKeeper
from recsys.training.optimizers.row_rule import WINDOW, RowKernels, RowRule, compiles

#: Rows that are caught up at once when all are.
_BLOCK = 2**14

#: What the operators for some rows cost besides their bytes: in bytes that could be moved in their time.
_OVERHEAD = {"cpu": 2**21, "cuda": 2**29}

#: Tables that are updated whole in each step stay in the processor's cache where all of them have so few bytes
#: together, with their gradients and what the optimiser keeps. Adam, 64 dimensions, one thread of an AVX-512 processor:
#: 0.3 ms for 6,040 rows (6 MB), 8 ms for 27,000 (28 MB), and 0.5 to 1 ms for 1,024 touched rows of either.
_CACHED = 2**24

#: How many times as fast bytes move there.
_CACHE_SPEED = 4


class TableRows(RowKeeper):
    """Keeps the rows of a table; see :class:`recsys.models.layers.embedding.RowKeeper`.

    Rows are counted in bytes: as rows, each goes through memory more often than as one of a whole table, and small
    tables are updated whole.

    Args:
        weight: the table, shape [I, D].
        rule: what the optimiser does to rows.
        state: gives the optimiser's state of the table.
        settings: gives the optimiser's group of the table.
        bytes_of_all: gives :meth:`bytes_whole` of all tables of the network together.
    """

    def __init__(
        self,
        weight: Tensor,
        rule: RowRule,
        state: Callable[[], dict[str, Any]],
        settings: Callable[[], Mapping[str, Any]],
        bytes_of_all: Callable[[], int],
    ) -> None:
        self.weight = weight
        self._rule = rule
        self._state = state
        self._settings = settings
        self._bytes_of_all = bytes_of_all
        self._compiled = compiles(weight)
        self._passes = rule.compiled_passes if self._compiled else rule.row_passes
        self._last = torch.zeros(len(weight), dtype=torch.int32, device=weight.device)
        self._steps: int | None = None  # None: not begun
        self._coefficients: Tensor | None = None
        self._current: tuple[Tensor, int] | None = None
        self._slots: Tensor | None = None

    def by_rows(self, num_ids: int) -> bool:
        """Whether a gradient of so many rows is wanted as rows: where that costs less, and past the first steps."""
        return self.costs_less_as_rows(num_ids) and self._begin() >= self._rule.first_step

    def costs_less_as_rows(self, num_ids: int) -> bool:
        """Whether a gradient of so many rows costs less as rows than as a whole table."""
        num_rows, dim = self.weight.shape
        row = dim * self.weight.element_size()
        overhead = _OVERHEAD.get(self.weight.device.type, _OVERHEAD["cuda"])
        if self._compiled:
            overhead = min(overhead, self._rule.compiled_overhead)
        dense = num_rows * row * self._rule.dense_passes
        if self.weight.device.type == "cpu" and self._bytes_of_all() <= _CACHED:
            dense //= _CACHE_SPEED
        return num_ids * (self._passes * row + 32) + overhead < dense

    def bytes_whole(self) -> int:
        """Bytes of the table with its gradient and what the optimiser keeps: each goes through memory twice."""
        return self.weight.numel() * self.weight.element_size() * self._rule.dense_passes // 2

    @torch.no_grad()
    def catch_up(self, ids: Tensor) -> None:
        """Bring some rows (int64, any shape) to where every step so far would have left them."""
        if not self._steps or self._rule.coefficients() is None:
            return
        if self._current is not None and self._current[0] is ids and self._current[1] == ids._version:
            return
        self._bring(ids.reshape(-1))
        self._current = (ids, ids._version)

    @torch.no_grad()
    def catch_up_all(self) -> None:
        """Bring all rows there, and write into the optimiser's state how many steps there were."""
        if not self._steps:
            return
        if self._rule.coefficients() is not None:
            for ids in torch.arange(len(self.weight), device=self.weight.device).split(_BLOCK):
                self._bring(ids)
        self._rule.end(self._state())
        self.restart()

    def restart(self) -> None:
        """Count from here: every row is current, as the optimiser's state says."""
        if self._steps:
            self._last.zero_()
        self._steps, self._coefficients, self._current = None, None, None

    @torch.no_grad()
    def update(self, grad: Tensor) -> None:
        """Take a step with the gradients of some rows, which have been caught up.

        Args:
            grad: sparse, shape [I, D]; of one dimension in its indices.
        """
        self._begin()
        settings = self._settings()
        self._rule.advance(settings)
        self._steps, self._coefficients, self._current = (self._steps or 0) + 1, None, None
        ids, rows = grad._indices()[0], grad._values()
        if self._kernels is not None:
            self._kernels.update(ids, rows, self._tables, self._last, self._rule.step, self._steps, settings)
        else:
            self._update(ids, rows, settings)
        if self._steps == WINDOW:
            self.catch_up_all()

    @cached_property
    def _kernels(self) -> RowKernels | None:
        """Compiled loops, which take a second to load, and are not needed for small tables."""
        return self._rule.kernels(self.weight)

    def _begin(self) -> int:
        """Count from the optimiser's state, where that is not done yet; returns the steps so far."""
        if self._steps is None:
            state = self._state()
            self._rule.begin(self.weight, state, self._settings())
            self._tables = [self.weight.data, *(state[name] for name in self._rule.kept)]
            self._steps = 0
        return self._rule.step

    def _bring(self, ids: Tensor) -> None:
        """Catch rows up; repeated ids are computed several times, each time from the same row to the same."""
        found = self._coefficients
        if found is None:
            array = self._rule.coefficients()
            assert array is not None
            found = self._coefficients = torch.from_numpy(array).to(self.weight.device, non_blocking=True)
        if self._kernels is not None:
            self._kernels.catch_up(ids, self._tables, self._last, found, self._settings())
            return
        rows = [table.index_select(0, ids) for table in self._tables]
        of_rows = found.index_select(0, self._last.index_select(0, ids).long()).to(self.weight.dtype)
        self._rule.catch_up(rows, of_rows, self._settings())
        for table, new in zip(self._tables, rows, strict=True):
            table.index_copy_(0, ids, new)
        self._last.index_fill_(0, ids, self._steps or 0)

    def _update(self, ids: Tensor, grad: Tensor, settings: Mapping[str, Any]) -> None:
        """Update rows by the sums of their gradients.

        No shape depends on the data, so that nobody waits for the device: a repeated id stands for one of its places,
        whichever was written last, and is computed at each of them, to the same result.
        """
        if self._slots is None:
            self._slots = torch.empty(len(self.weight), dtype=torch.int64, device=ids.device)
        self._slots.index_copy_(0, ids, torch.arange(len(ids), device=ids.device))
        places = self._slots.index_select(0, ids)
        sums = torch.zeros_like(grad).index_add_(0, places, grad).index_select(0, places)
        rows = [table.index_select(0, ids) for table in self._tables]
        self._rule.update(rows, sums, settings)
        for table, new in zip(self._tables, rows, strict=True):
            table.index_copy_(0, ids, new)
        self._last.index_fill_(0, ids, self._steps or 0)
