"""Who gets lists, and what the lists may have: the requests of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys.api.ids import as_text, listed
from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID
from recsys.errors import RequestError
from recsys.runtime.request import RecommendationRequest


@dataclass(frozen=True, slots=True)
class Audience:
    """Users who get a list each.

    Args:
        labels: what the user gave for each, as the column ``user_id`` has it again.
        user_ids: the ids as text; None for users of whom only the history is told.
        histories: what is told of each, by the names of a request's arguments; None: what the data have.
    """

    labels: pd.Series
    user_ids: Sequence[str | None]
    histories: Sequence[Mapping[str, Any]] | None = None

    def __len__(self) -> int:
        return len(self.user_ids)

    def request(self, place: int, options: Mapping[str, Any]) -> RecommendationRequest:
        """The request of the user at a position."""
        told = {} if self.histories is None else self.histories[place]
        return RecommendationRequest(user_id=self.user_ids[place], **told, **options)


def users_by_id(users: Any, column: str = USER_ID) -> Audience:
    """Users of the data by their ids.

    Args:
        users: an id, or ids as a list, an array, a series, a column, or a table with a column of ids.
        column: its name.

    Raises:
        RequestError: they are no ids.
    """
    if hasattr(users, "columns") and not isinstance(users, pd.Series):
        users = _column(users, column)
    values = listed(users, "users")
    labels = users if isinstance(users, pd.Series) else pd.Series(users if _is_typed(users) else values)
    return Audience(labels.reset_index(drop=True), as_text(values, "users"))


def users_by_history(histories: Any) -> Audience:
    """Users of whom only a history is told.

    Args:
        histories: item ids of each user, oldest first: a list of lists, a mapping from user to list, or a table with
            the columns ``user_id`` and ``item_id`` and perhaps ``rating`` and ``timestamp``.

    Raises:
        RequestError: they are none of these.
    """
    if hasattr(histories, "columns"):
        return _from_table(histories)
    if isinstance(histories, Mapping):
        names, lists = list(histories), list(histories.values())
    elif isinstance(histories, str | bytes) or not hasattr(histories, "__iter__"):
        raise RequestError(f"histories must be a list of item ids for each user, but they are {histories!r}.")
    else:
        lists = list(histories)
        names = list(range(len(lists)))
    if any(isinstance(one, str | int | float) for one in lists):
        raise RequestError(
            "histories must have a list of item ids for each user, such as [['50', '172'], ['1']]; a single id came. "
            "For one user write histories=[[...]]."
        )
    told = [{"history": as_text(one, f"The history of user {name}")} for name, one in zip(names, lists, strict=True)]
    return Audience(pd.Series(names), [None] * len(lists), told)


def _from_table(table: Any) -> Audience:
    users = listed(_column(table, USER_ID), USER_ID)
    items = as_text(_column(table, ITEM_ID), ITEM_ID)
    names = list(table.columns) if not hasattr(table, "column_names") else list(table.column_names)
    more = {
        argument: listed(_column(table, name), name)
        for argument, name in (("ratings", RATING), ("timestamps", TIMESTAMP))
        if name in names
    }
    rows: dict[Any, list[int]] = {}
    for row, user in enumerate(users):
        rows.setdefault(user, []).append(row)
    told: list[dict[str, Any]] = [
        {
            "history": [items[row] for row in own],
            **{name: [values[row] for row in own] for name, values in more.items()},
        }
        for own in rows.values()
    ]
    return Audience(pd.Series(list(rows)), [None] * len(rows), told)


def _column(table: Any, name: str) -> Any:
    names = list(getattr(table, "column_names", table.columns))
    if name not in names:
        raise RequestError(f"A column {name!r} is required, but the table has {', '.join(map(repr, names))}.")
    return table[name]


def _is_typed(values: Any) -> bool:
    """Whether the values have a type of their own, which their column keeps."""
    typed = isinstance(values, pd.Index | pd.api.extensions.ExtensionArray | np.ndarray)
    return typed and getattr(values, "ndim", 0) == 1
