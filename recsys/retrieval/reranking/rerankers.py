"""Re-rankers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from recsys.errors import RetrievalError
from recsys.retrieval.item_columns import ItemColumns, Values
from recsys.retrieval.reranking.calibration import CalibratedReranker
from recsys.retrieval.reranking.mmr import MMR
from recsys.retrieval.reranking.reranker import Reranker

#: By name: what makes a re-ranker out of the values of a column and a weight.
RERANKERS: Mapping[str, Callable[[Values, float], Reranker]] = MappingProxyType(
    {
        "mmr": lambda values, diversity_weight: MMR(values.multi_hot(), diversity_weight),
        "calibrated": CalibratedReranker,
    }
)


def make_reranker(
    name: str | None, diversity_weight: float, columns: ItemColumns, column: str | None
) -> Reranker | None:
    """The re-ranker ``name``; None where the name is None.

    Args:
        name: one of :data:`RERANKERS`, or None.
        diversity_weight: from 0 (the list stays as it is) to 1.
        columns: of the items.
        column: whose values a list is diverse by; None where the items have none.

    Raises:
        RetrievalError: there is no such re-ranker or column, or the weight is out of range.
    """
    if name is None:
        return None
    if name not in RERANKERS:
        raise RetrievalError(f"diversity must be {', '.join(RERANKERS)} or null, but it is {name}. Correct it.")
    if column is None:
        raise RetrievalError(
            "Diversity needs items with several values, such as genres, but these have no such feature. Name another "
            "column, or leave diversity out."
        )
    return RERANKERS[name](columns.values(column), diversity_weight)
