"""The index of an external id and the id of an index, by arrays alone: processes can map them from one file.

A dictionary takes some 150 bytes for each id, in every process. Here an id takes its text, four bytes for where that
begins and eight for finding it: checksums (CRC-32) in ascending order, with the index that each belongs to. Ids with
the checksum that is looked for are compared as text, so that equal checksums of different ids cost time and no more.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.interactions import IndexArray, IntArray

_ID, _CHECKSUM, _PLACE = "id", "checksum", "index"
_SCHEMA = pa.schema([(_ID, pa.string()), (_CHECKSUM, pa.uint32()), (_PLACE, pa.int32())])

#: Up to so many ids are looked up one by one, which has less to prepare.
_FEW = 24

#: Ids whose checksums are computed at once: their texts are objects meanwhile.
_BLOCK = 1 << 16

ChecksumArray = npt.NDArray[np.uint32]


class IdIndex:
    """Ids at the positions that are their indices, and where to find each.

    Args:
        ids: N distinct ids in any order, without nulls.
        checksums: of all ids, ascending, shape [N], uint32.
        places: the index of the id that each checksum is of, shape [N], int32.

    Example:
        >>> index = IdIndex.of(["7", "10", "007"])
        >>> index.index_of("10"), index.index_of("70"), index.ids_of(np.array([2]))
        (1, -1, ['007'])
    """

    def __init__(self, ids: pa.StringArray, checksums: ChecksumArray, places: IndexArray) -> None:
        assert len(ids) == len(checksums) == len(places)
        self._ids = ids.cast(pa.binary())
        self._checksums, self._places = checksums, places
        # Views, of which a number is read in a fifth of the time that an array takes.
        self._sums, self._indices = checksums.data, places.data
        starts, texts = self._ids.buffers()[1:] if len(ids) else (None, None)
        first = self._ids.offset
        self._starts = memoryview(starts or b"").cast("i")[first : first + len(ids) + 1]
        self._texts = memoryview(texts or b"").cast("B")

    @classmethod
    def of(cls, ids: pa.StringArray | Sequence[str]) -> IdIndex:
        """The index of N distinct ids at the positions that are their indices."""
        array = ids if isinstance(ids, pa.Array) else pa.array(ids, pa.string())
        checksums = np.empty(len(array), dtype=np.uint32)
        texts = array.cast(pa.binary())
        for start in range(0, len(array), _BLOCK):
            block = texts[start : start + _BLOCK].to_pylist()
            checksums[start : start + len(block)] = np.fromiter(map(crc32, block), np.uint32, len(block))
        places = np.argsort(checksums, kind="stable").astype(np.int32)
        return cls(array, checksums[places], places)

    def __len__(self) -> int:
        return len(self._ids)

    def index_of(self, identifier: str) -> int:
        """The index of an id; -1 for one that is not there."""
        return self._find(_text(identifier))

    def indices_of(self, ids: Sequence[str]) -> IntArray:
        """Indices of M ids, shape [M], int64; -1 for those that are not there."""
        texts = [_text(identifier) for identifier in ids]
        if len(texts) <= _FEW:
            return np.fromiter(map(self._find, texts), dtype=np.int64, count=len(texts))
        found = np.full(len(texts), -1, dtype=np.int64)
        wanted = np.fromiter(map(crc32, texts), np.uint32, len(texts))
        place, missing, asked = np.searchsorted(self._checksums, wanted), np.arange(len(texts)), pa.array(texts)
        while True:  # once, and again for those before whose checksum there is an equal one of another id
            at = place[missing]
            there = at < len(self)
            there[there] = self._checksums[at[there]] == wanted[missing[there]]
            missing = missing[there]
            if len(missing) == 0:
                return found
            index = self._places[place[missing]]
            equal = pc.equal(self._ids.take(pa.array(index)), asked.take(pa.array(missing)))
            same = equal.to_numpy(zero_copy_only=False)
            found[missing[same]] = index[same]
            missing = missing[~same]
            place[missing] += 1

    def ids_of(self, indices: IntArray) -> list[str]:
        """The ids at ``indices`` (each in ``[0, len(self))``), in that order."""
        starts, texts = self._starts, self._texts
        return [str(texts[starts[index] : starts[index + 1]], "utf-8") for index in indices.tolist()]

    def save(self, path: Path) -> None:
        """Write a file that :meth:`map` reads: Arrow, uncompressed and in one piece."""
        columns = [self._ids.cast(pa.string()), pa.array(self._checksums), pa.array(self._places)]
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            writer.write_batch(pa.record_batch(columns, schema=_SCHEMA))

    @classmethod
    def map(cls, path: Path) -> IdIndex:
        """What :meth:`save` wrote, mapped: it belongs to the page cache, which processes share.

        Raises:
            ValueError: it is no such file, or damaged; pyarrow's own errors are among these.
            OSError: it cannot be read.
        """
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            if not reader.schema.equals(_SCHEMA) or reader.num_record_batches != 1:
                raise ValueError(f"columns {_SCHEMA.names} in one piece are required, but it has {reader.schema.names}")
            batch = reader.get_batch(0)
        batch.validate(full=True)
        ids, checksums, places = batch.columns
        if any(column.null_count for column in batch.columns):
            raise ValueError("there are missing values")
        index = cls(ids, checksums.to_numpy(), places.to_numpy())
        if len(ids) and not (0 <= index._places.min() and index._places.max() < len(ids)):
            raise ValueError("an index is beyond the ids")
        return index

    def _find(self, text: bytes) -> int:
        checksum, sums, starts = crc32(text), self._sums, self._starts
        at = bisect_left(sums, checksum)
        while at < len(sums) and sums[at] == checksum:
            index = self._indices[at]
            if self._texts[starts[index] : starts[index + 1]] == text:
                return index
            at += 1
        return -1


def _text(identifier: str) -> bytes:
    """The bytes of an id; those of one that is no valid text are those of no id."""
    return identifier.encode("utf-8", "surrogatepass")
