"""Solves symmetric positive definite systems with additions and multiplications alone, a fixed number of them.

ONNX has neither a Cholesky factorisation nor a solver.

Shape suffixes: D dim; systems may have any number of dimensions before theirs.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Keeps the step of a system that is already solved at zero instead of 0 / 0.
_TINY = 1e-30
#: What is left of the error of conjugate gradients: rounding in single precision is not better.
_TOLERANCE = 1e-6


def eliminated(systems: Tensor, right: Tensor) -> Tensor:
    """Solve by Gauss-Jordan elimination: D steps of ``D^2`` multiplications that follow each other.

    A positive definite system needs no exchange of rows.

    Args:
        systems: shape [..., D, D].
        right: shape [..., D].

    Returns:
        Shape [..., D].
    """
    rows = torch.cat([systems, right[..., None]], dim=-1)
    dim = systems.shape[-1]
    for place in range(dim):
        # What lies to the left of the diagonal is not looked at again.
        pivot = rows[..., place : place + 1, :1]
        scaled = rows[..., place : place + 1, 1:] / pivot
        others = rows[..., 1:] - rows[..., :1] * scaled
        is_pivot = torch.arange(dim, device=rows.device)[:, None] == place
        rows = torch.where(is_pivot, scaled, others)
    return rows.squeeze(-1)


def steps_of_conjugate_gradients(condition: float) -> int:
    """Steps after which the error of conjugate gradients is a millionth of that at the start.

    After k steps at most ``2 ((sqrt(c) - 1) / (sqrt(c) + 1))^k`` is left, in the norm of the system: Saad, Iterative
    Methods for Sparse Linear Systems (2003), section 6.11.

    Args:
        condition: bound on the condition number c of the preconditioned systems.
    """
    root = math.sqrt(condition)
    return 1 if root == 1 else math.ceil(math.log(2 / _TOLERANCE) / math.log((root + 1) / (root - 1)))


def conjugate_gradients(systems: Tensor, right: Tensor, diagonal: Tensor, num_steps: int) -> Tensor:
    """Solve by conjugate gradients that are preconditioned by a diagonal.

    Args:
        systems: shape [B, D, D].
        right: shape [B, D].
        diagonal: close to the systems, above zero, shape [B, D].
        num_steps: see :func:`steps_of_conjugate_gradients`.

    Returns:
        Shape [B, D].
    """
    solution, residual = torch.zeros_like(right), right
    direction = residual / diagonal
    closeness = (residual * direction).sum(1, keepdim=True)
    for step in range(num_steps):
        image = (systems @ direction[:, :, None]).squeeze(2)
        length = closeness / (direction * image).sum(1, keepdim=True).clamp(min=_TINY)
        solution = solution + length * direction
        if step + 1 < num_steps:
            residual = residual - length * image
            scaled = residual / diagonal
            last, closeness = closeness, (residual * scaled).sum(1, keepdim=True)
            direction = scaled + closeness / last.clamp(min=_TINY) * direction
    return solution
