"""The picks of a promise are found without reading every pick."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_index(op.f("ix_picks_allocation_id"), "picks", ["allocation_id"], unique=False)


def downgrade() -> None:
    """Take the database back to the revision before."""
    op.drop_index(op.f("ix_picks_allocation_id"), table_name="picks")
