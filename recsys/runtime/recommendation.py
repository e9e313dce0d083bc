"""What answers a request: a list of recommendations, or of similar items; and the protocol of whoever gives it.

The same types come from a model in PyTorch, from a bundle in process and from a model server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from recsys.runtime.request import RecommendationRequest

#: What similarity is measured by: the model, or the features of the items.
SimilarityKind = Literal["model", "content"]


@dataclass(frozen=True, slots=True)
class SharedAttribute:
    """One thing that two items have in common.

    Args:
        text: in words, such as ``Drama``, ``"star" in the title`` or ``the 1990s``.
        weight: how much it says: the logarithm of the number of items for each that has it.
    """

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """An item of the history that a recommendation comes from.

    Args:
        item_id: of the history.
        value: its contribution to the score; None where the model does not split its score.
        shared: what it has in common with the recommended item, the rarest first.
    """

    item_id: str
    value: float | None
    shared: tuple[SharedAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemExplanation:
    """Why one item is recommended.

    Args:
        contributions: the items of the history that contribute most, largest first; those below zero are left out.
        num_older: number of the oldest interactions, which were taken as one.
        older_value: their contribution together; 0 where there are none.
        popularity: interactions of the recommended item, where the score does not come from the history; else None.
        rest: what else the score consists of: further items of the history, and what does not come from it. With the
            contributions and ``older_value`` it adds up to the score that the list shows; None where the model does not
            split its score.
    """

    contributions: tuple[Contribution, ...]
    num_older: int = 0
    older_value: float = 0.0
    popularity: int | None = None
    rest: float | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list for one request.

    Args:
        item_ids: best first; k of them, if as many are allowed.
        scores: of the items.
        personalized: whether the list is the user's own; else it is what is popular, and the scores are numbers of
            interactions, or those of a model that has one list for everyone.
        model_version: name of the run or bundle, or version of the served model, that answered.
        notes: what the user should know of the list, in sentences.
        unknown_items: ids of the history and of ``exclude_items`` that the data do not have; they had no effect.
        unknown_values: of the user's features, as ``column: value``; they had no effect either.
        unknown_filter_values: of the request's filters, likewise: values that no item has.
        explanations: of each item, where they were asked for and the list is personalized; else None.
        explanation_method: how the contributions were computed and how exact they are, in a sentence; None without.
    """

    item_ids: list[str]
    scores: list[float]
    personalized: bool
    model_version: str
    notes: tuple[str, ...] = ()
    unknown_items: tuple[str, ...] = ()
    unknown_values: tuple[str, ...] = ()
    unknown_filter_values: tuple[str, ...] = ()
    explanations: tuple[ItemExplanation, ...] | None = None
    explanation_method: str | None = None


@dataclass(frozen=True, slots=True)
class SimilarItems:
    """The items that are most like one.

    Args:
        item_id: the one.
        item_ids: the most similar first; fewer than asked for where no others are like it.
        similarities: of these, above zero.
        measure: what the similarities are, in words; why there are none, where nothing measures them.
    """

    item_id: str
    item_ids: list[str]
    similarities: list[float]
    measure: str


@runtime_checkable
class Recommender(Protocol):
    """Answers requests: a model in PyTorch, a bundle in process, or a model server."""

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """A list for each request, in their order; each is what its request alone would get.

        Raises:
            RecsysError: a request names what does not exist, or a value is out of range.
        """
        ...

    def recommend_one(self, request: RecommendationRequest) -> Recommendation:
        """A list for one request."""
        ...

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """The ``k`` items that are most like each of ``item_ids``, by the model or by content.

        Raises:
            RecsysError: an item does not exist, or ``k`` is not positive.
        """
        ...
