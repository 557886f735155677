"""Waves have a kind, carts a zone, a time and revisions of their lists; orders of several zones meet at a wall."""

import sqlalchemy as sa
from alembic import op

from tasks.store.database import types

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KINDS = "kind IN ('mixed', 'single_line', 'multi_line', 'zone')"
_OF_CARTS = ("zone", "shortest_m", "least_m", "walk_s", "revision", "revised_at")
_OF_PICKS = ("revision", "left_revision")


def upgrade() -> None:
    """Bring the database to this revision."""
    op.execute(
        f"ALTER TABLE waves ADD COLUMN kind TEXT DEFAULT 'mixed' NOT NULL CONSTRAINT waves_kind_is_known CHECK ({_KINDS})"
    )
    op.add_column("carts", sa.Column("zone", sa.Text(), nullable=True))
    for metres in ("shortest_m", "least_m", "walk_s"):
        op.add_column("carts", sa.Column(metres, sa.Float(), nullable=True))
    op.add_column("carts", sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("carts", sa.Column("revised_at", types.Instant(timezone=True), nullable=True))
    op.add_column("picks", sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("picks", sa.Column("left_revision", sa.Integer(), nullable=True))
    op.execute("UPDATE picks SET left_revision = 1 WHERE state = 'cancelled'")  # their lists are long walked
    op.create_table(
        "wall_positions",
        sa.Column("wave_id", _ID, nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_wall_positions_wave_id")),
        sa.PrimaryKeyConstraint("wave_id", "order_id", name=op.f("pk_wall_positions")),
        sa.UniqueConstraint("wave_id", "position", name=op.f("a_wall_position_holds_one_order_of_a_wave")),
        sqlite_with_rowid=True,
    )


def downgrade() -> None:
    """Take the database back to the revision before."""
    op.drop_table("wall_positions")
    for name in _OF_PICKS:
        op.drop_column("picks", name)
    for name in _OF_CARTS:
        op.drop_column("carts", name)
    op.drop_column("waves", "kind")
