"""Indices of new interactions: known ids keep theirs, new ones get the next in the order of their first occurrence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.interactions import IndexArray
from recsys.data.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class IdsInOrder:
    """The ids of N new interactions.

    Args:
        known: vocabulary of the ids so far.
        every_id: the known ids, then the new ones in the order of their first occurrence.
        index: of each interaction among them, shape [N], int32.
    """

    known: Vocabulary
    every_id: pa.StringArray
    index: IndexArray

    @classmethod
    def of(cls, known: Vocabulary, coded: Vocabulary, index: IndexArray) -> IdsInOrder:
        """The ids of interactions.

        Args:
            known: vocabulary of the ids so far.
            coded: vocabulary of ``index``, in any order.
            index: of each interaction, shape [N].
        """
        codes = known.index_of(coded.ids)
        occurring, first = np.unique(index, return_index=True)
        is_new = codes[occurring] < 0
        new = occurring[is_new][np.argsort(first[is_new], kind="stable")]
        codes[new] = len(known) + np.arange(len(new), dtype=np.int32)
        return cls(known, pa.concat_arrays([known.ids, coded.ids_of(new)]), codes[index])

    @property
    def num_all(self) -> int:
        """Known and new ids."""
        return len(self.every_id)

    def kept(self, rows: npt.NDArray[np.bool_]) -> tuple[Vocabulary, IndexArray]:
        """The vocabulary of the known ids and of the new ones in some of the interactions, and the indices of these.

        Args:
            rows: which interactions stay, shape [N].
        """
        index = self.index[rows]
        stays = np.zeros(self.num_all, dtype=np.bool_)
        stays[: len(self.known)] = True
        stays[index] = True
        places = np.cumsum(stays, dtype=np.int32) - np.int32(1)
        further = self.every_id.filter(pa.array(stays))[len(self.known) :]
        return self.known.appended(further), places[index]
