"""Which bundles know a user: their vocabularies are what a model was trained with, and stay until they are replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from recsys.data.columns import USER_ID
from recsys.errors import BundleError
from recsys.runtime.bundle import USER_VOCABULARY, Bundle
from recsys.runtime.manifest import MANIFEST, fingerprint_of
from recsys_serving.store.users.erased_users import ErasedUsers, erasure_hash


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


def marks_in_use(erased: ErasedUsers, directories: Iterable[Path]) -> set[bytes]:
    """The marks of erased users of whom a bundle has something from before they were erased.

    Where a bundle has no times, it counts that it has the user.

    Args:
        erased: the marks.
        directories: of bundles; what is none, or cannot be read, is passed over.
    """
    used: set[bytes] = set()
    for directory in sorted(set(directories)):
        try:
            bundle = Bundle.open(directory, verify=False)
            hashes = [erasure_hash(erased.salt, str(one)) for one in bundle.user_vocabulary.ids.to_pylist()]
            places = {place: one for place, one in enumerate(hashes) if one in erased.marks}
            if not places:
                continue
            histories = bundle.histories
        except (BundleError, OSError, ValueError):
            continue
        for place, one in places.items():
            start, end = histories.offsets[place], histories.offsets[place + 1]
            times = None if histories.timestamp is None else histories.timestamp[start:end]
            if times is None or not len(times) or int(min(times)) <= erased.marks[one].timestamp():
                used.add(one)
    return used
