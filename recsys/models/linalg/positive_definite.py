"""Solutions of many small positive definite systems.

Shape suffixes: G systems, D unknowns of each.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recsys.errors import ModelError


def solve_one_by_one(systems: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As :meth:`PositiveDefiniteSolver.solve`, on the CPU, and a number above zero if one is not positive definite."""
    from scipy.linalg import get_lapack_funcs  # a command that solves nothing does without

    posv = get_lapack_funcs("posv", (systems.numpy(),))
    solved = torch.empty_like(right)
    most = 0
    for place, matrix, side in zip(solved.numpy(), systems.numpy(), right.numpy(), strict=True):
        # The transposed view is stored by columns, as LAPACK wants it; its lower triangle is the upper one here.
        _, found, failed = posv(matrix.T, side, lower=1, overwrite_a=1)
        place[:] = found if failed == 0 else np.nan
        most = max(most, failed)
    return solved, systems, torch.tensor(most)


def solve_batched(systems: Tensor, right: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same on any device, all at once."""
    lower, failed = torch.linalg.cholesky_ex(systems)
    solved = torch.cholesky_solve(right[..., None], lower).squeeze(2)
    return solved.masked_fill_((failed > 0)[:, None], torch.nan), lower.mT, failed.amax()


#: By the type of the device; of others a batch is solved at once.
SOLVERS = {"cpu": solve_one_by_one}


class PositiveDefiniteSolver:
    """Solves batches of positive definite systems by Cholesky factorisation; tells at the end whether all were that.

    On the CPU each system is factorised in place and solved in one call of LAPACK's ``posv``, that of SciPy: half the
    time of PyTorch's, where that is MKL on a processor that is not Intel's. On a GPU a batch is one batched
    factorisation, and nothing waits for it: what has no solution is NaN, and :meth:`check` tells.
    """

    def __init__(self) -> None:
        self._failed: list[Tensor] = []

    def solve(self, systems: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Solve a batch.

        Args:
            systems: symmetric matrices, shape [G, D, D], contiguous; overwritten on the CPU.
            right: right-hand sides, shape [G, D].

        Returns:
            The solutions, shape [G, D]; and factors whose upper triangles ``U`` have ``U^T U = system``, shape
            [G, D, D]. What is below their diagonal is not defined.
        """
        solved, factors, failed = SOLVERS.get(systems.device.type, solve_batched)(systems, right)
        self._failed.append(failed)
        return solved, factors

    def check(self) -> None:
        """Require that all systems since the last check were positive definite; waits for the device once.

        Raises:
            ModelError: one was not.
        """
        failed, self._failed = self._failed, []
        if failed and int(torch.stack(failed).max()) > 0:
            raise ModelError(
                "The least-squares problem of a user or item has no single solution in single precision. Raise the "
                "regularisation, such as model.l2."
            )
