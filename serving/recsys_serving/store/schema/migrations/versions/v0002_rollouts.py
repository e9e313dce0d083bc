"""Rollouts of experiments; indexes of lists that explored, and of lists that belong to several experiments."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.execute("ALTER TABLE experiments ADD COLUMN rollout jsonb")
    op.execute("CREATE INDEX exposures_explored ON exposures (shown_at) WHERE propensities IS NOT NULL")
    op.execute(
        "CREATE INDEX exposures_variants ON exposures USING gin ((context -> 'variants')) WHERE context ? 'variants'"
    )


def downgrade() -> None:
    """Drop them; where rollouts are is lost."""
    op.execute("DROP INDEX exposures_variants, exposures_explored")
    op.execute("ALTER TABLE experiments DROP COLUMN rollout")
