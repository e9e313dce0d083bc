"""Which list is asked for, and the lists that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ListChoices:
    """What is chosen of a list.

    Args:
        k: its length.
        hides_seen: whether it has nothing that the user knows.
        diversity_weight: 0: as the model has it; 1: as diverse as can be.
        diversity_column: by which it is diverse; None: there is none.
        filters: as requests have them.
    """

    k: int
    hides_seen: bool
    diversity_weight: float
    diversity_column: str | None
    filters: Mapping[str, Any]

    @property
    def is_diverse(self) -> bool:
        """Whether the list is another one than the model's own."""
        return self.diversity_column is not None and self.diversity_weight > 0


def list_request(user_id: str, choices: ListChoices, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The list that a user is shown: with the parts of its scores and all columns of its items."""
    request: dict[str, Any] = {
        "user_id": user_id,
        "k": choices.k,
        "exclude_seen": choices.hides_seen,
        "metadata": [column["name"] for column in columns],
        "explain": True,
        "scenario": "app",
    }
    if choices.filters:
        request["filters"] = dict(choices.filters)
    if choices.is_diverse:
        request["diversity"] = {
            "kind": "mmr",
            "weight": choices.diversity_weight,
            "column": choices.diversity_column,
        }
    return request


def without_diversity(request: Mapping[str, Any]) -> dict[str, Any]:
    """The same list as the model has it; nobody is shown it."""
    return _unshown({name: value for name, value in request.items() if name != "diversity"})


def without_rating(request: Mapping[str, Any], session: Mapping[str, Any], item_id: str) -> dict[str, Any]:
    """The same list for a history without one item, which is not recommended itself; nobody is shown it."""
    return _unshown({**request, "session": session, "exclude_items": [item_id]})


def _unshown(request: Mapping[str, Any]) -> dict[str, Any]:
    return {**request, "explain": False, "log_exposure": False}
