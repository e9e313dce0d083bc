"""The way to a list in numbers: its stages, what was taken away, and what became of each candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.components.comparing.moves import REMOVED_WORDS
from app.components.stage_words import stage_words


def stages_table(trace: Mapping[str, Any]) -> pd.DataFrame:
    """The stages in their order, with the milliseconds of each."""
    rows = [
        [
            stage_words(one["stage"]),
            "model" if one["within"] else "service",
            round(one["milliseconds"], 3),
        ]
        for one in trace["stages"]
    ]
    return pd.DataFrame(rows, columns=["Stage", "Part of", "Milliseconds"])


def funnel_table(trace: Mapping[str, Any], length: int) -> pd.DataFrame:
    """How many candidates each step left.

    Args:
        trace: of the list.
        length: of the list.
    """
    left = int(trace["num_found"])
    rows: list[list[Any]] = [[f"Found by {trace['retriever']}", "", left]]
    for name, count in trace["num_removed"].items():
        left -= count
        words = REMOVED_WORDS.get(name, name)
        rows.append([f"Taken away: {words}", f"−{count:,}", left])
    if trace["ranker"]:
        rows.append([f"Ranked by {trace['ranker']}", "", left])
    if trace["diversity"]:
        diversity = trace["diversity"]
        by = f" by {diversity['column']}" if diversity["column"] else ""
        rows.append([f"Made diverse{by} ({diversity['kind']}, weight {diversity['weight']:g})", "", left])
    rows.append(["In the list", "", length])
    return pd.DataFrame(rows, columns=["Step", "Taken away", "Left"])


def candidates_table(trace: Mapping[str, Any]) -> pd.DataFrame:
    """Each candidate, in the order in which they were found; columns that say nothing are left out."""
    rows = [
        [place, one["title"], _became(one), one["score"], one["ranker_score"], one["ranker_rank"]]
        for place, one in enumerate(trace["candidates"], start=1)
    ]
    table = pd.DataFrame(rows, columns=["Found", "Item", "What became of it", "Score", "Ranker's score", "Ranked"])
    return table if trace["ranker"] else table.drop(columns=["Ranker's score", "Ranked"])


def _became(candidate: Mapping[str, Any]) -> str:
    if candidate["removed_by"] is not None:
        return REMOVED_WORDS.get(candidate["removed_by"], candidate["removed_by"])
    return "not chosen" if candidate["rank"] is None else f"rank {candidate['rank']}"
