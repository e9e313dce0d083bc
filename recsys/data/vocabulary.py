"""Vocabularies map external ids (text) to internal indices and back.

Ids are compared as text, code point by code point: ``"007"`` is not ``"7"``, and nothing is trimmed, folded or
normalised. In data that are prepared as a whole, indices follow the Unicode order of the ids, so that they do not
depend on the order of the rows. Ids that are added later get the next indices: an index never moves.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.data.columns import ITEM_ID, ITEM_INDEX, USER_ID, USER_INDEX
from recsys.data.interactions import IndexArray
from recsys.errors import DataError, PreparedDataError

_INDEX_COLUMN = {USER_ID: USER_INDEX, ITEM_ID: ITEM_INDEX}

#: Ids that are compared with an unknown one to find near matches, at most; bounds the time of an error message.
_MAX_COMPARED = 20_000


class Vocabulary:
    """The ids of all users, or of all items, at the positions that are their indices.

    Args:
        ids: distinct ids, without nulls.
        id_column: :data:`~recsys.data.columns.USER_ID` or :data:`~recsys.data.columns.ITEM_ID`.

    Example:
        >>> vocabulary = Vocabulary.from_ids(pa.array(["7", "10", "007", "7"]), "user_id")
        >>> vocabulary.ids.to_pylist()
        ['007', '10', '7']
        >>> vocabulary.index_of(["7", "70"]).tolist()
        [2, -1]
    """

    def __init__(self, ids: pa.StringArray, id_column: str) -> None:
        assert id_column in _INDEX_COLUMN
        self.ids = ids
        self.id_column = id_column

    @classmethod
    def from_ids(cls, ids: pa.Array | pa.ChunkedArray, id_column: str) -> Vocabulary:
        """The vocabulary of the distinct values of ``ids`` (strings); nulls are left out."""
        distinct = pc.unique(ids).cast(pa.string()).drop_null()
        # Arrow compares strings by their UTF-8 bytes, and that is the order of their code points.
        return cls(distinct.take(pc.array_sort_indices(distinct)), id_column)

    def appended(self, ids: pa.StringArray) -> Vocabulary:
        """This vocabulary with ``ids`` behind it, which it has none of, each once: they get the next indices."""
        return Vocabulary(pa.concat_arrays([self.ids, ids]), self.id_column)

    def __len__(self) -> int:
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.id_column == other.id_column and self.ids.equals(other.ids)

    __hash__ = None  # type: ignore[assignment]

    def index_of(self, ids: pa.Array | pa.ChunkedArray | list[str]) -> IndexArray:
        """Indices of ids.

        Args:
            ids: N strings.

        Returns:
            Shape [N], int32; -1 for an id that is not in the vocabulary and for a null.
        """
        values = pa.array(ids, pa.string()) if isinstance(ids, list) else ids.cast(pa.string())
        return pc.index_in(values, value_set=self.ids).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)

    def ids_of(self, indices: npt.NDArray[Any]) -> pa.StringArray:
        """Ids at ``indices`` (any integers in ``[0, len(self))``), in that order."""
        return self.ids.take(pa.array(np.asarray(indices), pa.int64()))

    def index(self, identifier: str) -> int:
        """Index of one id.

        Raises:
            DataError: the id is unknown; the message names the nearest known ids.
        """
        index = int(self.index_of([identifier])[0])
        if index < 0:
            near = self.near(identifier)
            hint = f" Nearest: {', '.join(map(repr, near))}." if near else ""
            raise DataError(
                f"{self.id_column} {identifier!r} is not among the {len(self):,} known ids.{hint} "
                f"Ids are compared as text, so that '007' is not '7'; {self.id_column.removesuffix('_id')}_vocabulary"
                ".parquet in the prepared directory lists them all."
            )
        return index

    def near(self, identifier: str) -> list[str]:
        """At most three known ids that look like ``identifier``."""
        bare = pc.utf8_lower(pc.utf8_ltrim(pc.utf8_trim_whitespace(self.ids), "0"))
        wanted = identifier.strip().lstrip("0").lower()
        same = self.ids.filter(pc.equal(bare, wanted)).to_pylist()[:3]
        length = pc.subtract(pc.utf8_length(self.ids), len(identifier))
        alike = self.ids.filter(pc.less_equal(pc.abs(length), 1))
        if len(alike) > _MAX_COMPARED:
            alike = alike.filter(pc.starts_with(alike, identifier[:-2]))
        close = difflib.get_close_matches(identifier, alike[:_MAX_COMPARED].to_pylist(), n=3, cutoff=0.5)
        return list(dict.fromkeys([*same, *close]))[:3]

    def to_table(self) -> pa.Table:
        """Two columns: the ids and their indices (int32), in the order of the indices."""
        indices = pa.array(np.arange(len(self), dtype=np.int32))
        return pa.table({self.id_column: self.ids, _INDEX_COLUMN[self.id_column]: indices})

    def save(self, path: Path) -> None:
        """Write :meth:`to_table` as a Parquet file."""
        pq.write_table(self.to_table(), path)

    @classmethod
    def load(cls, path: Path, id_column: str) -> Vocabulary:
        """Read what :meth:`save` wrote.

        Raises:
            PreparedDataError: the file cannot be read, or is no vocabulary of this kind.
        """
        index_column = _INDEX_COLUMN[id_column]
        try:
            table = pq.read_table(path, columns=[id_column, index_column])
            ids = table.column(id_column).cast(pa.string()).combine_chunks()
            indices = table.column(index_column).to_numpy()
        except (OSError, KeyError, pa.ArrowException) as error:
            raise PreparedDataError(
                f"{path} cannot be read as a vocabulary: {error}. Prepare the data again."
            ) from None
        distinct = ids.null_count == 0 and pc.count_distinct(ids).as_py() == len(ids)
        if not distinct or not np.array_equal(indices, np.arange(len(ids))):
            raise PreparedDataError(
                f"{path} must hold distinct {id_column} values with {index_column} counting from 0, and does not. "
                "Prepare the data again."
            )
        return cls(ids, id_column)
