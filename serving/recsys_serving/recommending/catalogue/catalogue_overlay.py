"""Lays items of the API over those of one bundle: new ones, other values, items that are gone or back."""

from __future__ import annotations

import datetime
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.data.columns import ITEM_ID, ITEM_INDEX, TITLE
from recsys.errors import BundleError, RecsysError, RequestError
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.new_item_columns import as_catalogue_columns
from recsys_serving.recommending.catalogue.catalogued_bundle import AVAILABLE
from recsys_serving.recommending.types import CatalogueItem

_log = logging.getLogger(__name__)

#: Columns that are not told of an item, because they are the service's own.
HIDDEN = frozenset({ITEM_ID, ITEM_INDEX, AVAILABLE})

#: Titles that are kept as texts, at most.
MAX_TITLES = 100_000


class CatalogueOverlay:
    """The items of a bundle and of the API, as one bundle serves them.

    A new item is recommended if the bundle's model knows items by their content and the item has some; any other is
    *unplaced*: it can be looked up, found and promoted, and is in no list by itself. What the API says of an item
    counts in place of what the bundle has, column by column.

    Args:
        recommender: of a :class:`recsys_serving.recommending.catalogue.catalogued_bundle.CataloguedBundle`.
    """

    def __init__(self, recommender: BundleRecommender) -> None:
        self._recommender = recommender
        self._lock = threading.Lock()
        self._original = recommender.catalogue.table
        self._separators = recommender.bundle.manifest.data.separators
        self._overlaid: dict[str, frozenset[str]] = {}
        #: Titles by row that were read, and the table that they were read from.
        self._titles: tuple[pa.Table, dict[int, Any]] = (self._original, {})
        self.unplaced: dict[str, CatalogueItem] = {}
        self.deleted: frozenset[str] = frozenset()

    def apply(self, items: Sequence[CatalogueItem]) -> tuple[str, ...]:
        """Lay items over the bundle; of one that comes twice the last counts. Doing it again changes nothing.

        Returns:
            What does not fit, in sentences; the rest is laid over all the same.
        """
        latest = {item.item_id: _told(item) for item in items}
        with self._lock:
            known = self._known(list(latest))
            new = [item for name, item in latest.items() if name not in known and not item.deleted]
            gone = [name for name, item in latest.items() if name not in known and item.deleted]
            for name in gone:
                self.unplaced.pop(name, None)
            notes = self._add(new)
            notes += self._update([item for name, item in latest.items() if name in known])
            deleted = {name for name, item in latest.items() if item.deleted}
            self.deleted = frozenset((self.deleted - set(latest)) | deleted)
        return tuple(notes)

    def check(self, item: CatalogueItem) -> tuple[str, ...]:
        """What to know of an item before it is stored, in sentences.

        Raises:
            RequestError: a value is of another type than its column.
        """
        hidden = sorted(HIDDEN & set(item.properties))
        if hidden or TITLE in item.properties:
            raise RequestError(
                f"{', '.join(hidden) or TITLE} is no property of an item, but is told by a field of its own. Leave it "
                "out of the properties."
            )
        table = self._table([item])
        self._recommender.catalogue.updated(_values_of(table), lambda ids: self._row_for_check(ids))
        return () if self._known([item.item_id]) else self._notes_of_new(item.item_id, table)

    def details(self, ids: Sequence[str], columns: Sequence[str] = ()) -> list[tuple[str, dict[str, Any]]]:
        """Title and columns of items, in order; the id stands for a missing title, None for a missing value.

        Several values that the data have in one text are a list.
        """
        table, rows = self._recommender.catalogue.table, self._recommender.items_of(ids)
        # Rows of items that came after the table was read are not in it yet.
        known = (rows >= 0) & (rows < table.num_rows)
        wanted = [TITLE, *columns]
        taken = {
            name: self._taken(table, name, rows[known].tolist())
            for name in wanted
            if table.schema.get_field_index(name) >= 0 and name not in HIDDEN
        }
        told, place = [], 0
        for name, is_known in zip(ids, known.tolist(), strict=True):
            if is_known:
                values = {column: taken[column][place] if column in taken else None for column in wanted}
                place += 1
            else:
                values = _values_of_unplaced(self.unplaced.get(name), wanted)
            told.append((values[TITLE] or name, {column: values[column] for column in columns}))
        return told

    def titles_of(self, ids: Sequence[str]) -> list[str]:
        """Titles of items, in order; the id stands for a missing one."""
        return [title for title, _ in self.details(ids)]

    def item(self, item_id: str) -> dict[str, Any] | None:
        """Every column of one item, its title, and whether it may be recommended; None: unknown here."""
        table = self._recommender.catalogue.table
        row = int(self._recommender.items_of([item_id])[0])
        if not 0 <= row < table.num_rows:
            unplaced = self.unplaced.get(item_id)
            if unplaced is None:
                return None
            return {"title": unplaced.title, "available": unplaced.available, "properties": dict(unplaced.properties)}
        values = {name: self._told_values(name, [table.column(name)[row].as_py()])[0] for name in table.column_names}
        properties = {name: value for name, value in values.items() if name not in HIDDEN and name != TITLE}
        return {"title": values.get(TITLE), "available": values[AVAILABLE] is not False, "properties": properties}

    def titles(self) -> Iterable[tuple[str, str | None]]:
        """Ids and titles of every item that may be found, those of the bundle first."""
        table = self._recommender.catalogue.table
        ids = self._recommender.ids_of(np.arange(table.num_rows))
        titles = table.column(TITLE).to_pylist() if TITLE in table.column_names else [None] * len(ids)
        yield from zip(ids, titles, strict=True)
        yield from [(name, item.title) for name, item in self.unplaced.items()]

    def columns(self) -> list[str]:
        """Names of the columns that can be told of an item."""
        return [name for name in self._recommender.catalogue.table.column_names if name not in HIDDEN]

    def _taken(self, table: pa.Table, column: str, rows: Sequence[int]) -> list[Any]:
        """Values of a column; titles, which every list has, are kept as texts, as long as the table is the same."""
        if column != TITLE:
            return self._told_values(column, table.column(column).take(pa.array(rows, pa.int64())).to_pylist())
        of, titles = self._titles
        if of is not table or len(titles) > MAX_TITLES:
            titles = {}
            self._titles = table, titles
        missing = [row for row in rows if row not in titles]
        if missing:
            read = table.column(TITLE).take(pa.array(missing, pa.int64())).to_pylist()
            titles.update(zip(missing, self._told_values(TITLE, read), strict=True))
        return [titles[row] for row in rows]

    def _told_values(self, column: str, values: list[Any]) -> list[Any]:
        separator = self._separators.get(column)
        if separator is None:
            return [_plain(value) for value in values]
        return [_split(value, separator) if isinstance(value, str) else value for value in values]

    def _known(self, ids: Sequence[str]) -> set[str]:
        rows = self._recommender.items_of(ids)
        return {name for name, row in zip(ids, rows.tolist(), strict=True) if row >= 0}

    def _notes_of_new(self, item_id: str, table: pa.Table) -> tuple[str, ...]:
        try:
            encoder = self._recommender.bundle.item_encoder()
        except BundleError:
            return (self._unplaced_note(item_id),)
        if not np.isnan(encoder.encode(table)).any():
            return ()
        columns = ", ".join(column.name for column in encoder.columns)
        return (f"{item_id} is in no list by itself until more is said about it: new items are known by {columns}.",)

    def _unplaced_note(self, item_id: str) -> str:
        model = self._recommender.bundle.manifest.retriever.model
        return f"{item_id} is in no list by itself before the next training: {model} does not know items by content."

    def _add(self, items: Sequence[CatalogueItem]) -> list[str]:
        """Add new items, all at once if they fit, else one by one."""
        if not items:
            return []
        try:
            self._recommender.add_items(self._table(items))
            for item in items:
                self._placed(item)
            return []
        except BundleError:
            for item in items:
                self.unplaced[item.item_id] = item
            return [self._unplaced_note(item.item_id) for item in items]
        except RecsysError as error:
            if len(items) == 1:
                self.unplaced[items[0].item_id] = items[0]
                return [f"{items[0].item_id} is in no list by itself: {error}"]
            return [note for item in items for note in self._add([item])]

    def _placed(self, item: CatalogueItem) -> None:
        self.unplaced.pop(item.item_id, None)
        self._overlaid[item.item_id] = frozenset(item.properties)

    def _update(self, items: Sequence[CatalogueItem]) -> list[str]:
        """Give known items their values, all at once if they fit, else item by item and column by column."""
        if not items:
            return []
        try:
            self._recommender.update_items(self._values(items))
        except RecsysError as error:
            if len(items) > 1:
                return [note for item in items for note in self._update([item])]
            _log.warning("%s does not fit %s: %s", items[0].item_id, self._recommender.bundle.directory.name, error)
            return [f"Values of {items[0].item_id} do not fit: {error}", *self._update_columns(items[0])]
        for item in items:
            self._overlaid[item.item_id] = frozenset(item.properties)
        return []

    def _update_columns(self, item: CatalogueItem) -> list[str]:
        """Give one item those of its values that fit; whether it is available always does."""
        fitting: dict[str, Any] = {}
        for column, value in item.properties.items():
            one = CatalogueItem(item.item_id, None, {column: value}, item.available, item.deleted)
            try:
                self._recommender.update_items(self._values([one]))
                fitting[column] = value
            except RecsysError:
                continue
        rest = CatalogueItem(item.item_id, item.title, {}, item.available, item.deleted)
        self._recommender.update_items(self._values([rest], keep=frozenset(fitting)))
        self._overlaid[item.item_id] = frozenset(fitting)
        return []

    def _values(
        self, items: Sequence[CatalogueItem], keep: frozenset[str] = frozenset()
    ) -> Mapping[str, Mapping[str, object]]:
        """New values of known items, and the bundle's own where the API no longer says any."""
        values: dict[str, dict[str, object]] = {}
        for item in items:
            for column in self._overlaid.get(item.item_id, frozenset()) - set(item.properties) - keep:
                values.setdefault(column, {})[item.item_id] = self._original_value(item.item_id, column)
        for column, told in _values_of(self._table(items)).items():
            values.setdefault(column, {}).update(told)
        return values

    def _original_value(self, item_id: str, column: str) -> object:
        row = int(self._recommender.items_of([item_id])[0])
        if column not in self._original.column_names or row >= self._original.num_rows:
            return None
        return self._original.column(column)[row].as_py()

    def _table(self, items: Sequence[CatalogueItem]) -> pa.Table:
        """Items as a table in the types of the catalogue; a column that some items do not tell is null there.

        Raises:
            RequestError: a value is of another type than its column, or values of one column are of several.
        """
        names = list(dict.fromkeys(name for item in items for name in item.properties))
        columns: dict[str, Any] = {
            ITEM_ID: pa.array([item.item_id for item in items], pa.string()),
            AVAILABLE: pa.array([item.available and not item.deleted for item in items]),
        }
        if any(item.title is not None for item in items):
            columns[TITLE] = pa.array([item.title for item in items], pa.string())
        for name in names:
            told = [item.properties.get(name) for item in items]
            try:
                columns[name] = pa.array(told)
            except (pa.ArrowException, OverflowError, TypeError) as error:
                raise RequestError(f"Values of {name} must be of one type that a column can have: {error}.") from error
        return as_catalogue_columns(pa.table(columns), self._recommender.catalogue.table, self._separators)

    def _row_for_check(self, ids: Sequence[str]) -> Any:
        """Rows of items, the first one for new items, whose values are only tried."""
        rows = self._recommender.items_of(ids)
        return rows.clip(min=0)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _told(item: CatalogueItem) -> CatalogueItem:
    """The item without what is not known of it."""
    properties = {name: value for name, value in item.properties.items() if value is not None and name not in HIDDEN}
    return replace(item, properties=properties)


def _values_of(table: pa.Table) -> dict[str, dict[str, object]]:
    """The values of a table of items that are told, by column and id."""
    ids = table.column(ITEM_ID).to_pylist()
    return {
        name: {
            item_id: value
            for item_id, value in zip(ids, table.column(name).to_pylist(), strict=True)
            if value is not None
        }
        for name in table.column_names
        if name != ITEM_ID
    }


def _values_of_unplaced(item: CatalogueItem | None, wanted: Sequence[str]) -> dict[str, Any]:
    if item is None:
        return dict.fromkeys(wanted)
    return {name: item.title if name == TITLE else item.properties.get(name) for name in wanted}
