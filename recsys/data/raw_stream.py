"""Raw data whose interactions come in batches, so that they are never in memory at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from recsys.data.raw import RawDataset, RawSource

#: Rows of a batch.
BATCH_ROWS = 1 << 20

#: Begins to read anew; gives the same rows in the same order each time.
Batches = Callable[[], Iterable[pa.Table]]


@dataclass(frozen=True, slots=True)
class RawStream:
    """Raw data with a stream of interactions.

    Args:
        rest: everything else; its interactions are a table with the columns and types of the batches, and no rows.
        batches: of all interactions.
        num_bytes: about the size of the interactions as text, which says how finely they are to be divided.
        parts: the same rows in parts that can be read by themselves, in their order: those of each file, say. They can
            be sent to another process. Empty where they can only be read from the beginning to the end.
        is_local: whether they are in files of this machine that other machines do not have.
    """

    rest: RawDataset
    batches: Batches
    num_bytes: int
    parts: Sequence[Batches] = ()
    is_local: bool = False

    @classmethod
    def of(cls, raw: RawDataset, batch_rows: int = BATCH_ROWS) -> RawStream:
        """A stream of data that are in memory."""
        table = raw.interactions
        parts = [_SlicedTable(table.slice(start, batch_rows)) for start in range(0, len(table), batch_rows)]
        rest = replace(raw, interactions=table.slice(0, 0))
        return cls(rest, InTurn(tuple(parts)), table.nbytes, parts)

    def with_sources(self, sources: tuple[RawSource, ...], *notes: str) -> RawStream:
        """The stream with the records of what was read, and ``notes`` before its own."""
        return replace(self, rest=replace(self.rest, sources=sources, notes=(*notes, *self.rest.notes)))

    def divided(self, num_parts: int) -> list[Batches]:
        """All rows in at most as many parts, each of neighbours."""
        if num_parts < 2 or len(self.parts) < 2:
            return [self.batches]
        num_parts = min(num_parts, len(self.parts))
        bounds = [part * len(self.parts) // num_parts for part in range(num_parts + 1)]
        return [InTurn(tuple(self.parts[start:end])) for start, end in zip(bounds[:-1], bounds[1:], strict=True)]


@dataclass(frozen=True, slots=True)
class InTurn:
    """The batches of several parts, one part after the other."""

    parts: tuple[Batches, ...]

    def __call__(self) -> Iterator[pa.Table]:
        """Begin to read."""
        for part in self.parts:
            yield from part()


@dataclass(frozen=True, slots=True)
class _SlicedTable:
    table: pa.Table

    def __call__(self) -> Iterator[pa.Table]:
        yield self.table


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
