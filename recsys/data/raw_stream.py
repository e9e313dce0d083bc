"""Raw data whose interactions come in batches, so that they are never in memory at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from recsys.data.raw import RawDataset

#: Rows of a batch.
BATCH_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class RawStream:
    """Raw data with a stream of interactions.

    Args:
        rest: everything else; its interactions are a table with the columns and types of the batches, and no rows.
        batches: begins to read anew; gives the same rows in the same order each time.
        num_bytes: about the size of the interactions as text, which says how finely they are to be divided.
    """

    rest: RawDataset
    batches: Callable[[], Iterable[pa.Table]]
    num_bytes: int

    @classmethod
    def of(cls, raw: RawDataset, batch_rows: int = BATCH_ROWS) -> RawStream:
        """A stream of data that are in memory."""
        table = raw.interactions

        def batches() -> Iterator[pa.Table]:
            for start in range(0, len(table), batch_rows):
                yield table.slice(start, batch_rows)

        return cls(replace(raw, interactions=table.slice(0, 0)), batches, table.nbytes)


class StreamingReader(ABC):
    """A :class:`recsys.data.raw.Reader` that can give its interactions in batches."""

    @abstractmethod
    def num_bytes(self) -> int:
        """About the size of the interactions as text, without reading them.

        Raises:
            SourceError: a file is not there.
        """

    @abstractmethod
    def stream(self) -> RawStream | str:
        """The raw data as a stream; or the reason why they must be read at once, as a clause.

        Raises:
            SourceError: the files could not be found, fetched or trusted.
            DataError: the files do not have the required columns or types.
        """
