"""A list as it is kept in the cache: all that an answer says but what is of this answer alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson


class MadeItem(NamedTuple):
    """One item of a list; see :class:`recsys_serving.recommending.types.AnsweredItem`."""

    item_id: str
    title: str
    score: float | None
    metadata: dict[str, Any]
    reasons: tuple[str, ...]
    explanation: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class MadeList:
    """A list, best first; see :class:`recsys_serving.recommending.types.RecommendationAnswer`.

    Args:
        items: of the list; more than were asked for where some of them are explored.
        model_version: what answered.
        personalized: whether the list is the user's own.
        notes: what the reader should know.
        unknown_items: ids without effect.
        unknown_values: of the user's features.
        unknown_filter_values: of the query's filters.
        explanation_method: how reasons were computed.
        promoted: ids of the items that stand at a place of their own.
    """

    items: Sequence[MadeItem]
    model_version: str
    personalized: bool
    notes: tuple[str, ...] = ()
    unknown_items: tuple[str, ...] = ()
    unknown_values: tuple[str, ...] = ()
    unknown_filter_values: tuple[str, ...] = ()
    explanation_method: str | None = None
    promoted: tuple[str, ...] = ()

    def encoded(self) -> bytes:
        """The list as compact JSON."""
        return orjson.dumps(
            [
                [list(item) for item in self.items],
                self.model_version,
                self.personalized,
                self.notes,
                self.unknown_items,
                self.unknown_values,
                self.unknown_filter_values,
                self.explanation_method,
                self.promoted,
            ],
            default=str,
        )

    @classmethod
    def decoded(cls, content: bytes) -> MadeList | None:
        """The list of :meth:`encoded`; None where the bytes are none, as after an update of the service."""
        try:
            items, version, personalized, *texts, method, promoted = orjson.loads(content)
            notes, unknown_items, unknown_values, unknown_filter_values = map(tuple, texts)
            made = [
                MadeItem(name, title, score, data, tuple(why), parts) for name, title, score, data, why, parts in items
            ]
        except (orjson.JSONDecodeError, ValueError, TypeError):
            return None
        return cls(
            made,
            version,
            personalized,
            notes,
            unknown_items,
            unknown_values,
            unknown_filter_values,
            method,
            tuple(promoted),
        )
