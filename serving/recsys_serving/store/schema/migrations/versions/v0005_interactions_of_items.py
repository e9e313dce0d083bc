"""An index of interactions by item, for what users did with one."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index, of every partition."""
    op.execute("CREATE INDEX interactions_item ON interactions (item_id, occurred_at)")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX interactions_item")
