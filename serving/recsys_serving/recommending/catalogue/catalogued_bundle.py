"""A bundle whose items may be switched off and on again while it is served."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.runtime.bundle import ITEMS, Bundle

#: The column that says whether an item may be recommended now. It is in memory alone.
AVAILABLE = "recsys_available"

_ONLY_AVAILABLE = {AVAILABLE: {"none_of": [False]}}


class CataloguedBundle(Bundle):
    """A bundle with a column :data:`AVAILABLE`, and a filter of every list that asks for it.

    An item that is removed from a catalogue cannot come back; one that is not available can.
    """

    @classmethod
    def open(cls, directory: Path | str, verify: bool = True) -> CataloguedBundle:
        """Open a bundle; see :meth:`recsys.runtime.bundle.Bundle.open`."""
        bundle = Bundle.open(directory, verify)
        own = bundle.manifest.filters
        filters = {"and": [own, _ONLY_AVAILABLE]} if own else _ONLY_AVAILABLE
        return cls(bundle.directory, replace(bundle.manifest, filters=filters), bundle.fingerprint)

    @cached_property
    def items(self) -> pa.Table:
        """Titles and columns, a row for each item index, and whether each may be recommended."""
        table = pq.read_table(self.directory / ITEMS)
        return table.append_column(AVAILABLE, pa.array(np.ones(len(table), dtype=np.bool_)))
