"""Raw data as a reader returns them: Arrow tables under the framework's column names, with nothing dropped yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

import pyarrow as pa


class FeatureKind(StrEnum):
    """How a user or item column becomes a tensor."""

    CATEGORICAL = "categorical"  #: one value out of a vocabulary
    MULTI_VALUED = "multi_valued"  #: a list of values (or a string with a separator) out of a vocabulary
    NUMBER = "number"  #: a number, standardised
    TEXT = "text"  #: free text, tokenised into words


@dataclass(frozen=True, slots=True)
class FeatureColumn:
    """Declares one column of the users or items table as a feature.

    Args:
        name: column name.
        kind: how the column becomes a tensor.
        separator: what divides the values of a multi-valued string column; None where the column holds lists.
    """

    name: str
    kind: FeatureKind
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class RawSource:
    """A raw file that was read: its name, its SHA-256 and its origin."""

    name: str
    sha256: str
    origin: str


@dataclass(frozen=True, slots=True)
class RawDataset:
    """The raw tables of a data set.

    Args:
        name: short name of the data set, used in paths and reports.
        interactions: columns ``user_id`` and ``item_id`` (string or dictionary of string), optionally ``rating``
            (any number), ``weight`` (any number; below zero takes back what was counted before), ``timestamp``
            (seconds, any integer or number), ``subsecond_ns`` (nanoseconds after an integer second) and ``fold``
            (train, valid or test).
        users: ``user_id`` and any other columns, or None.
        items: ``item_id`` and any other columns, or None.
        user_features: columns of ``users`` declared as features.
        item_features: columns of ``items`` declared as features.
        fixed_negatives: ``user_id`` and ``item_ids`` (a list of strings of one length) for protocols that rank each
            test item among fixed negatives, or None.
        sources: the files that were read.
        notes: what the reader recognised without being told, in sentences.
    """

    name: str
    interactions: pa.Table
    users: pa.Table | None = None
    items: pa.Table | None = None
    user_features: tuple[FeatureColumn, ...] = ()
    item_features: tuple[FeatureColumn, ...] = ()
    fixed_negatives: pa.Table | None = None
    sources: tuple[RawSource, ...] = field(default=())
    notes: tuple[str, ...] = ()


@runtime_checkable
class Reader(Protocol):
    """Reads one family of raw data."""

    @property
    def name(self) -> str:
        """Short name of the data set for paths, known before it is read; :attr:`RawDataset.name` may say more."""
        ...

    def read(self) -> RawDataset:
        """Find, verify and read the raw files.

        Raises:
            SourceError: the files could not be found, fetched or trusted.
            DataError: the files do not have the required columns or types.
        """
        ...

    def fingerprint(self) -> dict[str, object]:
        """Identifies the raw data without reading them, by values that JSON can hold.

        Equal fingerprints mean the same reader, the same arguments and, for local files that the user named, files of
        the same size and time of modification. The directory of the cache is not part of it.

        Raises:
            SourceError: a file that the user named is not there.
        """
        ...
