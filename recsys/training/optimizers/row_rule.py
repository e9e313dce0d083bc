"""What an optimiser does to the rows of a table, and how steps without a gradient are caught up.

Shape suffixes: I rows of a table, M rows, D dim, S steps since all rows were current, C coefficients.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

#: Steps after which all rows are caught up, so that what is remembered of the steps stays small.
WINDOW = 1024

FloatArray = npt.NDArray[np.float64]


class RowKernels(ABC):
    """A rule as compiled loops over whole tables."""

    @abstractmethod
    def catch_up(
        self, ids: Tensor, tables: Sequence[Tensor], last: Tensor, coefficients: Tensor, settings: Mapping[str, Any]
    ) -> None:
        """Bring the rows ``ids`` of whole tables up to the last coefficient, and say so in ``last``.

        Args:
            ids: shape [M], int64; repeated ones count once.
            tables: weights and what is kept beside them, shape [I, D] each.
            last: the number of steps after which each row was current, shape [I], int32.
            coefficients: shape [S + 1, C], float64.
            settings: the optimiser's group.
        """

    @abstractmethod
    def update(
        self,
        ids: Tensor,
        grad: Tensor,
        tables: Sequence[Tensor],
        last: Tensor,
        step: int,
        steps: int,
        settings: Mapping[str, Any],
    ) -> None:
        """Update the rows ``ids``, which are current, by the sums of their gradients.

        Args:
            ids: shape [M], int64; gradients of repeated ones add up.
            grad: shape [M, D].
            tables: weights and what is kept beside them, shape [I, D] each.
            last: see :meth:`catch_up`; receives ``steps`` for the rows, where some can be behind.
            step: of the optimiser, from 1.
            steps: those since all rows were current, with this one.
            settings: the optimiser's group.
        """


class RowRule(ABC):
    """The arithmetic of one optimiser for one table."""

    #: Names of the tensors that the optimiser keeps for each row, beside the weights themselves.
    kept: tuple[str, ...]

    #: How many times the bytes of a row go through memory when it is one of a whole table that is updated.
    dense_passes: int

    #: The same when it is one of the rows that a step has touched, and operators of PyTorch update it.
    row_passes: int

    #: The same when compiled loops update it.
    compiled_passes: int

    #: What compiled loops cost besides bytes: in bytes that could be moved in their time.
    compiled_overhead: int = 2**21

    #: Steps at the beginning of a training that update all rows.
    first_step: int

    #: Steps of the optimiser so far.
    step: int

    @abstractmethod
    def kernels(self, weight: Tensor) -> RowKernels | None:
        """The rule as compiled loops, where there are some for the table."""

    @abstractmethod
    def begin(self, weight: Tensor, state: dict[str, Any], settings: Mapping[str, Any]) -> None:
        """Make what is missing in the optimiser's state of a table, and count steps from there.

        Args:
            weight: the table, all of whose rows are current.
            state: as PyTorch's optimiser of the same name keeps it.
            settings: the optimiser's group.
        """

    @abstractmethod
    def end(self, state: dict[str, Any]) -> None:
        """Write into the state how many steps there were."""

    @abstractmethod
    def advance(self, settings: Mapping[str, Any]) -> None:
        """Take note of a further step.

        Args:
            settings: of the step: the learning rate of now and the rest of the optimiser's group.
        """

    @abstractmethod
    def coefficients(self) -> FloatArray | None:
        """How to catch a row up, by the number of steps, 0 to S, after which it was current; shape [S + 1, C].

        None: rows without a gradient stay as they are.
        """

    @abstractmethod
    def catch_up(self, rows: Sequence[Tensor], coefficients: Tensor, settings: Mapping[str, Any]) -> None:
        """Bring rows to where steps without a gradient leave them, in place.

        Args:
            rows: weights and what is kept beside them, shape [M, D] each.
            coefficients: of each row, shape [M, C], in the precision of the rows.
            settings: the optimiser's group.
        """

    @abstractmethod
    def update(self, rows: Sequence[Tensor], grad: Tensor, settings: Mapping[str, Any]) -> None:
        """Take the step that :meth:`advance` was told of, in place.

        Args:
            rows: weights and what is kept beside them, shape [M, D] each.
            grad: the gradients, shape [M, D].
            settings: the optimiser's group.
        """


def number(value: Any) -> float:
    """A setting of an optimiser, which may be a tensor, as a number."""
    return float(value.item()) if isinstance(value, torch.Tensor) else float(value)


def compiles(weight: Tensor) -> bool:
    """Whether compiled loops can update a table: on the CPU, in single or double precision, where Numba is."""
    plain = weight.device.type == "cpu" and weight.dtype in (torch.float32, torch.float64) and weight.is_contiguous()
    return plain and find_spec("numba") is not None
