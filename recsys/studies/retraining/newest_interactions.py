"""The newest interactions of the store, which the live model does not know: what comes last of them is held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID
from recsys.data.readers.store.database import StoreDatabase, copy_table, literal

#: Which interactions are held out: ``unprompted`` ones name no list, ``all`` are all.
HeldOutKind = Literal["unprompted", "all"]

_TYPES: Mapping[str, pa.DataType] = {
    USER_ID: pa.string(),
    ITEM_ID: pa.string(),
    TIMESTAMP: pa.int64(),
    RATING: pa.float64(),
}
_COLUMNS = "t.user_id, t.item_id, CAST(floor(extract(epoch FROM t.occurred_at)) AS bigint), t.value"
_UNPROMPTED = (
    " AND NOT EXISTS (SELECT FROM interactions i WHERE i.user_id = t.user_id AND i.occurred_at = t.occurred_at "
    "AND i.event_id = t.event_id AND i.recommendation_id IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """An interaction of a user before the held-out ones.

    Args:
        item_id: of the item.
        value: of the interaction, or None.
        timestamp: seconds since 1970.
    """

    item_id: str
    value: float | None
    timestamp: int


@dataclass(frozen=True, slots=True)
class NewestInteractions:
    """What is held out, and what users did before.

    Args:
        until: the moment from which on interactions are held out, whole seconds.
        num_new: interactions that the live model does not know, of those that were asked for.
        num_held_out: of them, those that are held out.
        table: Parquet file of the held-out ones.
        histories: what each of their users did before, oldest first.
    """

    until: datetime
    num_new: int
    num_held_out: int
    table: Path
    histories: Mapping[str, list[HistoryEvent]]


def read_newest(
    database: StoreDatabase,
    known_until: int | None,
    share: float,
    kind: HeldOutKind,
    table: Path,
    before: datetime | None = None,
) -> NewestInteractions | None:
    """Hold out the last share of the interactions that the live model does not know.

    Args:
        database: of the service.
        known_until: the latest interaction that the live model knows, seconds since 1970; None: it knows none.
        share: of the new interactions, by number, that is held out.
        kind: which of them are.
        table: Parquet file that they are written to: ids, ratings where there are any, times.
        before: only interactions before then, of which the last are held out in their turn; None: all.

    Returns:
        The interactions; None where there are no new ones.

    Raises:
        SourceError: the database cannot be read.
    """
    known = "-infinity" if known_until is None else _text(datetime.fromtimestamp(known_until + 1, UTC))
    sign, end = ("<=", _text(datetime.now(UTC))) if before is None else ("<", _text(before))
    with database.snapshot() as connection:
        [number, moment] = connection.exec_driver_sql(
            "SELECT count(*), percentile_disc(%s) WITHIN GROUP (ORDER BY occurred_at) FROM training_interactions "
            f"WHERE occurred_at >= %s AND occurred_at {sign} %s",
            (1 - share, known, end),
        ).one()
        if moment is None:
            return None
        until = moment.astimezone(UTC).replace(microsecond=0)
        newer = f"t.occurred_at >= {literal(_text(until))} AND t.occurred_at {sign} {literal(end)}"
        newer += _UNPROMPTED if kind == "unprompted" else ""
        held_out = copy_table(
            connection, f"SELECT {_COLUMNS} FROM training_interactions t WHERE {newer} ORDER BY t.occurred_at", _TYPES
        )
        before = copy_table(
            connection,
            f"SELECT {_COLUMNS} FROM training_interactions t WHERE t.occurred_at < {literal(_text(until))} AND "
            f"t.user_id IN (SELECT t.user_id FROM training_interactions t WHERE {newer}) "
            "ORDER BY t.occurred_at, t.event_id",
            _TYPES,
        )
    # A rating is a measure of all interactions or of none.
    kept = held_out if held_out.column(RATING).null_count == 0 else held_out.drop_columns([RATING])
    pq.write_table(kept, table)
    return NewestInteractions(until, number, len(held_out), table, _histories(before))


def _histories(table: pa.Table) -> dict[str, list[HistoryEvent]]:
    histories: dict[str, list[HistoryEvent]] = {}
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        histories.setdefault(row[USER_ID], []).append(HistoryEvent(row[ITEM_ID], row[RATING], row[TIMESTAMP]))
    return histories


def _text(moment: datetime) -> str:
    return moment.isoformat()
