"""Items that came and went since a version was exported: a numbered file for each change, written once.

::

    items/
        000001-add.parquet     a row for each new item
        000002-remove.json     ids

Every process that answers applies the files that it has not seen yet, in their order, before it answers; so all know
the same items, and a server that is started again knows them too.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import ServingError
from recsys.runtime.bundle_recommender import BundleRecommender

ITEMS = "items"
_ADD, _REMOVE = "-add.parquet", "-remove.json"

#: A directory that was changed so lately may be changed again without another time of its last change.
_UNSURE_NANOSECONDS = 2_000_000_000


class ItemChanges:
    """The changes in one directory, and how many of them one recommender has seen.

    Args:
        directory: of the files; it need not be there yet.
        recommender: is told of them.
    """

    def __init__(self, directory: Path, recommender: BundleRecommender) -> None:
        self._directory = directory
        self._recommender = recommender
        self._last_change = -1
        self._num_applied = 0

    def apply_new(self) -> None:
        """Tell the recommender what it has not been told yet.

        Raises:
            ServingError: a file is missing or damaged; later ones are not applied either.
            RecsysError: a change does not fit the items that are there.
        """
        if not self._may_have_changed():
            return
        files = sorted(path for path in self._directory.iterdir() if path.name.endswith((_ADD, _REMOVE)))
        for number, path in enumerate(files[self._num_applied :], start=self._num_applied + 1):
            if not path.name.startswith(f"{number:06}-"):
                raise ServingError(f"Change {number} of the items is required in {self._directory}, but it is missing.")
            self._apply(path)
            self._num_applied = number

    def append_added(self, items: pa.Table) -> None:
        """Write that items were added, of which the recommender was told already."""
        self._append(_ADD, lambda path: pq.write_table(items, path))

    def append_removed(self, ids: Sequence[str]) -> None:
        """Write that items were removed, of which the recommender was told already."""
        text = json.dumps(list(ids), ensure_ascii=False, indent=0)
        self._append(_REMOVE, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))

    def _may_have_changed(self) -> bool:
        try:
            changed = os.stat(self._directory).st_mtime_ns
        except FileNotFoundError:
            return False
        if changed == self._last_change and time.time_ns() - changed > _UNSURE_NANOSECONDS:
            return False
        self._last_change = changed
        return True

    def _apply(self, path: Path) -> None:
        try:
            if path.name.endswith(_ADD):
                change = pq.read_table(path)
            else:
                ids: list[str] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, pa.ArrowException) as error:
            raise ServingError(f"{path} says which items changed, but it cannot be read: {error}") from error
        if path.name.endswith(_ADD):
            self._recommender.add_items(change)
        else:
            self._recommender.remove_items(ids)

    def _append(self, suffix: str, write: object) -> None:
        self._directory.mkdir(exist_ok=True)
        number = self._num_applied + 1
        handle, name = tempfile.mkstemp(prefix=".", suffix=".partial", dir=self._directory)
        os.close(handle)
        partial = Path(name)
        try:
            assert callable(write)
            write(partial)
            partial.chmod(0o644)
            os.replace(partial, self._directory / f"{number:06}{suffix}")
        finally:
            partial.unlink(missing_ok=True)
        self._num_applied = number
