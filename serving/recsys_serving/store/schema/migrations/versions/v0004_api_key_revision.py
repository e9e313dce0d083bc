"""A revision of the API keys, so that workers know when to read them again."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Begin to count."""
    op.execute("INSERT INTO service_state VALUES ('api_key', 0)")


def downgrade() -> None:
    """Count no more."""
    op.execute("DELETE FROM service_state WHERE name = 'api_key'")
