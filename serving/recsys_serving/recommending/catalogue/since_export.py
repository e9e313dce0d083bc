"""How the items of an open bundle differ from those that its export had, which a model server still has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from recsys.data.columns import TITLE
from recsys.retrieval.types import BoolArray
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.request import RecommendationRequest
from recsys_serving.recommending.catalogue.catalogued_bundle import AVAILABLE


@dataclass(frozen=True, slots=True)
class SinceExport:
    """What is new about the items since they were exported.

    Args:
        has_more: whether an item may be listed now that could not be then.
        columns: with other values than then.
        described: columns by which explanations say what items share.
    """

    has_more: bool
    columns: frozenset[str]
    described: frozenset[str]

    @classmethod
    def between(cls, table: pa.Table, available: BoolArray, now: CatalogueState) -> SinceExport:
        """Compare a catalogue with what it was.

        Args:
            table: of the items, I rows, as they were.
            available: whether each could be listed, shape [I].
            now: the catalogue as it is, with at least I items.
        """
        size = len(available)
        has_more = bool(now.available[size:].any() or np.any(now.available[:size] & ~available))
        same = {name for name in table.column_names if _is_same(table, now.table, name, size)}
        described = frozenset({TITLE, *(column.name for column in now.features)})
        return cls(has_more, frozenset(now.table.column_names) - same - {AVAILABLE}, described)

    def changes(self, request: RecommendationRequest, content_column: str | None) -> bool:
        """Whether a request may get another list than it would have got of the items as they were exported.

        Items that are gone do not count: whoever asks a server of the export leaves them out of its list.

        Args:
            request: that is made.
            content_column: by which lists are diverse where a request names no column.
        """
        if self.has_more:
            return True
        read = set() if request.filters is None else set(request.filters.columns)  # type: ignore[union-attr]
        if request.diversity is not None:
            read |= {request.diversity_column or content_column or ""}
        if request.explain:
            read |= self.described
        return not self.columns.isdisjoint(read)


def _is_same(before: pa.Table, now: pa.Table, name: str, size: int) -> bool:
    return name in now.column_names and bool(now.column(name).slice(0, size).equals(before.column(name)))
