"""How the text of ids is read, as the settings of preparation say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from recsys.data.inspection.id_spaces import strip_id_columns, strip_ids
from recsys.data.inspection.null_ids import null_id_columns_as_missing, null_ids_as_missing
from recsys.data.raw import RawDataset

if TYPE_CHECKING:
    from recsys.data.preparing import Preparation


@dataclass(frozen=True, slots=True)
class IdReading:
    """What is done with the text of ids, in this order.

    Args:
        strips_spaces: whether white space around ids is left out.
        reads_null_words: whether ids such as ``NaN`` are missing.
    """

    strips_spaces: bool = False
    reads_null_words: bool = False

    @classmethod
    def of(cls, preparation: Preparation) -> IdReading:
        """What the settings say."""
        return cls(preparation.strip_ids, preparation.null_ids == "missing")

    def ids_of(self, raw: RawDataset) -> RawDataset:
        """The data with ids read so, in all tables."""
        raw = strip_ids(raw) if self.strips_spaces else raw
        return null_ids_as_missing(raw) if self.reads_null_words else raw

    def columns_of(self, interactions: pa.Table) -> pa.Table:
        """Interactions, or a batch of them, with ids read so."""
        interactions = strip_id_columns(interactions) if self.strips_spaces else interactions
        return null_id_columns_as_missing(interactions) if self.reads_null_words else interactions
