"""The tables, as SQLAlchemy's queries know them; :mod:`recsys_serving.store.schema.migrations` makes them.

``interactions`` and ``exposures`` are partitioned by time; the partitions come from
:mod:`recsys_serving.store.schema.partitions`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

METADATA = MetaData()

_MOMENT = DateTime(timezone=True)
_NOW = text("now()")
_EMPTY = text("'{}'::jsonb")


def _properties(name: str = "properties") -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=_EMPTY)


def _moment(name: str) -> Column[object]:
    return Column(name, _MOMENT, nullable=False, server_default=_NOW)


USERS = Table(
    "users",
    METADATA,
    Column("user_id", Text, primary_key=True),
    _properties(),
    Column("profiling", Boolean, nullable=False, server_default=text("true")),
    # Of one sequence for all users: the number of a user that was erased never comes again.
    Column("revision", BigInteger, nullable=False, server_default=text("nextval('user_revision')")),
    Column("merged_into", Text),
    _moment("created_at"),
    _moment("updated_at"),
    Index("users_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
)

ITEMS = Table(
    "items",
    METADATA,
    Column("item_id", Text, primary_key=True),
    Column("title", Text),
    _properties(),
    Column("available", Boolean, nullable=False, server_default=text("true")),
    Column("source", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    Column("deleted_at", _MOMENT),
    Index("items_revision", "revision", unique=True),
)

INTERACTIONS = Table(
    "interactions",
    METADATA,
    Column("event_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("value", Double),
    Column("occurred_at", _MOMENT, nullable=False),
    _moment("received_at"),
    Column("recommendation_id", Uuid),
    Column("position", Integer),
    Column("session_id", Text),
    _properties(),
    Index("interactions_user", "user_id", "occurred_at"),
    Index("interactions_item", "item_id", "occurred_at"),
    Index("interactions_recommendation", "recommendation_id", postgresql_where=text("recommendation_id IS NOT NULL")),
    postgresql_partition_by="RANGE (occurred_at)",
)

#: One row for each event, whichever partition it is in: an event id occurs once.
INTERACTION_KEYS = Table(
    "interaction_keys",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("occurred_at", _MOMENT, nullable=False),
)

EXPOSURES = Table(
    "exposures",
    METADATA,
    Column("recommendation_id", Uuid, nullable=False),
    Column("user_id", Text),
    Column("shown_at", _MOMENT, nullable=False),
    Column("item_ids", ARRAY(Text), nullable=False),
    Column("propensities", ARRAY(Double)),
    Column("bundle", Text, nullable=False),
    Column("model_version", Text, nullable=False),
    Column("variant", Text),
    Column("experiment_id", Text),
    _properties("context"),
    PrimaryKeyConstraint("recommendation_id", "shown_at"),
    Index("exposures_user", "user_id", "shown_at", postgresql_where=text("user_id IS NOT NULL")),
    Index("exposures_experiment", "experiment_id", "shown_at", postgresql_where=text("experiment_id IS NOT NULL")),
    Index("exposures_shown_at", "shown_at"),
    Index("exposures_explored", "shown_at", postgresql_where=text("propensities IS NOT NULL")),
    Index(
        "exposures_variants",
        text("(context -> 'variants')"),
        postgresql_using="gin",
        postgresql_where=text("context ? 'variants'"),
    ),
    postgresql_partition_by="RANGE (shown_at)",
)

EXPERIMENTS = Table(
    "experiments",
    METADATA,
    Column("experiment_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("definition", JSONB, nullable=False),
    Column("revision", BigInteger, nullable=False),
    _moment("created_at"),
    _moment("updated_at"),
    Column("started_at", _MOMENT),
    Column("stopped_at", _MOMENT),
    Column("rollout", JSONB),
)

EXPERIMENT_STEPS = Table(
    "experiment_steps",
    METADATA,
    Column("step_id", BigInteger, Identity(always=True), primary_key=True),
    Column("experiment_id", Text, nullable=False),
    _moment("at"),
    Column("act", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _properties("detail"),
    Index("experiment_steps_experiment", "experiment_id", "step_id"),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    _moment("created_at"),
    Column("expires_at", _MOMENT),
    Column("revoked_at", _MOMENT),
    Column("last_used_at", _MOMENT),
    Index("api_keys_hash", "hash", unique=True),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _moment("at"),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("target", Text),
    _properties("detail"),
    Index("audit_actor", "actor", "id"),
    Index("audit_act", "act", "id"),
)

DEPLOYMENTS = Table(
    "deployments",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("bundle", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    _moment("activated_at"),
    Column("actor", Text, nullable=False),
    Column("note", Text),
)

ERASURES = Table(
    "erasures",
    METADATA,
    Column("receipt_id", Uuid, primary_key=True),
    Column("user_hash", Text, nullable=False),
    Column("requested_at", _MOMENT, nullable=False),
    Column("completed_at", _MOMENT, nullable=False),
    Column("deleted", JSONB, nullable=False),
    _properties("receipt"),
)

#: Hashes of the ids of erased users, see :mod:`recsys_serving.store.users.erased_users`.
ERASED_USERS = Table(
    "erased_users",
    METADATA,
    Column("user_hash", LargeBinary, primary_key=True),
    Column("erased_at", _MOMENT, nullable=False),
)

#: Revisions of what the workers keep in memory; the row of a name is locked by who changes it.
SERVICE_STATE = Table(
    "service_state",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

CATALOGUE = "catalogue"
DEPLOYMENT = "deployment"
EXPERIMENT = "experiment"
API_KEY = "api_key"
