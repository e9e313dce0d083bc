"""Re-rankers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from recsys.errors import RetrievalError
from recsys.retrieval.calibration import Calibrated
from recsys.retrieval.reranker import Diversifier
from recsys.retrieval.item_columns import ItemColumns, Values
from recsys.retrieval.mmr import MMR

#: By name: what makes a re-ranker out of the values of a column and a strength.
RE_RANKERS: Mapping[str, Callable[[Values, float], Diversifier]] = MappingProxyType(
    {"mmr": lambda values, strength: MMR(values.multi_hot(), strength), "calibrated": Calibrated}
)


def re_ranker(name: str | None, strength: float, columns: ItemColumns, column: str | None) -> Diversifier | None:
    """The re-ranker ``name``; None where the name is None.

    Args:
        name: one of :data:`RE_RANKERS`, or None.
        strength: from 0 (the list stays as it is) to 1.
        columns: of the items.
        column: whose values a list is diverse by; None where the items have none.

    Raises:
        RetrievalError: there is no such re-ranker or column, or the strength is out of range.
    """
    if name is None:
        return None
    if name not in RE_RANKERS:
        raise RetrievalError(f"diversity must be {', '.join(RE_RANKERS)} or null, but it is {name}. Correct it.")
    if column is None:
        raise RetrievalError(
            "Diversity needs items with several values, such as genres, but these have no such feature. Name another "
            "column, or leave diversity out."
        )
    return RE_RANKERS[name](columns.values(column), strength)
