"""Changes the items of a version that is served, for every process that answers, and for good.

The change is tried on the bundle in this process first, so that what does not fit is refused here, with the message
that it has in process, and reaches no server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from filelock import FileLock

from recsys.errors import ExportError
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.item_values import ItemValues
from recsys.runtime.onnx_model import OnnxModel
from recsys_serving.triton.interface import RECOMMENDER
from recsys_serving.triton.item_changes import ITEMS, ItemChanges, values_since_export
from recsys_serving.triton.repository import MODEL_ONNX, served_version
from recsys_serving.triton.repository_check import versions_of
from recsys_serving.triton.served_bundle import model_name, open_bundle, read_onnx_models


def add_items(repository: Path, items: pa.Table, version: int | None = None) -> None:
    """Recommend new items from the next request on; see :meth:`recsys.runtime.catalogue.Catalogue.add`.

    Args:
        repository: that a server reads.
        items: a row for each, with ``item_id`` and the columns of the items, as far as they are known.
        version: whose items they are; None: the one that answers. Others do not get them.

    Raises:
        ExportError: there is no such version.
        RecsysError: see :meth:`recsys.runtime.catalogue.Catalogue.add`. Then none is added.
    """
    with _changes(repository, version) as (recommender, changes):
        recommender.add_items(items)
        changes.append_added(items)


def remove_items(repository: Path, ids: Sequence[str], version: int | None = None) -> None:
    """Recommend these items no more, from the next request on; arguments as for :func:`add_items`.

    Raises:
        ExportError: there is no such version.
        RecsysError: see :meth:`recsys.runtime.catalogue.Catalogue.remove`. Then none is taken out.
    """
    with _changes(repository, version) as (recommender, changes):
        recommender.remove_items(ids)
        changes.append_removed(ids)


def update_items(
    repository: Path, values: ItemValues, version: int | None = None, skip_unknown: bool = False
) -> ItemValues:
    """Give items other values from the next request on, such as ``{"in_stock": {"4711": False}}``.

    Later versions get them as well, once they answer. A value that an item was given last is not written again, so that
    the same table may be fed time after time.

    Args:
        repository: that a server reads.
        values: the new values by item id, by column.
        version: whose items they are, as for :func:`add_items`.
        skip_unknown: leave out items that the version does not have, instead of refusing all.

    Returns:
        Those of ``values`` that were not left out, whether or not they are new.

    Raises:
        ExportError: there is no such version.
        RecsysError: see :meth:`recsys.runtime.catalogue.Catalogue.update`. Then nothing is changed.
    """
    with _changes(repository, version) as (recommender, changes):
        taken = recommender.known_values(values) if skip_unknown else values
        recommender.update_items(taken)
        if changed := _changed(values_since_export(changes.directory), taken):
            changes.append_updated(changed)
    return taken


def carry_values(repository: Path, before: int, version: int) -> None:
    """Give the items of a version the values that :func:`update_items` has given those of another one.

    Args:
        repository: that a server reads.
        before: the version that has answered.
        version: the one that is going to; items that it does not have are left out.

    Raises:
        ServingError: a change of the one before cannot be read.
        RequestError: a value does not fit the columns of the new version.
    """
    values = values_since_export(repository / RECOMMENDER / str(before) / ITEMS)
    if before != version and values:
        update_items(repository, values, version, skip_unknown=True)


def _changed(before: ItemValues, values: ItemValues) -> ItemValues:
    """The values that differ from those that the same items were given before; columns without any are left out."""
    changed = {
        column: {item: value for item, value in of_items.items() if not _is_same(before.get(column, {}), item, value)}
        for column, of_items in values.items()
    }
    return {column: of_items for column, of_items in changed.items() if of_items}


def _is_same(before: Mapping[str, object], item: str, value: object) -> bool:
    return item in before and type(before[item]) is type(value) and before[item] == value


@contextmanager
def _changes(repository: Path, version: int | None) -> Iterator[tuple[BundleRecommender, ItemChanges]]:
    """The bundle of a version with all changes so far; nobody else changes it meanwhile."""
    version = served_version(repository) if version is None else version
    if version not in versions_of(repository / RECOMMENDER):
        there = ", ".join(map(str, versions_of(repository / RECOMMENDER)))
        raise ExportError(f"{repository} must have version {version} to change its items, but has {there}.")
    directory = repository / RECOMMENDER / str(version)
    on_server = read_onnx_models(directory)

    def open_model(file: str) -> OnnxModel:
        if file in on_server:
            return OnnxModel(repository / model_name(file) / str(version) / MODEL_ONNX)
        return OnnxModel(bundle.directory / file)

    with FileLock(directory / f"{ITEMS}.lock"):
        bundle = open_bundle(directory)
        recommender = BundleRecommender(bundle, open_model=open_model)
        changes = ItemChanges(directory / ITEMS, recommender)
        changes.apply_new()
        yield recommender, changes
