"""Exposures: lists that were shown; :mod:`recsys_serving.store.events.outcome_store` has what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import CheckViolation
from sqlalchemy import text

from recsys_serving.store import rows
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.events.records import Exposure
from recsys_serving.store.json_text import properties_json, to_json
from recsys_serving.store.schema.partitions import Partitions, check_moment

#: Columns of the table. Arrays of arrays must be of one length in SQL: the lists travel as JSON, the rest as arrays.
_COLUMNS = ("recommendation_id", "shown_at", "bundle", "model_version", "variant", "experiment_id")

# Whoever erases these users ends before the statement after this one begins, which so sees what was erased.
_LOCK_USERS = text(
    "SELECT user_id FROM users WHERE user_id = ANY(CAST(:user_id AS text[])) ORDER BY user_id FOR KEY SHARE"
)

# The user of a list that comes late may have been merged meanwhile; the lock keeps a merge out until the end. A list
# that was shown before its user asked to be erased, and waited somewhere, stays out: a receipt has a hash of the user.
_INSERT = text(
    "WITH account AS (SELECT user_id, merged_into FROM users WHERE user_id = ANY(CAST(:user_id AS text[])) "
    "ORDER BY user_id FOR KEY SHARE) "
    "INSERT INTO exposures (recommendation_id, shown_at, bundle, model_version, variant, experiment_id, user_id, "
    "item_ids, propensities, context) "
    "SELECT recommendation_id, shown_at, bundle, model_version, variant, experiment_id, "
    "coalesce(account.merged_into, given.user_id), "
    "ARRAY(SELECT e FROM jsonb_array_elements_text(item_ids) WITH ORDINALITY AS t (e, n) ORDER BY n), "
    "CASE WHEN propensities IS NOT NULL THEN ARRAY(SELECT CAST(e AS float8) FROM "
    "jsonb_array_elements_text(propensities) WITH ORDINALITY AS t (e, n) ORDER BY n) END, context "
    "FROM unnest(CAST(:recommendation_id AS uuid[]), CAST(:shown_at AS timestamptz[]), CAST(:bundle AS text[]), "
    "CAST(:model_version AS text[]), CAST(:variant AS text[]), CAST(:experiment_id AS text[]), "
    "CAST(:user_id AS text[]), CAST(:item_ids AS jsonb[]), CAST(:propensities AS jsonb[]), CAST(:context AS jsonb[])) "
    "AS given (recommendation_id, shown_at, bundle, model_version, variant, experiment_id, user_id, item_ids, "
    "propensities, context) LEFT JOIN account ON account.user_id = given.user_id "
    "WHERE NOT EXISTS (SELECT FROM erased_users e WHERE e.erased_at >= given.shown_at "
    "AND e.user_hash = erasure_hash(given.user_id)) ON CONFLICT DO NOTHING"
)

GET = "SELECT * FROM exposures WHERE recommendation_id = :id"

#: Longest time of a query over all lists of an experiment.
_ANALYSIS_SECONDS = 60.0


class ExposureStore:
    """Lists that were shown."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partitions = Partitions(database, "exposures")

    def append(self, exposures: Sequence[Exposure]) -> int:
        """Store lists, in one transaction; one whose id is there is left out. Returns how many were new.

        A list of a merged user goes to the account. One that a user saw who was erased since is left out.

        Raises:
            StoreUnavailable: nothing is stored.
            StoreRefused: a value cannot be stored; nothing is stored.
        """
        if not exposures:
            return 0
        given = [replace(one, shown_at=check_moment(one.shown_at)) for one in exposures]
        try:
            return self._append(given)
        except StoreRefused as error:
            if not isinstance(getattr(error.__cause__, "orig", None), CheckViolation):
                raise
            self._partitions.forget()  # retention dropped a partition meanwhile
            return self._append(given)

    def get(self, recommendation_id: UUID) -> Exposure | None:
        """A list that was shown, or None."""
        with self._database.transaction() as connection:
            row = connection.execute(text(GET), {"id": recommendation_id}).mappings().first()
        return None if row is None else rows.exposure(row)

    def iterate(
        self, since: datetime, until: datetime, experiment_id: str | None = None, batch: int = 5000
    ) -> Iterator[Exposure]:
        """Lists shown from ``since`` until before ``until``, oldest first, of an experiment or of all.

        Each batch is a query of its own, so that a slow reader keeps no transaction open.
        """
        query = "SELECT * FROM exposures WHERE shown_at >= :since AND shown_at < :until"
        values: dict[str, Any] = {"since": check_moment(since), "until": check_moment(until), "batch": batch}
        if experiment_id is not None:
            query += " AND experiment_id = :experiment_id"
            values["experiment_id"] = experiment_id
        order = " ORDER BY shown_at, recommendation_id LIMIT :batch"
        further = ""
        while True:
            with self._database.transaction(_ANALYSIS_SECONDS) as connection:
                answer = connection.execute(text(query + further + order), values).mappings()
                found = [rows.exposure(row) for row in answer]
            yield from found
            if len(found) < batch:
                return
            further = " AND (shown_at, recommendation_id) > (:since, :id)"
            values |= {"since": found[-1].shown_at, "id": found[-1].recommendation_id}

    def _append(self, exposures: Sequence[Exposure]) -> int:
        self._partitions.ensure(one.shown_at for one in exposures)
        ordered = sorted(exposures, key=lambda one: (one.recommendation_id, one.shown_at))
        values: dict[str, Any] = {name: [getattr(one, name) for one in ordered] for name in (*_COLUMNS, "user_id")}
        values["item_ids"] = [to_json(list(one.item_ids)) for one in ordered]
        values["propensities"] = [
            None if one.propensities is None else to_json(list(one.propensities)) for one in ordered
        ]
        values["context"] = [properties_json(one.context) for one in ordered]
        with self._database.transaction() as connection:
            connection.execute(_LOCK_USERS, {"user_id": values["user_id"]})
            return connection.execute(_INSERT, values).rowcount
