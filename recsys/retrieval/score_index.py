"""An index for models that score the whole catalogue. Shape suffixes: B queries, I items, C candidates."""

from __future__ import annotations

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import FloatArray


class ScoreIndex:
    """Takes a query for what it is where a model has scored every item: the row of scores.

    So that models with vectors and models without them are served alike. Ties go to the lower item index.

    Args:
        num_items: I.

    Raises:
        RetrievalError: ``num_items`` is not positive.
    """

    exact = True

    def __init__(self, num_items: int) -> None:
        if num_items < 1:
            raise RetrievalError(f"An index of scores needs a catalogue of 1 item or more, but it has {num_items}.")
        self._num_items = num_items

    @property
    def num_items(self) -> int:
        """I."""
        return self._num_items

    def search(self, queries: FloatArray, num_candidates: int) -> Candidates:
        """The items with the highest scores.

        Args:
            queries: the scores, shape [B, I]; an item with NaN or minus infinity is not found.
            num_candidates: C, at least 1; may exceed I.

        Returns:
            Candidates of width C.

        Raises:
            RetrievalError: the rows have another number of scores than the catalogue has items.
        """
        if queries.ndim != 2 or queries.shape[1] != self._num_items:
            raise RetrievalError(
                f"Scores of shape [queries, {self._num_items}] are required, one for each item, but they have the "
                f"shape {list(queries.shape)}. Score the catalogue that the index is of."
            )
        return top_k(queries, num_candidates)
