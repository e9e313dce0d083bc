"""What has changed about the items since a version was exported: a numbered file for each change, written once.

::

    items/
        000001-add.parquet     a row for each new item
        000002-remove.json     ids
        000003-update.json     new values by column and id, such as {"in_stock": {"4711": false}}

Every process that answers applies the files that it has not seen yet, in their order, before it answers; so all know
the same items, and a server that is started again knows them too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.cli.whole_files import whole_file
from recsys.errors import RequestError, ServingError
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.item_values import ItemValues

ITEMS = "items"
_ADD, _REMOVE, _UPDATE = "-add.parquet", "-remove.json", "-update.json"

#: A directory that was changed so lately may be changed again without another time of its last change.
_UNSURE_NANOSECONDS = 2_000_000_000


class ItemChanges:
    """The changes in one directory, and how many of them one recommender has seen.

    Args:
        directory: of the files; it need not be there yet.
        recommender: is told of them.
    """

    def __init__(self, directory: Path, recommender: BundleRecommender) -> None:
        self.directory = directory
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
        files = sorted(path for path in self.directory.iterdir() if path.name.endswith((_ADD, _REMOVE, _UPDATE)))
        for number, path in enumerate(files[self._num_applied :], start=self._num_applied + 1):
            if not path.name.startswith(f"{number:06}-"):
                raise ServingError(f"Change {number} of the items is required in {self.directory}, but it is missing.")
            self._apply(path)
            self._num_applied = number

    def append_added(self, items: pa.Table) -> None:
        """Write that items were added, of which the recommender was told already."""
        self._append(_ADD, lambda path: pq.write_table(items, path))

    def append_removed(self, ids: Sequence[str]) -> None:
        """Write that items were removed, of which the recommender was told already."""
        text = json.dumps(list(ids), ensure_ascii=False, indent=0)
        self._append(_REMOVE, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))

    def append_updated(self, values: ItemValues) -> None:
        """Write that items have other values, of which the recommender was told already.

        Raises:
            RequestError: a value is none that JSON holds.
        """
        try:
            text = json.dumps(values, ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise RequestError(
                f"New values of items must be texts, numbers, truth values or lists of these, but {error}."
            ) from error
        self._append(_UPDATE, lambda path: path.write_text(f"{text}\n", encoding="utf-8"))

    def _may_have_changed(self) -> bool:
        try:
            changed = os.stat(self.directory).st_mtime_ns
        except FileNotFoundError:
            return False
        if changed == self._last_change and time.time_ns() - changed > _UNSURE_NANOSECONDS:
            return False
        self._last_change = changed
        return True

    def _apply(self, path: Path) -> None:
        if path.name.endswith(_ADD):
            self._recommender.add_items(_read(path))
        elif path.name.endswith(_REMOVE):
            self._recommender.remove_items(_read(path))
        else:
            self._recommender.update_items(_read(path))

    def _append(self, suffix: str, write: Callable[[Path], object]) -> None:
        self.directory.mkdir(exist_ok=True)
        number = self._num_applied + 1
        with whole_file(self.directory / f"{number:06}{suffix}") as partial:
            write(partial)
        self._num_applied = number


def values_since_export(directory: Path) -> ItemValues:
    """The values that the changes in a directory have given items, the latest of each.

    Raises:
        ServingError: a file is damaged.
    """
    values: dict[str, dict[str, object]] = {}
    for path in sorted(directory.glob(f"*{_UPDATE}")):
        for column, of_items in _read(path).items():
            values.setdefault(column, {}).update(of_items)
    return values


def _read(path: Path) -> Any:
    """A table of items, or what JSON says.

    Raises:
        ServingError: the file is damaged.
    """
    try:
        return pq.read_table(path) if path.name.endswith(_ADD) else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ServingError(f"{path} says which items changed, but it cannot be read: {error}") from error
