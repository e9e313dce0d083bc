"""Marks of erased users: what a bundle knows under such an id is not used any more.

A mark is a hash of the id with a salt of this database, so that it says nothing to whoever has the hashes alone.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLE = """
CREATE TABLE erased_users (
    user_hash bytea PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
"""

# The salt is part of the schema: no row that somebody could delete, and a dump has it.
_FUNCTIONS = """
DO $$ BEGIN
    EXECUTE format(
        'CREATE FUNCTION erasure_salt() RETURNS text LANGUAGE sql IMMUTABLE AS %L',
        format('SELECT %L', gen_random_uuid()::text || gen_random_uuid()::text)
    );
END $$;
CREATE FUNCTION erasure_hash(user_id text) RETURNS bytea LANGUAGE sql IMMUTABLE AS
    $$ SELECT sha256(convert_to(erasure_salt() || ':' || user_id, 'UTF8')) $$;
"""


def upgrade() -> None:
    """Make the table and what hashes an id."""
    op.execute(_TABLE)
    op.execute(_FUNCTIONS)


def downgrade() -> None:
    """Drop them, with all marks."""
    op.execute("DROP FUNCTION erasure_hash, erasure_salt")
    op.execute("DROP TABLE erased_users")
