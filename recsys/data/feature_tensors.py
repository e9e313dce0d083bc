"""One feature of all users or all items as tensors.

Codes count from 1 in the order of the vocabulary; 0 stands for a value that is missing or unknown, so that an
embedding table has ``num_codes`` rows.

Shape suffixes: N rows, M values of all rows together, V vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class CategoricalFeature:
    """One value a row.

    Args:
        codes: shape [N], int64, in ``[0, V]``; 0 where the value is missing or unknown.
        vocabulary: the V values in Unicode order; code ``c`` stands for ``vocabulary[c - 1]``.
    """

    codes: Tensor
    vocabulary: tuple[str, ...]

    @property
    def num_codes(self) -> int:
        """V + 1."""
        return len(self.vocabulary) + 1

    def multi_hot(self) -> Tensor:
        """Shape [N, V], float32: 1 in the column of a row's value, a row of zeros where there is none."""
        ones = torch.zeros(len(self.codes), self.num_codes, device=self.codes.device)
        return ones.scatter_(1, self.codes[:, None], 1.0)[:, 1:]

    def to(self, device: torch.device | str) -> CategoricalFeature:
        """The same feature on ``device``."""
        return CategoricalFeature(self.codes.to(device), self.vocabulary)


@dataclass(frozen=True, slots=True)
class RaggedFeature:
    """Any number of values a row: row ``n`` holds ``codes[offsets[n]:offsets[n + 1]]`` in their order.

    Args:
        offsets: shape [N + 1], int64, from 0 to M.
        codes: shape [M], int64, in ``[1, V]``; missing and unknown values are left out.
        vocabulary: the V values in Unicode order; code ``c`` stands for ``vocabulary[c - 1]``.
    """

    offsets: Tensor
    codes: Tensor
    vocabulary: tuple[str, ...]

    @property
    def num_codes(self) -> int:
        """V + 1."""
        return len(self.vocabulary) + 1

    def multi_hot(self) -> Tensor:
        """Shape [N, V], float32: 1 in the column of each value of a row, however often it occurs there."""
        num_rows = len(self.offsets) - 1
        row = torch.repeat_interleave(torch.arange(num_rows, device=self.codes.device), self.offsets.diff())
        ones = torch.zeros(num_rows, len(self.vocabulary), device=self.codes.device)
        ones[row, self.codes - 1] = 1.0
        return ones

    def to(self, device: torch.device | str) -> RaggedFeature:
        """The same feature on ``device``."""
        return RaggedFeature(self.offsets.to(device), self.codes.to(device), self.vocabulary)


@dataclass(frozen=True, slots=True)
class NumberFeature:
    """One number a row, standardised to mean 0 and standard deviation 1 over the rows that it was fitted on.

    Args:
        values: shape [N], float32; 0, the mean, where the number is missing.
        missing: shape [N], bool.
    """

    values: Tensor
    missing: Tensor

    def to(self, device: torch.device | str) -> NumberFeature:
        """The same feature on ``device``."""
        return NumberFeature(self.values.to(device), self.missing.to(device))


Feature = CategoricalFeature | RaggedFeature | NumberFeature
