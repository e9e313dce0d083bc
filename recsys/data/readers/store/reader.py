"""Reader of the service's live database: what users do becomes the next training's raw data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa

from recsys.data.columns import ITEM_ID, RATING, TITLE, USER_ID, WEIGHT
from recsys.data.raw import FeatureColumn, RawDataset
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.feature_kinds import Declaration, declare_features, infer_features
from recsys.data.readers.fingerprint import make_fingerprint
from recsys.data.readers.identifiers import ID_TYPE
from recsys.data.readers.store.database import (
    StoreDatabase,
    copied_batches,
    copy_rows,
    copy_table,
    estimated_bytes,
    literal,
)
from recsys.data.readers.store.property_table import property_columns
from recsys.data.readers.store.stored_columns import (
    STORED_TYPES,
    Look,
    StoredBatches,
    StoredColumns,
    look_through,
)
from recsys.data.sources.scratch_directory import ScratchDirectory, copying
from recsys.data.times import parse_moment
from recsys.errors import DataError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection

Values = Literal["auto", "rating", "weight", "ignore"]

_ENCODED_IDS = {USER_ID: ID_TYPE, ITEM_ID: ID_TYPE}
_TEXT = pa.string()


class StoreReader(StreamingReader):
    """Reads the views ``training_interactions``, ``training_users`` and ``training_items`` of the service's database.

    They leave out users who do not want to be profiled, and have those that were merged under their account; items that
    were deleted are not in the items. All views are read as they are at one moment. Properties become columns.

    Args:
        database_url: ``postgresql://user:password@host:port/name``; None for the variable ``RECSYS_DATABASE_URL``. A
            URL that is given is in the configuration of each run, with its password.
        types: types of interactions; None for all.
        since: only interactions from then on, as ISO 8601 or seconds since 1970; None for all.
        until: only interactions before then; None for all.
        values: what the values of interactions are: "rating", "weight", "ignore", or "auto": ratings where all that are
            read have one, and ignored otherwise.
        available_only: whether items that are not available, and their interactions, are left out.
        user_features: properties of users that are features, and their kinds; None to infer them, ``{}`` for none.
        item_features: the same for items.
        name: short name of the data set, used in paths and reports.

    Raises:
        SettingsError: ``values`` is another word, or a moment cannot be read.
    """

    def __init__(
        self,
        database_url: str | None = None,
        types: Sequence[str] | None = None,
        since: str | int | None = None,
        until: str | int | None = None,
        values: Values = "auto",
        available_only: bool = False,
        user_features: Mapping[str, Declaration] | None = None,
        item_features: Mapping[str, Declaration] | None = None,
        name: str = "store",
    ) -> None:
        if values not in get_args(Values):
            raise SettingsError(f"data.values must be one of {', '.join(get_args(Values))}, but is {values!r}.")
        self.name = name
        self._database_url = database_url
        self._types = None if types is None else list(types)
        self._since = _moment("data.since", since)
        self._until = _moment("data.until", until)
        self._values = values
        self._available_only = available_only
        self._user_features = user_features
        self._item_features = item_features

    def read(self) -> RawDataset:
        """Read the views; see :class:`recsys.data.raw.Reader`."""
        database = StoreDatabase.locate(self._database_url)
        with database.snapshot() as connection:
            interactions = copy_table(connection, self._query(), STORED_TYPES | _ENCODED_IDS)
            entities = self._read_entities(connection)
        look = look_through([interactions])
        columns, notes = self._columns(look, database.place)
        return self._with(columns.of(interactions), notes, entities, database.place)

    def num_bytes(self) -> int:
        """About the size of the interactions as text, as the database estimates it."""
        with StoreDatabase.locate(self._database_url).snapshot() as connection:
            return estimated_bytes(connection, self._query())

    def stream(self) -> RawStream:
        """The views with interactions in batches, from a copy; see :class:`recsys.data.raw_stream.StreamingReader`."""
        database = StoreDatabase.locate(self._database_url)
        self._copies = ScratchDirectory()  # for as long as this reader, or until the next stream
        path = self._copies.path / "interactions.csv"
        with database.snapshot() as connection:
            with copying(f"What is read from {database.place}", path.parent), path.open("wb") as file:
                copy_rows(connection, self._query(), file)
            entities = self._read_entities(connection)
        columns, notes = self._columns(look_through(copied_batches(path, STORED_TYPES)), database.place)
        empty = columns.of(pa.schema(list(STORED_TYPES.items())).empty_table())
        rest = self._with(empty, notes, entities, database.place)
        return RawStream(rest, StoredBatches(path, columns), path.stat().st_size, is_local=True)

    def _read_entities(self, connection: Connection) -> tuple[pa.Table, pa.Table]:
        """The users and the items, with their properties as text."""
        users = copy_table(
            connection, "SELECT user_id, properties FROM training_users ORDER BY 1", {USER_ID: _TEXT, "json": _TEXT}
        )
        items = copy_table(
            connection,
            "SELECT item_id, title, properties FROM training_items"
            f"{' WHERE available' if self._available_only else ''} ORDER BY 1",
            {ITEM_ID: _TEXT, TITLE: _TEXT, "json": _TEXT},
        )
        return users, items

    def _columns(self, look: Look, place: str) -> tuple[StoredColumns, tuple[str, ...]]:
        """What is made of the stored columns, and notes on that."""
        if look.num_rows == 0:
            raise DataError(
                f"{place} has no interactions of users who may be profiled{self._asked()}. Import some, or "
                "ask for other ones."
            )
        notes: tuple[str, ...] = ()
        kind = self._values
        if kind == "auto":
            kind = "rating" if look.num_without_value == 0 else "ignore"
            if 0 < look.num_without_value < look.num_rows:
                notes = (
                    f"values are ignored, because {look.num_without_value:,} of {look.num_rows:,} interactions have "
                    "none (data.types=[...] reads some types only)",
                )
        name = {"rating": RATING, "weight": WEIGHT}.get(kind)
        return StoredColumns(name, look.has_subseconds), notes

    def _with(
        self, interactions: pa.Table, notes: tuple[str, ...], entities: tuple[pa.Table, pa.Table], place: str
    ) -> RawDataset:
        """The interactions with users and items."""
        users, items = entities
        user_table, user_features, user_notes = self._entities(users, USER_ID, self._user_features, place)
        item_table, item_features, item_notes = self._entities(items, ITEM_ID, self._item_features, place)
        return RawDataset(
            name=self.name,
            interactions=interactions,
            users=user_table,
            items=item_table,
            user_features=user_features,
            item_features=item_features,
            notes=(f"read from {place}", *notes, *user_notes, *item_notes),
        )

    def fingerprint(self) -> dict[str, object]:
        """The arguments and how far the database has got; see :class:`recsys.data.raw.Reader`."""
        database = StoreDatabase.locate(self._database_url)
        progress = (
            "SELECT (SELECT last_value FROM user_revision), "
            "(SELECT revision FROM service_state WHERE name = 'catalogue')"
        )
        with database.snapshot() as connection:
            revisions = list(connection.exec_driver_sql(progress).one())
        return make_fingerprint(
            self,
            {
                "database": database.place,
                "revisions": revisions,
                "name": self.name,
                "types": self._types,
                "since": self._since,
                "until": self._until,
                "values": self._values,
                "available_only": self._available_only,
                "user_features": _plain(self._user_features),
                "item_features": _plain(self._item_features),
            },
        )

    def _query(self) -> str:
        conditions = []
        if self._types is not None:
            conditions.append(f"type IN ({', '.join(map(literal, self._types)) or 'NULL'})")
        for sign, moment in ((">=", self._since), ("<", self._until)):
            if moment is not None:
                conditions.append(f"occurred_at {sign} {literal(moment)}")
        if self._available_only:
            conditions.append("item_id IN (SELECT item_id FROM training_items WHERE available)")
        return (
            "SELECT user_id, item_id, CAST(extract(epoch FROM occurred_at) * 1000000 AS bigint), value "
            f"FROM training_interactions{' WHERE ' if conditions else ''}{' AND '.join(conditions)} "
            "ORDER BY occurred_at, event_id"
        )

    def _entities(
        self, table: pa.Table, id_column: str, declared: Mapping[str, Declaration] | None, place: str
    ) -> tuple[pa.Table | None, tuple[FeatureColumn, ...], tuple[str, ...]]:
        """Users or items with their properties as columns, their features, and notes."""
        if len(table) == 0:
            return None, (), ()
        texts = table.column("json").to_pylist()
        table = table.drop_columns(["json"])
        if TITLE in table.column_names and table.column(TITLE).null_count == len(table):
            table = table.drop_columns([TITLE])
        columns, notes = property_columns(texts, table.column_names)
        for name, column in columns.items():
            table = table.append_column(name, column)
        if declared is None:
            return table, infer_features(table, id_column), notes
        option = f"data.{id_column.removesuffix('_id')}_features"
        return *declare_features(table, declared, id_column, place, option), notes

    def _asked(self) -> str:
        parts = [f"of the types {', '.join(self._types)}"] if self._types is not None else []
        parts += [f"since {self._since}"] if self._since is not None else []
        parts += [f"before {self._until}"] if self._until is not None else []
        return f" {' '.join(parts)}" if parts else ""


def _moment(option: str, value: str | int | None) -> str | None:
    """A moment in UTC as ISO 8601.

    Raises:
        SettingsError: it cannot be read.
    """
    if value is None:
        return None
    parsed = parse_moment(value)
    if parsed is None:
        raise SettingsError(f"{option} must be a date, such as 2024-01-31 or 2024-01-31T12:00:00Z, but is {value!r}.")
    seconds, nanoseconds = parsed
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanoseconds // 1000).isoformat()


def _plain(declared: Mapping[str, Declaration] | None) -> dict[str, Any] | None:
    if declared is None:
        return None
    return {name: kind if isinstance(kind, str) else dict(kind) for name, kind in declared.items()}
