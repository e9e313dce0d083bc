"""Bodies of traces: the way to a list."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from recsys_serving.api.schemas.base import ResponseBody


class StageResponse(ResponseBody):
    """A stage that ran."""

    stage: str
    milliseconds: float
    within: str | None = Field(description="The stage that it is a part of; null: of none.")


class CandidateResponse(ResponseBody):
    """What became of a candidate."""

    item_id: str
    title: str
    score: float | None = Field(description="By what found it.")
    removed_by: Literal["seen", "excluded", "unavailable", "filters", "repeated", "cut"] | None = Field(
        description="seen: the user knows it; excluded: the request names it; unavailable: it is switched off, or the "
        "bundle's own filters do not allow it; filters: those of the request do not; repeated: it came before; cut: "
        "there were enough better ones; null: it was kept."
    )
    ranker_score: float | None = Field(description="Null without a ranker, or where it does not score the item.")
    ranker_rank: int | None = Field(description="Place among the candidates that were kept, from 1.")
    rank: int | None = Field(description="In the list; null: it is not in it.")


class TraceResponse(ResponseBody):
    """The way to a list, which was made for it: no cache was asked."""

    stages: list[StageResponse] = Field(description="In the order in which they ran.")
    retriever: str = Field(description="Model that found the candidates; popularity: they are what is popular.")
    ranker: str | None = Field(description="Model that ordered them; null: there is none.")
    diversity: dict[str, Any] | None = Field(description="kind, weight and column; null: the list was left as it is.")
    num_found: int
    num_removed: dict[str, int] = Field(description="Candidates that were taken away, by what.")
    num_ranked: int = Field(description="Candidates that were left to order and to choose from.")
    candidates: list[CandidateResponse] = Field(description="In the order in which they were found.")
    num_left_out: int = Field(description="Candidates that are not told.")
