"""The stages of a list in words."""

from __future__ import annotations

#: What each stage does, in the order in which they come.
STAGE_WORDS = {
    "state": "Read the user's history",
    "sync": "Take over what is new",
    "assignment": "Find the variant",
    "plan": "Check the request",
    "cache": "Look into the cache",
    "model": "Ask the model, all in all",
    "retrieve": "Find candidates",
    "filter": "Take away what may not come",
    "rank": "Rank",
    "diversify": "Make diverse",
    "explain": "Explain",
    "cache_write": "Write into the cache",
    "assembly": "Put the answer together",
    "exposure": "Note that it is shown",
}


def stage_words(stage: str) -> str:
    """What a stage does; its name where that is not known."""
    return STAGE_WORDS.get(stage, stage)
