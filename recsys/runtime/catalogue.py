"""The items that may be recommended now: those of a bundle, and those that came and went since.

Shape suffixes: I items of the bundle and since.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from recsys.data.columns import ITEM_ID
from recsys.data.raw import FeatureColumn
from recsys.errors import RecsysError, RequestError
from recsys.retrieval.filtering.filter_language import FilterExpression, parse_filters
from recsys.retrieval.format_list import format_list
from recsys.retrieval.index import CandidateIndex, UpdatableIndex
from recsys.retrieval.item_columns import ItemColumns
from recsys.retrieval.types import BoolArray, FloatArray, IntArray
from recsys.runtime.bundle import Bundle
from recsys.runtime.explanations.shared_attributes import SharedAttributes
from recsys.runtime.item_values import ItemValues, with_values
from recsys.runtime.new_item_columns import as_catalogue_columns
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.request_resolution import RequestResolver

#: Ids that an error message lists at most.
_SHOWN = 10


@dataclass(frozen=True, eq=False)
class CatalogueState:
    """The catalogue at one moment.

    Args:
        table: of the items, I rows.
        features: the declared features of the items.
        popularity: positive interactions of each item, shape [I], float32.
        num_interactions: all interactions of each item, shape [I].
        present: whether each item is there, shape [I]; not one that was removed.
        filters: what is always asked of items, besides what a request asks; None: nothing.
    """

    table: pa.Table
    features: tuple[FeatureColumn, ...]
    popularity: FloatArray
    num_interactions: IntArray
    present: BoolArray
    filters: FilterExpression | None = None

    @classmethod
    def of(
        cls,
        table: pa.Table,
        features: tuple[FeatureColumn, ...],
        popularity: IntArray,
        num_interactions: IntArray,
        filters: object = None,
    ) -> CatalogueState:
        """A catalogue in which every item is there; ``filters`` as they are written.

        Raises:
            RecsysError: the filters are malformed, or name a column that does not exist or is of another kind.
        """
        counts = popularity.astype(np.float32)
        everything = np.ones(len(table), dtype=np.bool_)
        state = cls(table, features, counts, num_interactions, everything, parse_filters(filters))
        assert len(state.available) == len(table), "filters that cannot be applied are an error here"
        return state

    @cached_property
    def available(self) -> BoolArray:
        """Which items may be in a list, shape [I]: those that are there and that the catalogue's own filters allow."""
        if self.filters is None:
            return self.present
        return self.present & self.filters.mask(self.columns)

    @cached_property
    def columns(self) -> ItemColumns:
        """The columns of the items, for filters and diversity."""
        separators = {one.name: one.separator for one in self.features if one.separator is not None}
        return ItemColumns(self.table, separators)

    def updated(self, values: ItemValues, items_of: Callable[[Sequence[str]], IntArray]) -> CatalogueState:
        """The same with other values of items; arguments and errors as for :func:`with_values`."""
        new = replace(self, table=with_values(self.table, values, items_of))
        try:
            assert len(new.available) == len(self.present), "as many items as before"
        except RecsysError as error:
            raise RequestError(f"With these values the filters of the catalogue cannot be applied: {error}") from error
        return new

    def attributes(self) -> SharedAttributes:
        """What items have in common."""
        return SharedAttributes(self.table, self.features)

    def mask(self, filters: object) -> BoolArray:
        """Which items filters of a request allow, shape [I].

        Raises:
            RetrievalError: a column does not exist, or a value is of another type than its column.
        """
        expression = parse_filters(filters)
        return np.ones(len(self.table), dtype=np.bool_) if expression is None else expression.mask(self.columns)

    def without_item(self, filters: object) -> tuple[str, ...]:
        """The values of filters that no item has, as ``column: value``; errors as for :meth:`mask`."""
        expression = parse_filters(filters)
        return () if expression is None else expression.without_item(self.columns)


class Catalogue:
    """Items, and the index that finds them. Changes go one by one, while requests are answered.

    Args:
        bundle: whose items they are at first.
        resolver: knows their ids, and learns those of new ones.
        index: finds them.
        open_model: see :meth:`recsys.runtime.bundle.Bundle.item_encoder`.
    """

    def __init__(
        self,
        bundle: Bundle,
        resolver: RequestResolver,
        index: CandidateIndex,
        open_model: Callable[[str], OnnxModel] | None = None,
    ) -> None:
        self._bundle = bundle
        self._open_model = open_model
        self._resolver = resolver
        self.index = index
        self._updating = threading.Lock()
        self.added_vectors: FloatArray = np.zeros((0, bundle.manifest.index.dim), dtype=np.float32)
        manifest = bundle.manifest
        #: What the ranker knows of added items, a row for each; None where it scores none.
        self.added_for_ranker: FloatArray | None = None
        if (width := bundle.ranker_item_width) is not None:
            self.added_for_ranker = np.zeros((0, width), dtype=np.float32)
        self.state = CatalogueState.of(
            bundle.items, manifest.data.item_features, bundle.popularity, bundle.num_interactions, manifest.filters
        )

    def add(self, items: pa.Table) -> None:
        """Add items that are known by their content.

        Args:
            items: a row for each, with ``item_id`` and the columns of the items, as far as they are known. Several
                values may be a list or a text with the separator of the data, a date ISO 8601 text.

        Raises:
            RequestError: ids are missing, known already or twice there, a column is of another type, or an item has no
                content that the model knows. Then none is added.
            BundleError: the bundle's model does not know items by their content.
        """
        encoder = self._bundle.item_encoder(self._open_model)
        separators = {one.name: one.separator for one in self.state.features if one.separator is not None}
        with self._updating:
            ids = self._new_ids(items)
            items = as_catalogue_columns(items, self.state.table, separators)
            vectors = encoder.encode(items)
            ranker_encoder = self._bundle.ranker_item_encoder(self._open_model)
            for_ranker = None if ranker_encoder is None else ranker_encoder.encode(items)
            silent = np.flatnonzero(np.isnan(vectors).any(axis=1)).tolist()
            if silent:
                raise RequestError(
                    f"New items are known by {', '.join(column.name for column in encoder.columns)}, but nothing known "
                    f"is said about {format_list([ids[place] for place in silent], _SHOWN)}. Say more, or leave "
                    "them out."
                )
            try:
                table = pa.concat_tables([self.state.table, items], promote_options="permissive")
            except pa.ArrowException as error:
                raise RequestError(
                    f"The columns of new items must be as in the bundle ({error}). Convert them."
                ) from error
            state = self.state
            first = len(state.present)
            self.added_vectors = np.concatenate([self.added_vectors, vectors])
            if for_ranker is not None and self.added_for_ranker is not None:
                self.added_for_ranker = np.concatenate([self.added_for_ranker, for_ranker])
            # The index last, so that whoever finds a new item finds what is said about it as well.
            self._resolver.add_items(ids)
            self.state = replace(
                state,
                table=table,
                popularity=np.concatenate([state.popularity, np.zeros(len(ids), dtype=np.float32)]),
                num_interactions=np.concatenate([state.num_interactions, np.zeros(len(ids), dtype=np.int64)]),
                present=np.concatenate([state.present, np.ones(len(ids), dtype=np.bool_)]),
            )
            self._updatable().add(np.arange(first, first + len(ids), dtype=np.int64), vectors)

    def remove(self, ids: Sequence[str]) -> None:
        """Take items out; in histories they still count.

        Raises:
            RequestError: an item is not there. Then none is taken out.
        """
        with self._updating:
            state = self.state
            items = self._resolver.items_of(ids)
            gone = [name for name, item in zip(ids, items, strict=True) if item < 0 or not state.present[item]]
            if gone:
                missing = format_list(gone, _SHOWN)
                raise RequestError(f"Items that are there are required, but {missing} are not. Leave them out.")
            present = state.present.copy()
            present[items] = False
            self.state = replace(state, present=present)
            if isinstance(self.index, UpdatableIndex):
                self.index.remove(items)

    def update(self, values: ItemValues) -> None:
        """Give items other values in their columns, all at once; see :func:`recsys.runtime.item_values.with_values`.

        An item that was added since is found by what it is now; those of the bundle are found as the model learnt them.

        Raises:
            RequestError: an item is not known, or a value does not fit its column. Then nothing is changed.
        """
        with self._updating:
            state = self.state.updated(values, self._resolver.items_of)
            if len(self.added_vectors) > 0:
                self._encode_again(state.table, values)
            self.state = state

    def _encode_again(self, table: pa.Table, values: ItemValues) -> None:
        """Encode added items anew whose content has changed; one of which nothing is said any more stays as it was."""
        encoder, first = self._bundle.item_encoder(self._open_model), self._bundle.manifest.data.num_items
        read = {column.name for column in encoder.columns}
        ids = list({name for column, of_items in values.items() if column in read for name in of_items})
        items = np.unique(self._resolver.items_of(ids))
        items = items[items >= first]
        if len(items) == 0:
            return
        vectors = encoder.encode(table.take(pa.array(items)))
        said = ~np.isnan(vectors).any(axis=1)
        items, vectors = items[said], vectors[said]
        self.added_vectors = self.added_vectors.copy()
        self.added_vectors[items - first] = vectors
        ranker_encoder = self._bundle.ranker_item_encoder(self._open_model)
        if ranker_encoder is not None and self.added_for_ranker is not None:
            self.added_for_ranker = self.added_for_ranker.copy()
            self.added_for_ranker[items - first] = ranker_encoder.encode(table.take(pa.array(items)))
        self._updatable().remove(items)
        self._updatable().add(items, vectors)

    def _new_ids(self, items: pa.Table) -> list[str]:
        if ITEM_ID not in items.column_names or not pa.types.is_string(items.schema.field(ITEM_ID).type):
            raise RequestError(f"New items need a column {ITEM_ID} of strings; theirs are {items.schema.names}.")
        ids: list[str] = items.column(ITEM_ID).to_pylist()
        unclear = None in ids or len(set(ids)) < len(ids)
        items_known = [] if unclear else self._resolver.items_of(ids).tolist()
        known = [name for name, item in zip(ids, items_known, strict=False) if item >= 0]
        if known or unclear:
            what = f"{format_list(known, _SHOWN)} are known already" if known else "some are missing or come twice"
            raise RequestError(f"New items need ids of their own, but {what}. Leave them out, or give them other ids.")
        return ids

    def _updatable(self) -> UpdatableIndex:
        assert isinstance(self.index, UpdatableIndex), "of a model with vectors, which alone encodes items"
        return self.index
