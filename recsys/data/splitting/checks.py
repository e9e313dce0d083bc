"""Checks of the arguments and the interactions of a splitter; each raises a SplitError."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.errors import SplitError


def require_integer(name: str, value: Any, minimum: int) -> None:
    """Check that ``value`` is a whole number of at least ``minimum``.

    Raises:
        SplitError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < minimum:
        raise SplitError(f"{name} must be a whole number of at least {minimum}; got {value!r}. Set split.{name}.")


def require_seed(seed: Any) -> None:
    """Check that ``seed`` is a whole number that is not negative.

    Raises:
        SplitError: it is not.
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or int(seed) < 0:
        raise SplitError(f"seed must be a whole number of at least 0; got {seed!r}. Set seed.")


def require_ratio(name: str, value: Any, *, zero_allowed: bool = False) -> None:
    """Check that ``value`` is a number in (0, 1), or in [0, 1) if ``zero_allowed``.

    Raises:
        SplitError: it is not, or is NaN.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not (0 < float(value) < 1 or (zero_allowed and float(value) == 0)):
        lower = "of at least 0" if zero_allowed else "above 0"
        raise SplitError(f"{name} must be a number {lower} and below 1; got {value!r}. Set split.{name}.")


def require_room_for_training(test_ratio: float, valid_ratio: float) -> None:
    """Check that the held-out shares leave something for training.

    Raises:
        SplitError: they add up to 1 or more.
    """
    if test_ratio + valid_ratio >= 1:
        raise SplitError(
            f"test_ratio + valid_ratio must be below 1, so that training keeps a share; got {test_ratio} + "
            f"{valid_ratio}. Lower split.test_ratio or split.valid_ratio."
        )


def require_one_of(first: str, first_value: object, second: str, second_value: object) -> None:
    """Check that exactly one of two arguments that exclude each other is given.

    Raises:
        SplitError: both are given, or neither.
    """
    if (first_value is None) == (second_value is None):
        came = "neither" if first_value is None else f"{first}={first_value} and {second}={second_value}"
        raise SplitError(
            f"exactly one of {first} and {second} must be given; got {came}. Set split.{first}=null or "
            f"split.{second}=null, and a value for the other."
        )


def require_interactions(interactions: Interactions) -> None:
    """Check that there is at least one interaction.

    Raises:
        SplitError: there are no interactions.
    """
    if len(interactions) == 0:
        raise SplitError(
            "a split needs at least one interaction; got none. Check the rating threshold and the filters that the "
            "data were prepared with."
        )


def require_timestamps(interactions: Interactions, strategy: str, instead: str) -> npt.NDArray[np.int64]:
    """The timestamps of ``interactions``, shape [N], int64.

    Args:
        interactions: what is to be split.
        strategy: class name of the splitter, for the message.
        instead: a setting that needs no timestamps, for the message.

    Raises:
        SplitError: the interactions have no timestamps.
    """
    if interactions.timestamp is None:
        raise SplitError(
            f"{strategy} needs timestamps; these interactions have none. Give data with a timestamp column, or use "
            f"{instead}."
        )
    return interactions.timestamp


def require_parts(split: Split, strategy: str, *, wants_valid: bool, remedy: str, no_valid: str) -> Split:
    """``split`` itself, after checking that each requested part has a row.

    Args:
        split: the result of the strategy.
        strategy: class name of the splitter, for the message.
        wants_valid: whether validation was requested.
        remedy: what to do if training, validation or test is empty, for the message.
        no_valid: the setting that turns validation off, for the message.

    Raises:
        SplitError: training or test is empty, or validation is empty although it was requested.
    """
    rows = {"training": len(split.train), "validation": len(split.valid), "test": len(split.test)}
    required = ("training", "test", "validation") if wants_valid else ("training", "test")
    missing = [part for part in required if rows[part] == 0]
    if missing:
        came = ", ".join(f"{part} {count}" for part, count in rows.items())
        ask_for_less = f", or set {no_valid} for none" if missing == ["validation"] else ""
        raise SplitError(
            f"{strategy} must leave interactions for {' and '.join(missing)}; it would give {came}. "
            f"{remedy}{ask_for_less}."
        )
    return split
