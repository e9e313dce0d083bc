"""The first tables, and the views that training reads.

The statements stand here as they are, and not in the terms of ``tables.py``, which goes on changing.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
CREATE SEQUENCE user_revision;

CREATE TABLE users (
    user_id text PRIMARY KEY,
    properties jsonb NOT NULL DEFAULT '{}',
    profiling boolean NOT NULL DEFAULT true,
    revision bigint NOT NULL DEFAULT nextval('user_revision'),
    merged_into text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);  -- each interaction updates its user: the new version fits onto the page of the old one
CREATE INDEX users_merged_into ON users (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE items (
    item_id text PRIMARY KEY,
    title text,
    properties jsonb NOT NULL DEFAULT '{}',
    available boolean NOT NULL DEFAULT true,
    source text NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE UNIQUE INDEX items_revision ON items (revision);

CREATE TABLE interactions (
    event_id text NOT NULL,
    user_id text NOT NULL,
    item_id text NOT NULL,
    type text NOT NULL,
    value double precision,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    recommendation_id uuid,
    position integer,
    session_id text,
    properties jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (occurred_at);
CREATE INDEX interactions_user ON interactions (user_id, occurred_at);
CREATE INDEX interactions_recommendation ON interactions (recommendation_id) WHERE recommendation_id IS NOT NULL;

CREATE TABLE interaction_keys (
    event_id text PRIMARY KEY,
    user_id text NOT NULL,
    occurred_at timestamptz NOT NULL
);

CREATE TABLE exposures (
    recommendation_id uuid NOT NULL,
    user_id text,
    shown_at timestamptz NOT NULL,
    item_ids text[] NOT NULL,
    propensities double precision[],
    bundle text NOT NULL,
    model_version text NOT NULL,
    variant text,
    experiment_id text,
    context jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (recommendation_id, shown_at)
) PARTITION BY RANGE (shown_at);
CREATE INDEX exposures_user ON exposures (user_id, shown_at) WHERE user_id IS NOT NULL;
CREATE INDEX exposures_experiment ON exposures (experiment_id, shown_at) WHERE experiment_id IS NOT NULL;
CREATE INDEX exposures_shown_at ON exposures (shown_at);

CREATE TABLE experiments (
    experiment_id text PRIMARY KEY,
    name text NOT NULL,
    status text NOT NULL,
    definition jsonb NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    stopped_at timestamptz
);

CREATE TABLE experiment_steps (
    step_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    experiment_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    act text NOT NULL,
    actor text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX experiment_steps_experiment ON experiment_steps (experiment_id, step_id);

CREATE TABLE api_keys (
    key_id text PRIMARY KEY,
    name text NOT NULL,
    hash text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    act text NOT NULL,
    target text,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_act ON audit (act, id);

CREATE TABLE deployments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bundle text NOT NULL,
    fingerprint text NOT NULL,
    activated_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    note text
);

CREATE TABLE erasures (
    receipt_id uuid PRIMARY KEY,
    user_hash text NOT NULL,
    requested_at timestamptz NOT NULL,
    completed_at timestamptz NOT NULL,
    deleted jsonb NOT NULL,
    receipt jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE service_state (
    name text PRIMARY KEY,
    revision bigint NOT NULL
);
INSERT INTO service_state VALUES ('catalogue', 0), ('deployment', 0), ('experiment', 0);
"""

# Retention deletes old entries; it says so in its own transaction, and nobody else can do it unawares.
_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('recsys.retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'entries of % are neither changed nor deleted', TG_TABLE_NAME USING ERRCODE = '23001';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

_VIEWS = """
CREATE VIEW training_interactions AS
SELECT i.user_id, i.item_id, i.type, i.value, i.occurred_at, i.event_id
FROM interactions i JOIN users u ON u.user_id = i.user_id
WHERE u.profiling AND u.merged_into IS NULL;

CREATE VIEW training_items AS
SELECT item_id, title, properties, available FROM items WHERE deleted_at IS NULL;

CREATE VIEW training_users AS
SELECT user_id, properties FROM users WHERE profiling AND merged_into IS NULL;
"""


def upgrade() -> None:
    """Make everything."""
    for statements in (_TABLES, _APPEND_ONLY, _VIEWS):
        op.execute(statements)


def downgrade() -> None:
    """Drop everything, with all that it holds."""
    op.execute("DROP VIEW training_interactions, training_items, training_users")
    op.execute(
        "DROP TABLE users, items, interactions, interaction_keys, exposures, experiments, experiment_steps, api_keys, "
        "audit, deployments, erasures, service_state"
    )
    op.execute("DROP FUNCTION refuse_change")
    op.execute("DROP SEQUENCE user_revision")
