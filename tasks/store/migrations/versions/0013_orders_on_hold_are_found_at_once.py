"""Orders on hold, few of many, are found without a look at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    held = sa.text("hold_reason IS NOT NULL")
    op.create_index("ix_orders_held", "orders", ["hold_reason"], sqlite_where=held, postgresql_where=held)


def downgrade() -> None:
    """Take the database back to the revision before."""
    op.drop_index("ix_orders_held", "orders")
