"""A request for recommendations, in the ids of the data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from recsys.errors import RequestError
from recsys.retrieval.filter_language import FilterExpression, parse_filters
from recsys.runtime.user_features import FeatureValue

#: The range of a timestamp.
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """One user who asks for a list. Values are checked and frozen when the request is made.

    Args:
        user_id: None, or an id that the data do not have, for a user of whom only the history is known.
        history: item ids, oldest first; None: what the data have of the user.
        ratings: of the history; None: there are none.
        timestamps: of the history, seconds since 1970; None: there are none.
        user_features: what is known of the user by column, such as ``{"age": 24}``, in place of what the data have: a
            number, a text, or a list of texts where there may be several; None: nothing is known. Columns that are not
            given are as the data have them.
        k: length of the list.
        exclude_items: item ids that must not be in the list.
        filters: which items the list may have, see :mod:`recsys.retrieval.filter_language`; None: all.
        diversity: a re-ranker (``mmr``, ``calibrated``), or None.
        diversity_weight: of the diversity, from 0 (the list as it is) to 1.
        diversity_column: the item column by which the list is diverse; None: the first multi-valued feature.
        explain: whether the list says which items of the history each recommendation comes from.

    Raises:
        RequestError: a value is of another type, length or range than it should be.
    """

    user_id: str | None = None
    history: Sequence[str] | None = None
    ratings: Sequence[float] | None = None
    timestamps: Sequence[int] | None = None
    user_features: Mapping[str, FeatureValue] = field(default_factory=dict, hash=False)
    k: int = 10
    exclude_items: Sequence[str] = ()
    filters: FilterExpression | Mapping[str, Any] | None = None
    diversity: str | None = None
    diversity_weight: float = 0.3
    diversity_column: str | None = None
    explain: bool = False

    def __post_init__(self) -> None:
        history = None if self.history is None else _ids("history", self.history)
        checked: dict[str, Any] = {
            "user_id": _text_or_none("user_id", self.user_id),
            "history": history,
            "ratings": _of_history("ratings", self.ratings, _rating, history),
            "timestamps": _of_history("timestamps", self.timestamps, _timestamp, history),
            "user_features": _features(self.user_features),
            "k": _positive("k", self.k),
            "exclude_items": () if self.exclude_items is None else _ids("exclude_items", self.exclude_items),
            "filters": parse_filters(self.filters),
            "diversity": _text_or_none("diversity", self.diversity),
            "diversity_weight": _share("diversity_weight", self.diversity_weight),
            "diversity_column": _text_or_none("diversity_column", self.diversity_column),
        }
        if not isinstance(self.explain, bool):
            raise RequestError(f"explain must be true or false, but it is {self.explain!r}.")
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def restricts(self) -> bool:
        """Whether some items are ruled out by filters or one by one."""
        return bool(self.filters or self.exclude_items)


def _of_history(
    name: str, values: object, check: Callable[[object], Any], history: tuple[str, ...] | None
) -> tuple[Any, ...] | None:
    """Checked values, one for each item of the history; None where there are none."""
    if values is None:
        return None
    checked = tuple(check(value) for value in _listed(name, values))
    if history is None or len(checked) != len(history):
        items = "no history" if history is None else f"{len(history)} items"
        raise RequestError(f"{name} must be one for each item of the history, but {len(checked)} came for {items}.")
    return checked


def _text_or_none(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        advice = " Ids are compared as text." if name == "user_id" else ""
        raise RequestError(f"{name} must be text, but it is {value!r}.{advice}")
    return value


def _positive(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise RequestError(f"{name} must be a whole number of at least 1, but it is {value!r}.")
    return int(value)


def _share(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise RequestError(f"{name} must be a number from 0 to 1, but it is {value!r}.")
    return float(value)


def _listed(name: str, values: object) -> list[Any]:
    """The values of a list, an array or a series."""
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__") or not hasattr(values, "__len__"):
        raise RequestError(f"{name} must be a list, but it is {values!r}.")
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return plain if isinstance(plain, list) else [plain]


def _ids(name: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__") or not hasattr(values, "__len__"):
        raise RequestError(f"{name} must be a list of item ids as text, but it is {values!r}.")
    ids = tuple(_listed(name, values))
    if not all(isinstance(value, str) for value in ids):
        raise RequestError(f"{name} must be a list of item ids as text, but it is {values!r}.")
    return ids


def _rating(value: object) -> float:
    if isinstance(value, Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise RequestError(f"Ratings must be numbers, but {value!r} came.")


def _timestamp(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not -_INT64 < int(value) < _INT64:
        raise RequestError(f"Timestamps must be whole seconds since 1970, but {value!r} came.")
    return int(value)


def _features(features: object) -> Mapping[str, FeatureValue]:
    if not isinstance(features, Mapping) or not all(isinstance(name, str) for name in features):
        raise RequestError(
            f"user_features must be columns with their values, such as {{'age': 24}}, but they are {features!r}."
        )
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in features.items()}
    return MappingProxyType(frozen)
