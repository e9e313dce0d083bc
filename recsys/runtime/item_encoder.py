"""Vectors of items that came after training, from what is said about them.

Shape suffixes: C items, W values of an item at most, D dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from recsys.data.encoded_columns import EncodedColumn, encode_table
from recsys.retrieval.types import FloatArray
from recsys.runtime.onnx_model import OnnxModel


class ItemEncoder:
    """Encodes new items.

    Args:
        model: takes one input for each column: codes, shape [C, W], int64, -1 for none, or numbers, shape [C], float32,
            NaN for none; gives vectors, shape [C, D].
        columns: the columns.
    """

    def __init__(self, model: OnnxModel, columns: Sequence[EncodedColumn]) -> None:
        self._model = model
        self.columns = tuple(columns)

    def encode(self, items: pa.Table) -> FloatArray:
        """The vectors of C items, shape [C, D]; NaN for an item of which nothing that is known is said.

        Args:
            items: a row for each; a column that is missing says nothing.

        Raises:
            RecsysError: a column is of another type than it should be.
        """
        vectors: FloatArray = self._model.run(encode_table(self.columns, items))
        return vectors
