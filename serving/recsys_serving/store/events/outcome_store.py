"""What came of the lists that were shown: by unit of an experiment, by list that explored, by item.

An interaction belongs to the list that its ``recommendation_id`` names: where its item stands in the list, and where it
came within the attribution window after the list. So each interaction counts once, for one list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text

from recsys_serving.store import rows
from recsys_serving.store.connection.database import Database
from recsys_serving.store.events.records import Exposure, ItemTrials, OutcomeWindows, UnitOutcome

#: What an experiment assigns.
UnitKind = Literal["user", "session"]

_UNITS: dict[UnitKind, str] = {"user": "e.user_id", "session": "e.context ->> 'session_id'"}
_PERIOD = {"since": " AND e.shown_at >= :since", "until": " AND e.shown_at < :until"}

# A list of somebody who is in several experiments names the first of them in its columns, and all of them in its
# context. Of a unit that saw lists of several variants, the first counts, and the number tells of the fault.
OUTCOMES = """
WITH lists AS (
    SELECT e.recommendation_id, {unit} AS unit_id, e.variant, e.shown_at, e.item_ids
    FROM exposures e WHERE e.experiment_id = :experiment_id AND e.variant IS NOT NULL{period}
    UNION ALL
    SELECT e.recommendation_id, {unit}, e.context -> 'variants' ->> CAST(:experiment_id AS text), e.shown_at, e.item_ids
    FROM exposures e WHERE e.context ? 'variants' AND (e.context -> 'variants') ? CAST(:experiment_id AS text)
        AND e.experiment_id <> :experiment_id{period}
), seen AS (
    SELECT lists.*, shown_at <= min(shown_at) OVER (PARTITION BY unit_id) + make_interval(secs => :exposure_seconds)
        AS is_inside
    FROM lists WHERE unit_id IS NOT NULL
), units AS (
    SELECT unit_id, (array_agg(variant ORDER BY shown_at, recommendation_id))[1] AS variant,
        min(shown_at) AS first_shown_at, count(*) FILTER (WHERE is_inside) AS exposures,
        count(DISTINCT variant) AS variants
    FROM seen GROUP BY unit_id
), done AS (
    SELECT s.unit_id, i.type, count(*) AS number, coalesce(sum(i.value), 0) AS total
    FROM seen s JOIN interactions i ON i.recommendation_id = s.recommendation_id AND i.item_id = ANY(s.item_ids)
        AND i.occurred_at >= s.shown_at
        AND i.occurred_at <= s.shown_at + make_interval(secs => :attribution_seconds)
    WHERE s.is_inside GROUP BY s.unit_id, i.type
), by_unit AS (
    SELECT unit_id, jsonb_object_agg(type, number) AS interactions, jsonb_object_agg(type, total) AS values
    FROM done GROUP BY unit_id
)
SELECT u.unit_id, u.variant, u.first_shown_at, u.exposures, u.variants, b.interactions, b.values
FROM units u LEFT JOIN by_unit b ON b.unit_id = u.unit_id ORDER BY u.first_shown_at, u.unit_id
"""

EXPLORED = """
SELECT * FROM exposures e
WHERE e.propensities IS NOT NULL AND e.shown_at >= :since AND e.shown_at < :until{experiment}
ORDER BY e.shown_at DESC, e.recommendation_id LIMIT :limit
"""
_OF_EXPERIMENT = " AND e.experiment_id = :experiment_id"

REWARDED = """
SELECT s.recommendation_id, array_agg(DISTINCT i.item_id) AS item_ids
FROM unnest(CAST(:ids AS uuid[]), CAST(:moments AS timestamptz[])) AS s (recommendation_id, shown_at)
JOIN interactions i ON i.recommendation_id = s.recommendation_id AND i.type = :type AND i.occurred_at >= s.shown_at
    AND i.occurred_at <= s.shown_at + make_interval(secs => :attribution_seconds)
GROUP BY s.recommendation_id
"""

# Only slots that explore count: what stands where it does without chance is seen for reasons of its own.
TRIALS = """
WITH lists AS (
    SELECT recommendation_id, shown_at, item_ids, propensities FROM exposures
    WHERE propensities IS NOT NULL AND shown_at >= :since AND shown_at < :until ORDER BY shown_at DESC LIMIT :max_lists
), slots AS (
    SELECT l.recommendation_id, l.shown_at, s.item_id
    FROM lists l, unnest(l.item_ids, l.propensities) AS s (item_id, propensity) WHERE s.propensity < 1
)
SELECT s.item_id, count(*) AS trials, count(*) FILTER (WHERE EXISTS (
    SELECT FROM interactions i WHERE i.recommendation_id = s.recommendation_id AND i.item_id = s.item_id
        AND i.type = ANY(CAST(:types AS text[])) AND i.occurred_at >= s.shown_at
        AND i.occurred_at <= s.shown_at + make_interval(secs => :attribution_seconds)
)) AS successes
FROM slots s GROUP BY s.item_id ORDER BY trials DESC, s.item_id LIMIT :max_items
"""

#: Longest time of a query over many lists.
ANALYSIS_SECONDS = 60.0


class OutcomeStore:
    """What came of the lists that were shown.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def units(
        self,
        experiment_id: str,
        windows: OutcomeWindows,
        unit: UnitKind = "user",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[UnitOutcome, ...]:
        """What each unit of an experiment did with its lists, in the order of their first ones.

        Args:
            experiment_id: the experiment; also where it is not the first that a list belongs to.
            windows: how long lists and interactions count.
            unit: what the experiment assigns; lists that do not tell theirs do not count.
            since: only lists shown from then on; None for all.
            until: only lists shown before then; None for all.
        """
        query, values = outcomes_query(experiment_id, windows, unit, since, until)
        with self._database.transaction(ANALYSIS_SECONDS) as connection:
            found = connection.execute(text(query), values).mappings()
            return tuple(
                UnitOutcome(**{**row, "interactions": row["interactions"] or {}, "values": row["values"] or {}})
                for row in found
            )

    def explored(
        self,
        since: datetime,
        until: datetime,
        limit: int,
        experiment_id: str | None = None,
        timeout_seconds: float = ANALYSIS_SECONDS,
    ) -> tuple[Exposure, ...]:
        """The latest lists with propensities that were shown from ``since`` until before ``until``.

        Args:
            since: begin of the time.
            until: end of it.
            limit: number of lists, at most.
            experiment_id: only lists of this experiment; None for all.
            timeout_seconds: longest time of the query.
        """
        values: dict[str, Any] = {"since": since, "until": until, "limit": limit}
        if experiment_id is not None:
            values["experiment_id"] = experiment_id
        query = EXPLORED.format(experiment="" if experiment_id is None else _OF_EXPERIMENT)
        with self._database.transaction(timeout_seconds) as connection:
            return tuple(rows.exposure(row) for row in connection.execute(text(query), values).mappings())

    def rewarded(
        self,
        exposures: Sequence[Exposure],
        interaction_type: str,
        attribution_seconds: float,
        timeout_seconds: float = ANALYSIS_SECONDS,
    ) -> dict[UUID, frozenset[str]]:
        """Items of lists that got an interaction of a type, by the list; lists without any are left out.

        Args:
            exposures: the lists.
            interaction_type: what counts.
            attribution_seconds: so long after the list, at most.
            timeout_seconds: longest time of the query.
        """
        values = {
            "ids": [one.recommendation_id for one in exposures],
            "moments": [one.shown_at for one in exposures],
            "type": interaction_type,
            "attribution_seconds": attribution_seconds,
        }
        with self._database.transaction(timeout_seconds) as connection:
            found = connection.execute(text(REWARDED), values)
            return {row.recommendation_id: frozenset(row.item_ids) for row in found}

    def item_trials(
        self,
        since: datetime,
        until: datetime,
        types: Sequence[str],
        attribution_seconds: float,
        max_lists: int,
        max_items: int,
    ) -> tuple[ItemTrials, ...]:
        """How often each item was shown in a slot that explores, and how often that was a success.

        Args:
            since: begin of the time in which lists were shown.
            until: end of it.
            types: of interactions that are a success.
            attribution_seconds: so long after the list, at most.
            max_lists: the latest lists count, at most so many.
            max_items: those shown most often come, at most so many.
        """
        values = {
            "since": since,
            "until": until,
            "types": list(types),
            "attribution_seconds": attribution_seconds,
            "max_lists": max_lists,
            "max_items": max_items,
        }
        with self._database.transaction(ANALYSIS_SECONDS) as connection:
            return tuple(ItemTrials(**row) for row in connection.execute(text(TRIALS), values).mappings())


def outcomes_query(
    experiment_id: str,
    windows: OutcomeWindows,
    unit: UnitKind = "user",
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[str, dict[str, Any]]:
    """The statement of :meth:`OutcomeStore.units` with its values."""
    period = {name: moment for name, moment in (("since", since), ("until", until)) if moment is not None}
    query = OUTCOMES.format(unit=_UNITS[unit], period="".join(_PERIOD[name] for name in period))
    values = {
        "experiment_id": experiment_id,
        "exposure_seconds": windows.exposure_seconds,
        "attribution_seconds": windows.attribution_seconds,
    }
    return query, values | period
