"""What a user has done, as pages need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Items of a session that the service takes, at most.
MAX_SESSION = 500


def latest_by_item(interactions: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The latest interaction with each item; the order stays, the latest first."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in interactions:
        found.setdefault(one["item_id"], one)
    return list(found.values())


def session_without(interactions: Sequence[Mapping[str, Any]], item_id: str) -> dict[str, Any]:
    """A history as if one item had never been there, as a request has it: the oldest first.

    Args:
        interactions: the latest first.
        item_id: of the one that is left out.
    """
    kept = [one for one in latest_by_item(interactions) if one["item_id"] != item_id][:MAX_SESSION]
    history = []
    for one in reversed(kept):
        told = {"item_id": one["item_id"], "timestamp": one["occurred_at"]}
        if one["value"] is not None:
            told["value"] = one["value"]
        history.append(told)
    return {"history": history}
