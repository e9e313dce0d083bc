"""Which bundles know a user: their vocabularies are what a model was trained with, and stay until they are replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from recsys.data.columns import USER_ID
from recsys.errors import BundleError
from recsys.runtime.bundle import USER_VOCABULARY
from recsys.runtime.manifest import MANIFEST, fingerprint_of


@dataclass(frozen=True, slots=True)
class BundleWithUser:
    """A bundle whose models were trained with a user.

    Args:
        name: of its directory.
        fingerprint: of its manifest.
    """

    name: str
    fingerprint: str


def bundles_with(user_ids: Collection[str], directories: Iterable[Path]) -> list[BundleWithUser]:
    """The bundles in whose user vocabulary one of some users is, by name.

    Args:
        user_ids: the ids that one user has had.
        directories: of bundles; what is none is passed over.
    """
    found = []
    for directory in sorted(set(directories)):
        if not (directory / MANIFEST).is_file():
            continue
        vocabulary = directory / USER_VOCABULARY
        try:
            fingerprint = fingerprint_of(directory)
        except BundleError:
            continue
        if vocabulary.is_file() and _has_any(vocabulary, user_ids):
            found.append(BundleWithUser(directory.name, fingerprint or ""))
    return found


def _has_any(vocabulary: Path, user_ids: Collection[str]) -> bool:
    column = pq.read_table(vocabulary, columns=[USER_ID], filters=[(USER_ID, "in", list(user_ids))])
    return column.num_rows > 0
