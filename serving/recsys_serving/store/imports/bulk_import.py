"""Import of a prepared directory: users, items and interactions by COPY, some million rows in a minute.

An import that is repeated, or goes on after an interruption, adds nothing twice: the id of an event is a hash of what
it says. What the store knows already stays as it is.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
from sqlalchemy import Connection, text

from recsys.data.columns import (
    ITEM_ID,
    ITEM_INDEX,
    TITLE,
    USER_ID,
    USER_INDEX,
)
from recsys.data.prepared_files import (
    ITEMS_FILE,
    SCHEMA_FILE,
    USERS_FILE,
)
from recsys.data.schema import Schema
from recsys.errors import PreparedDataError
from recsys_serving.store.connection.database import Database
from recsys_serving.store.imports.import_rows import EPOCH, ImportedRows, read_prepared_table
from recsys_serving.store.imports.property_columns import property_rows
from recsys_serving.store.schema.partitions import Partitions
from recsys_serving.store.schema.revisions import next_revision
from recsys_serving.store.schema.tables import CATALOGUE

#: Longest time of one statement.
_STATEMENT_SECONDS = 1800.0

#: Rows of users or items that are turned into JSON at a time.
_DESCRIBED = 50_000

_PUT_USERS = (
    "INSERT INTO users (user_id, properties) SELECT id, CAST(properties AS jsonb) FROM given ON CONFLICT DO NOTHING"
)
_PUT_ITEMS = (
    "INSERT INTO items (item_id, title, properties, source, revision) "
    "SELECT g.id, g.title, CAST(g.properties AS jsonb), 'bundle', :revision + row_number() OVER () "
    "FROM given g LEFT JOIN items i ON i.item_id = g.id WHERE i.item_id IS NULL"
)

# Sorted keys reach the pages of their index one after the other.
_HASH = (
    "CREATE TEMPORARY TABLE hashed ON COMMIT DROP AS SELECT md5(concat_ws(E'\\x1f', g.user_id, g.item_id, "
    "CAST(:type AS text), g.microseconds, g.value, g.occurrence)) AS event_id, g.* FROM given g"
)
_LOCK = (
    "SELECT count(*) FROM (SELECT user_id FROM users WHERE user_id IN (SELECT DISTINCT user_id FROM hashed) "
    "ORDER BY user_id FOR NO KEY UPDATE) locked"
)
_MOMENT = "timestamptz 'epoch' + h.microseconds * interval '1 microsecond'"
_ACCOUNT = "coalesce(u.merged_into, h.user_id)"
_PUT_KEYS = (
    "CREATE TEMPORARY TABLE fresh (event_id text) ON COMMIT DROP",
    "WITH new AS (INSERT INTO interaction_keys (event_id, user_id, occurred_at) "
    f"SELECT h.event_id, {_ACCOUNT}, {_MOMENT} FROM hashed h LEFT JOIN users u ON u.user_id = h.user_id "
    "ORDER BY h.event_id ON CONFLICT DO NOTHING RETURNING event_id) INSERT INTO fresh SELECT event_id FROM new",
)
_PUT_INTERACTIONS = (
    "INSERT INTO interactions (event_id, user_id, item_id, type, value, occurred_at) "
    f"SELECT h.event_id, {_ACCOUNT}, h.item_id, :type, h.value, {_MOMENT} FROM hashed h "
    "LEFT JOIN users u ON u.user_id = h.user_id{only_fresh} ORDER BY h.number"
)
_ONLY_FRESH = " WHERE h.event_id IN (SELECT event_id FROM fresh)"
_RAISE_REVISIONS = (
    "UPDATE users SET revision = nextval('user_revision'), updated_at = now() WHERE user_id IN ("
    f"SELECT DISTINCT {_ACCOUNT} FROM hashed h JOIN fresh f USING (event_id) "
    "LEFT JOIN users u ON u.user_id = h.user_id)"
)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a prepared directory is imported.

    Args:
        type: type of the interactions; None: "rating" where they have ratings, and "interaction" otherwise.
        occurred_at: their moment where the data have no timestamps; None: the beginning of 1970, so that whatever comes
            later counts as later.
        chunk: interactions of one transaction.
    """

    type: str | None = None
    occurred_at: datetime | None = None
    chunk: int = 500_000


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import added; what was there already does not count.

    Args:
        users: new users.
        items: new items.
        interactions: new interactions.
        repeated: interactions that were there.
        seconds: time that it took.
    """

    users: int
    items: int
    interactions: int
    repeated: int
    seconds: float


def import_prepared(database: Database, directory: Path, options: ImportOptions | None = None) -> ImportResult:
    """Import a prepared directory.

    Ratings become values; where the data have weights and no ratings, weights do. Attributes of users and items become
    properties. Items of an import count as those of a bundle.

    Args:
        database: with the tables of this version.
        directory: as ``scripts/prepare.py`` writes it.
        options: see :class:`ImportOptions`.

    Raises:
        PreparedDataError: the directory is missing, damaged or of another version.
        StoreError: the database refuses the data; what was imported before stays.
        StoreUnavailable: the database is away; the import can be repeated.
    """
    options = options or ImportOptions()
    start = time.monotonic()
    schema = _schema(directory)
    kind = options.type or ("rating" if schema.rating is not None else "interaction")
    users = read_prepared_table(directory, USERS_FILE)
    items = read_prepared_table(directory, ITEMS_FILE)
    rows = ImportedRows.read(directory, options.occurred_at or EPOCH)
    num_users = _import_users(database, users)
    num_items = _import_items(database, items)
    Partitions(database, "interactions").ensure(rows.months())
    added = [_import_chunk(database, chunk, kind) for chunk in rows.chunks(options.chunk)]
    with database.transaction(_STATEMENT_SECONDS) as connection:
        connection.execute(text("ANALYZE users, items, interactions, interaction_keys"))
    num_new = sum(added)
    return ImportResult(num_users, num_items, num_new, len(rows.order) - num_new, time.monotonic() - start)


def _import_chunk(database: Database, chunk: pa.Table, kind: str) -> int:
    """Import some interactions in one transaction; returns how many were new."""
    columns = "number int, user_id text, item_id text, microseconds bigint, value float8, occurrence int"
    values = {"type": kind}
    with database.transaction(_STATEMENT_SECONDS) as connection:
        connection.execute(text("SET LOCAL synchronous_commit = off"))  # the import can be repeated
        _copy(connection, columns, chunk)
        connection.execute(text(_HASH), values)
        connection.execute(text("ANALYZE hashed"))
        connection.execute(text(_LOCK))
        connection.execute(text(_PUT_KEYS[0]))
        added = connection.execute(text(_PUT_KEYS[1])).rowcount
        if added:
            connection.execute(text("ANALYZE fresh"))
            only_fresh = "" if added == len(chunk) else _ONLY_FRESH
            connection.execute(text(_PUT_INTERACTIONS.format(only_fresh=only_fresh)), values)
            connection.execute(text(_RAISE_REVISIONS))
    return added


def _import_users(database: Database, users: pa.Table) -> int:
    added = 0
    for batch in property_rows(users, USER_ID, (USER_INDEX, USER_ID), _DESCRIBED):
        with database.transaction(_STATEMENT_SECONDS) as connection:
            _copy(connection, "id text, properties text", batch)
            added += connection.execute(text(_PUT_USERS)).rowcount
    return added


def _import_items(database: Database, items: pa.Table) -> int:
    added = 0
    named = TITLE in items.column_names
    columns = f"id text, properties text{', title text' if named else ''}"
    statement = _PUT_ITEMS if named else _PUT_ITEMS.replace("g.title", "CAST(NULL AS text)")
    for batch in property_rows(items, ITEM_ID, (ITEM_INDEX, ITEM_ID, TITLE), _DESCRIBED, TITLE if named else None):
        with database.transaction(_STATEMENT_SECONDS) as connection:
            revision = next_revision(connection, CATALOGUE, by=0)
            _copy(connection, columns, batch)
            new = connection.execute(text(statement), {"revision": revision}).rowcount
            next_revision(connection, CATALOGUE, by=new)
            added += new
    return added


def _copy(connection: Connection, columns: str, table: pa.Table) -> None:
    """Copy a table into the temporary table ``given``, which goes away with the transaction."""
    connection.execute(text(f"CREATE TEMPORARY TABLE given ({columns}) ON COMMIT DROP"))
    buffer = io.BytesIO()
    csv.write_csv(table, buffer, csv.WriteOptions(include_header=False, quoting_style="needed"))
    driver = connection.connection.driver_connection
    assert driver is not None
    names = ", ".join(table.column_names)
    with driver.cursor() as cursor, cursor.copy(f"COPY given ({names}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(buffer.getbuffer())
    connection.execute(text("ANALYZE given"))


def _schema(directory: Path) -> Schema:
    if not (directory / SCHEMA_FILE).is_file():
        raise PreparedDataError(
            f"{directory} must be a prepared directory and has no {SCHEMA_FILE}. Make one with scripts/prepare.py, or "
            "correct the path."
        )
    return Schema.load(directory / SCHEMA_FILE)
