"""What moved between two lists, and why, by the way to each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.components.list_changes import ListChange, list_changes

REMOVED_WORDS = {
    "seen": "the user knows it",
    "excluded": "the request leaves it out",
    "unavailable": "it is not available",
    "filters": "a filter takes it away",
    "repeated": "it came twice",
    "cut": "there were enough better ones",
}


def moves_table(first: Mapping[str, Any], second: Mapping[str, Any]) -> pd.DataFrame:
    """The items of both lists: their ranks, what happened to each, and why.

    Args:
        first: an answer of the service, with its trace.
        second: likewise.
    """
    rows = [
        [one.title, _rank(one.before), _rank(one.after), one.words, why(one, first, second)]
        for one in list_changes(first["items"], second["items"])
    ]
    return pd.DataFrame(rows, columns=["Item", "First", "Second", "Change", "Why"])


def why(change: ListChange, first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Why an item is where it is: what it is there for, and where it was in the other list."""
    before, after = reason(change.item_id, first), reason(change.item_id, second)
    if change.before is None:
        return _sentence(f"in the first, {place_in(first, change.item_id)}", after)
    if change.after is None:
        return _sentence(f"in the second, {place_in(second, change.item_id)}", before)
    if before == after or not before:
        return _sentence(after)
    return _sentence(after, f"in the first, {before}")


def place_in(answer: Mapping[str, Any], item_id: str) -> str:
    """Where an item that is not in a list was on the way to it."""
    trace = answer["trace"]
    for one in trace["candidates"]:
        if one["item_id"] != item_id:
            continue
        if one["removed_by"] not in (None, "cut"):
            return REMOVED_WORDS.get(one["removed_by"], one["removed_by"])
        place = one["ranker_rank"] or _place_among_allowed(trace, item_id)
        left_out = (
            ", and left out to make the list diverse" if trace["diversity"] and place <= len(answer["items"]) else ""
        )
        return f"it is number {place}{left_out}"
    return f"it is not among the {trace['num_found']:,} that were looked at"


def _place_among_allowed(trace: Mapping[str, Any], item_id: str) -> int:
    allowed = [one["item_id"] for one in trace["candidates"] if one["removed_by"] in (None, "cut")]
    return allowed.index(item_id) + 1


def reason(item_id: str, answer: Mapping[str, Any]) -> str:
    """Why an item is in a list, in a few words; an empty text where nothing is known."""
    for item in answer["items"]:
        if item["item_id"] == item_id:
            explanation = item.get("explanation")
            if explanation and explanation["contributions"]:
                return f"because of {explanation['contributions'][0]['title']}"
            return str(item["reasons"][0]) if item["reasons"] else ""
    return ""


def _sentence(*parts: str) -> str:
    text = "; ".join(part.rstrip(".") for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}." if text else "–"


def _rank(rank: int | None) -> str:
    return "–" if rank is None else str(rank)
