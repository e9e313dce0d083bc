"""A request for recommendations, in the ids of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from recsys.errors import RequestError
from recsys.retrieval.filtering.filter_language import FilterExpression, parse_filters
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.runtime.checks import request_values
from recsys.runtime.checks.request_times import in_time_order, seconds_of
from recsys.runtime.user_features import FeatureValue


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """One user who asks for a list. Values are checked and frozen when the request is made.

    NumPy's and pandas's numbers, arrays and series are as good as Python's; ids may be whole numbers, which stand for
    their digits.

    Args:
        user_id: None, or an id that the data do not have, for a user of whom only the history is known.
        history: item ids, oldest first; None: what the data have of the user.
        ratings: of the history; None: there are none.
        timestamps: of the history, by the rules of preparation: seconds since 1970, numbers in finer units, or dates;
            None: there are none. A history that is not in their order is put into it.
        user_features: what is known of the user by column, such as ``{"age": 24}``, in place of what the data have: a
            number, a text, or a list of texts where there may be several; None: nothing is known. Columns that are not
            given are as the data have them.
        k: length of the list.
        exclude_items: item ids that must not be in the list.
        filters: which items the list may have, see :mod:`recsys.retrieval.filtering.filter_language`; None: all.
        diversity: a re-ranker (``mmr``, ``calibrated``), or None.
        diversity_weight: of the diversity, from 0 (the list as it is) to 1.
        diversity_column: the item column by which the list is diverse; None: the first multi-valued feature.
        explain: whether the list says which items of the history each recommendation comes from.
        exclude_seen: whether what the user has seen stays out of the list: ``True``, ``False`` or
            ``{"after_days": 30}``, see :class:`recsys.retrieval.seen_policy.SeenPolicy`; None: as the run or the
            bundle has it.
        now: the time of the request, in the forms of ``timestamps``; None: that of the clock. It counts where seen
            items come back after some days.

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
    exclude_seen: SeenPolicy | Mapping[str, float] | bool | None = None
    now: int | float | str | datetime | None = None

    def __post_init__(self) -> None:
        history = None if self.history is None else request_values.ids("history", self.history)
        ratings = _of_history("ratings", self.ratings, history)
        ratings = None if ratings is None else request_values.ratings(ratings)
        given = _of_history("timestamps", self.timestamps, history)
        timestamps = None if given is None else seconds_of("timestamps", given)
        if history is not None and given is not None and timestamps is not None:
            order = in_time_order(given, timestamps)
            if order != list(range(len(order))):
                history, timestamps = tuple(history[place] for place in order), [timestamps[place] for place in order]
                ratings = None if ratings is None else [ratings[place] for place in order]
        excluded = () if self.exclude_items is None else request_values.ids("exclude_items", self.exclude_items)
        checked: dict[str, Any] = {
            "user_id": request_values.id_or_none("user_id", self.user_id),
            "history": history,
            "ratings": None if ratings is None else tuple(ratings),
            "timestamps": None if timestamps is None else tuple(timestamps),
            "user_features": request_values.features("user_features", self.user_features),
            "k": request_values.positive("k", self.k),
            "exclude_items": excluded,
            "filters": parse_filters(self.filters),
            "diversity": request_values.text_or_none("diversity", self.diversity),
            "diversity_weight": request_values.share("diversity_weight", self.diversity_weight),
            "diversity_column": request_values.text_or_none("diversity_column", self.diversity_column),
            "explain": request_values.truth("explain", self.explain),
            "exclude_seen": request_values.seen_policy("exclude_seen", self.exclude_seen),
            "now": None if self.now is None else seconds_of("now", [self.now])[0],
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def restricts(self) -> bool:
        """Whether some items are ruled out by filters or one by one."""
        return bool(self.filters or self.exclude_items)


def _of_history(name: str, values: object, history: tuple[str, ...] | None) -> list[Any] | None:
    """Values, one for each item of the history; None where there are none."""
    if values is None:
        return None
    told = request_values.values_of_list(name, values)
    if history is None or len(told) != len(history):
        items = "no history" if history is None else f"{len(history)} items"
        raise RequestError(f"{name} must be one for each item of the history, but {len(told)} came for {items}.")
    return told
