"""Checks the dimensions that a network is asked to have."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.errors import ModelError


def check_dims(**dims: int | Sequence[int]) -> None:
    """Refuse dimensions below one, and empty lists of them.

    Raises:
        ModelError: one of ``dims`` is not positive.
    """
    for name, value in dims.items():
        values = [value] if isinstance(value, int) else list(value)
        if not values or min(values) < 1:
            raise ModelError(f"model.{name} must be at least 1, but it is {value}. Correct it.")
