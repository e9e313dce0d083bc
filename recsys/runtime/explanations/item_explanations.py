"""From contributions of interactions to explanations of recommended items, in the ids of the data.

Shape suffixes: K recommended items, L interactions of a history, I items of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from recsys.errors import ModelError
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation, TimedExplainer
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.explanations.shared_attributes import SharedAttributes
from recsys.runtime.recommendation import Contribution, ItemExplanation

#: Items of the history that are named for each recommended item, at most.
NUM_CONTRIBUTIONS = 3

#: Why a list has no contributions that came after others had taken all the time.
NO_TIME = "The time for explanations was over. Ask for explanations of fewer users at a time."

Explained = tuple[tuple[ItemExplanation, ...], str]


class ItemExplainer:
    """Says which items of the history a recommendation comes from, and what they have in common with it.

    A model whose scores do not depend on the history has no contributions: then it is said how popular an item is, and
    which item of the history has most in common with it.

    Args:
        explainer: splits scores over histories.
        attributes: of the items.
        num_interactions: of each item, shape [I].
        num_known: items that the model knows; later ones have no contributions.
        ids_of: gives the ids of item indices.
    """

    def __init__(
        self,
        explainer: BatchExplainer,
        attributes: SharedAttributes,
        num_interactions: FloatArray | IntArray,
        num_known: int,
        ids_of: Callable[[IntArray], list[str]],
    ) -> None:
        self._explainer = explainer
        self._attributes = attributes
        self._num_interactions = num_interactions
        self._num_known = num_known
        self._ids_of = ids_of

    def explain(
        self, request: RequestBatch, items: IntArray, scores: FloatArray, seconds: float | None = None
    ) -> Explained:
        """Explain items of one request.

        Args:
            request: one.
            items: shape [K], best first.
            scores: that their list shows, shape [K].
            seconds: that contributions may take where more of them are more exact; None: as long as it takes.

        Returns:
            An explanation of each item, and how the contributions were computed.
        """
        known = np.where(items < self._num_known, items, -1)
        history = request.history.items
        try:
            explanation = self._explanation(request, known[None], seconds)
        except ModelError as error:
            method = f"No contributions, but popularity and what is shared with the history: {error}"
            return tuple(self._by_popularity(int(item), history) for item in items), method
        parts = np.nan_to_num(explanation.contributions)
        num_older = int(explanation.num_grouped[0])
        explained = tuple(
            self._by_history(int(item), float(score), history, parts[:, place], num_older)
            for place, (item, score) in enumerate(zip(items, scores, strict=True))
        )
        return explained, _method(explanation)

    def _explanation(self, request: RequestBatch, items: IntArray, seconds: float | None) -> BatchExplanation:
        if seconds is None or not isinstance(self._explainer, TimedExplainer):
            return self._explainer.explain(request, items)
        if seconds <= 0:
            raise ModelError(NO_TIME)
        return self._explainer.explain_within(request, items, seconds)

    def _by_history(
        self, item: int, score: float, history: IntArray, parts: FloatArray, num_older: int
    ) -> ItemExplanation:
        """The items with the largest contributions (``parts``, shape [L]); what an item has twice is added up."""
        totals: dict[int, float] = {}
        for source, part in zip(history[num_older:].tolist(), parts[num_older:].tolist(), strict=True):
            totals[source] = totals.get(source, 0.0) + part
        largest = sorted((source for source in totals if totals[source] > 0), key=lambda source: -totals[source])
        named = [(source, totals[source]) for source in largest[:NUM_CONTRIBUTIONS]]
        older = float(parts[:num_older].sum())
        rest = score - sum(value for _, value in named) - older
        return ItemExplanation(self._contributions(item, named), num_older, older, rest=rest)

    def _by_popularity(self, item: int, history: IntArray) -> ItemExplanation:
        closest = self._attributes.closest(item, history.tolist())
        contributions = () if closest is None else self._contributions(item, [(closest, None)])
        count = int(self._num_interactions[item]) if item < len(self._num_interactions) else 0
        return ItemExplanation(contributions, popularity=count)

    def _contributions(self, item: int, sources: Sequence[tuple[int, float | None]]) -> tuple[Contribution, ...]:
        ids = self._ids_of(np.array([source for source, _ in sources], dtype=np.int64))
        return tuple(
            Contribution(name, value, self._attributes.between(item, source))
            for name, (source, value) in zip(ids, sources, strict=True)
        )


def _method(explanation: BatchExplanation) -> str:
    if explanation.errors is None or not (explanation.errors > 0).any():
        return "Exact: the contributions of the whole history add up to the score."
    num_older = int(explanation.num_grouped[0])
    largest = float(np.nanmax(explanation.errors[num_older:]))
    older = f" The {num_older:,} older interactions were taken as one." if num_older else ""
    return (
        f"Sampled: all contributions add up to the score; the standard error of each is at most {largest:.1g}.{older}"
    )
