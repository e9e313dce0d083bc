"""A map of the items of a bundle: their vectors on a plane, so that people see which items the model takes for alike.

The two axes are the first principal components of the vectors (Pearson 1901): the directions in which they differ
most. Shape suffixes: I items, M items of the map, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.bundle import Bundle

#: Different texts of a column that tells items apart by kind, at most.
MAX_TEXTS = 100

#: Items whose vectors the axes are computed from, at most: the most popular ones.
MAX_FITTED = 20_000


@dataclass(frozen=True, slots=True)
class MappedItem:
    """An item of a map.

    Args:
        item_id: of the item.
        title: of the item; the id where it has none.
        x: along the first component.
        y: along the second one.
        num_interactions: of the item, in the data of the bundle.
        categories: its values in the column of the map.
    """

    item_id: str
    title: str
    x: float
    y: float
    num_interactions: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemMap:
    """The items with the most interactions on a plane.

    Args:
        items: those with the most interactions first; empty where the model has no vectors.
        explained: share of the variance of the vectors that each axis has.
        column: that ``categories`` are of: the one by which lists are diverse, or else the first one of few texts, such
            as departments; None: there is none.
        note: why there is no map; None: there is one.
    """

    items: tuple[MappedItem, ...]
    explained: tuple[float, ...] = ()
    column: str | None = None
    note: str | None = None


def map_items(bundle: Bundle, limit: int) -> ItemMap:
    """The map of a bundle.

    Args:
        bundle: whose items they are.
        limit: items of the map, at most; M.
    """
    manifest = bundle.manifest
    if manifest.index.kind == "scores":
        return ItemMap((), note=f"{manifest.retriever.model} scores the catalogue without vectors of items.")
    vectors = bundle.item_vectors()
    known = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    order = known[np.argsort(-bundle.num_interactions[known], kind="stable")][:MAX_FITTED]
    if len(order) < 3 or vectors.shape[1] < 2:
        return ItemMap((), note="Fewer than three items have a vector of two dimensions or more.")
    places, explained = principal_plane(vectors[order])
    column = manifest.data.content_column or _column_of_few_texts(bundle.items)
    return ItemMap(_mapped(bundle, order[:limit], places[:limit], column), explained, column)


def principal_plane(vectors: FloatArray) -> tuple[FloatArray, tuple[float, ...]]:
    """Vectors on their first two principal components.

    The sign of a component is such that its largest loading is positive, so that a map is the same each time.

    Args:
        vectors: shape [M, D], D of two or more.

    Returns:
        Places, shape [M, 2], float64, and the share of the variance of each axis.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    axes = directions[:, [-1, -2]]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    total = max(float(variances.sum()), np.finfo(np.float64).tiny)
    return centred @ axes, tuple(float(max(variances[-place], 0.0)) / total for place in (1, 2))


def _mapped(bundle: Bundle, rows: IntArray, places: FloatArray, column: str | None) -> tuple[MappedItem, ...]:
    ids = bundle.item_vocabulary.ids_of(rows).to_pylist()
    categories = _categories(bundle, rows, column)
    return tuple(
        MappedItem(item_id, title, float(x), float(y), int(count), of_item)
        for item_id, title, (x, y), count, of_item in zip(
            ids, bundle.titles_of(ids), places, bundle.num_interactions[rows], categories, strict=True
        )
    )


def _column_of_few_texts(items: pa.Table) -> str | None:
    """The first column of texts of which several items have the same; None where there is none."""
    for field in items.schema:
        type_ = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not (pa.types.is_string(type_) or pa.types.is_large_string(type_)):
            continue
        if 1 < pc.count_distinct(items.column(field.name).cast(pa.string())).as_py() <= MAX_TEXTS:
            return str(field.name)
    return None


def _categories(bundle: Bundle, rows: IntArray, column: str | None) -> list[tuple[str, ...]]:
    if column is None or column not in bundle.items.column_names:
        return [()] * len(rows)
    separator = bundle.manifest.data.separators.get(column)
    values = pc.take(bundle.items.column(column), rows).to_pylist()
    return [_split(value, separator) for value in values]


def _split(value: object, separator: str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(str(one) for one in value if one is not None)
    parts = str(value).split(separator) if separator else [str(value)]
    return tuple(part.strip() for part in parts if part.strip())
