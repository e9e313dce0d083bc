"""Solves symmetric positive definite systems with additions and multiplications alone, a fixed number of them.

ONNX has neither a Cholesky factorisation nor a solver.

Shape suffixes: D dim, R right sides of each system; systems may have any number of dimensions before theirs.
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

    A positive definite system needs no exchange of rows. Each step makes the first row the last one and leaves out the
    first column, so that the pivot is always at the same place.

    Args:
        systems: shape [..., D, D].
        right: shape [..., D], or [..., D, R].

    Returns:
        The shape of ``right``.
    """
    single = right.dim() < systems.dim()
    rows = torch.cat([systems, right[..., None] if single else right], dim=-1)
    dim = systems.shape[-1]
    for _ in range(dim):
        first, others = rows[..., :1], rows[..., 1:]
        pivot, factors = first.split([1, dim - 1], dim=-2)
        top, below = others.split([1, dim - 1], dim=-2)
        top = top / pivot
        rows = torch.cat([below - factors * top, top], dim=-2)
    return rows.squeeze(-1) if single else rows


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
        right: shape [B, D], or [B, D, R].
        diagonal: close to the systems, above zero, shape [B, D].
        num_steps: see :func:`steps_of_conjugate_gradients`.

    Returns:
        The shape of ``right``.
    """
    scales = diagonal.rsqrt()[:, :, None]
    systems = scales * systems * scales.transpose(1, 2)
    single = right.dim() < systems.dim()
    residual = scales * (right[:, :, None] if single else right)  # [B, D, R]
    solution, direction = torch.zeros_like(residual), residual
    length = residual.square().sum(1, keepdim=True)
    for step in range(num_steps):
        image = systems @ direction
        pace = length / (direction * image).sum(1, keepdim=True).clamp(min=_TINY)
        solution = solution + pace * direction
        if step + 1 < num_steps:
            residual = residual - pace * image
            last, length = length, residual.square().sum(1, keepdim=True)
            direction = residual + length / last.clamp(min=_TINY) * direction
    solution = scales * solution
    return solution.squeeze(2) if single else solution
