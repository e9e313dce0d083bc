"""Checks of the dimensions of networks."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.errors import ModelError


def check_dims(**dims: int | Sequence[int]) -> None:
    """Check that dimensions are at least one.

    Args:
        **dims: a dimension, or a list of them, by the name of the setting.

    Raises:
        ModelError: a dimension is below one, or a list is empty.
    """
    for name, value in dims.items():
        values = [value] if isinstance(value, int) else list(value)
        if not values or min(values) < 1:
            raise ModelError(f"model.{name} must be at least 1, but it is {value}. Correct it.")
