"""Weightings of a matrix before its rows are compared, from text retrieval: TF-IDF and BM25.

A row is a document and a column is a term: when items are compared, rows are items and columns are users; when users
are compared, rows are users and columns are items. Source: Ferrari Dacrema, Cremonesi
and Jannach, Are We Really Making Much Progress?, RecSys 2019.

Shape suffixes: R rows, C columns, M stored values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from recsys.errors import ModelError
from recsys.models.linalg.interaction_matrix import InteractionMatrix


class Weighting(ABC):
    """Weights the values of a matrix."""

    def weigh(self, matrix: InteractionMatrix, column_counts: Tensor, num_rows: int) -> InteractionMatrix:
        """The matrix with weighted values.

        Args:
            matrix: some rows of the collection, or rows that are compared with it.
            column_counts: stored values of each column in the whole collection, shape [C], int64.
            num_rows: number of rows of the whole collection, R.
        """
        counts = matrix.counts[matrix.rows]
        return matrix.with_values(self.weigh_values(matrix.values, matrix.columns, counts, column_counts, num_rows))

    @abstractmethod
    def weigh_values(
        self, values: Tensor, columns: Tensor, counts: Tensor, column_counts: Tensor, num_rows: int
    ) -> Tensor:
        """Weighted values, in the shape of ``values``.

        Args:
            values: values of some rows, any shape, such as [M].
            columns: column of each value, the same shape, int64.
            counts: number of stored values in the row of each value; it broadcasts to the same shape.
            column_counts: as in :meth:`weigh`.
            num_rows: as in :meth:`weigh`.
        """


class Unweighted(Weighting):
    """No weighting: all values stay the same."""

    def weigh(self, matrix: InteractionMatrix, column_counts: Tensor, num_rows: int) -> InteractionMatrix:
        """``matrix`` itself."""
        return matrix

    def weigh_values(
        self, values: Tensor, columns: Tensor, counts: Tensor, column_counts: Tensor, num_rows: int
    ) -> Tensor:
        """``values`` themselves."""
        return values


class TFIDF(Weighting):
    """TF-IDF: ``value * log(R / (1 + stored values of the column))``, and 0 if the logarithm is negative."""

    def weigh_values(
        self, values: Tensor, columns: Tensor, counts: Tensor, column_counts: Tensor, num_rows: int
    ) -> Tensor:
        """See :meth:`Weighting.weigh_values`."""
        return values * _rarity(column_counts, num_rows)[columns]


class BM25(Weighting):
    """TF-IDF in which large values saturate and long rows count less.

    ``value (k1 + 1) / (k1 (1 - b + b n / mean n) + |value|) * log(R / (1 + stored values of the column))``, where ``n``
    is the number of stored values of the row. Source: Robertson et al., Okapi at TREC-3, 1995.

    Args:
        k1: saturation of values, above 0; a higher value saturates later.
        b: strength of the length normalisation, from 0 to 1.

    Raises:
        ModelError: a setting is out of range.
    """

    def __init__(self, k1: float = 1.2, b: float = 0.75) -> None:
        if not (k1 > 0 and 0 <= b <= 1):
            raise ModelError(
                f"model.weighting needs k1 above 0 and b from 0 to 1, but k1 is {k1} and b is {b}. Correct them."
            )
        self.k1 = k1
        self.b = b

    def weigh_values(
        self, values: Tensor, columns: Tensor, counts: Tensor, column_counts: Tensor, num_rows: int
    ) -> Tensor:
        """See :meth:`Weighting.weigh_values`."""
        mean_count = (column_counts.sum() / num_rows).clamp(min=1 / num_rows)
        length = self.k1 * (1 - self.b + self.b * counts / mean_count)
        saturated = values * (self.k1 + 1) / (length + values.abs())
        return saturated * _rarity(column_counts, num_rows)[columns]


def _rarity(column_counts: Tensor, num_rows: int) -> Tensor:
    """Inverse document frequency of each column, shape [C], float32."""
    return torch.log(num_rows / (1.0 + column_counts)).clamp(min=0)
