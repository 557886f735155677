"""Holds with a cause and an end, orders that expire, feeds that know what they said, terms of buying, told alerts."""

import sqlalchemy as sa
from alembic import op

from tasks.store.database import types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REASONS = "'payment', 'fraud', 'address', 'stock', 'incomplete', 'quality', 'manual'"
_KINDS = "'low_stock', 'oversell', 'late', 'drift', 'cancelled_after_pick', 'unknown_sku', 'parcel', 'volume'"
_SNOOZE = "state <> 'snoozed' OR snoozed_until IS NOT NULL"


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "order_holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", types.Instant(timezone=True), nullable=False),
        sa.Column("until", types.Instant(timezone=True), nullable=True),
        sa.Column("ended_at", types.Instant(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.CheckConstraint(f"reason IN ({_REASONS}, 'duplicate')", name=op.f("order_holds_reason_is_known")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("a_hold_that_ended_says_how")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_holds")),
        sa.UniqueConstraint("cause", name=op.f("a_hold_has_one_cause")),
        sqlite_with_rowid=True,
    )
    op.create_index("one_open_hold_of_an_order", "order_holds", ["order_id"], unique=True,
                    sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))  # fmt: skip
    op.create_table(
        "feed_lines",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("warehouse_id", _ID, nullable=False),
        sa.Column("available", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("committed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unavailable", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default="due", nullable=False),
        sa.Column("published_at", types.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("state = 'due' OR published_at IS NOT NULL", name=op.f("a_published_line_says_when")),
        sa.CheckConstraint("state IN ('due', 'published')", name=op.f("feed_lines_state_is_known")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_feed_lines_product_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_feed_lines_warehouse_id")),
        sa.PrimaryKeyConstraint("feed", "product_id", "warehouse_id", name=op.f("pk_feed_lines")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "stock_targets",
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("reorder_point", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("order_up_to", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("safety_stock", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("daily_units", sa.Float(), nullable=True),
        sa.Column("daily_deviation_units", sa.Float(), nullable=True),
        sa.Column("days_counted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("computed_at", types.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("reorder_point >= 0 AND order_up_to >= reorder_point",
                           name=op.f("stock_is_bought_up_from_its_reorder_point")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_targets_product_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_stock_targets")),
        sqlite_with_rowid=True,
    )  # fmt: skip
    op.create_table(
        "supply_terms",
        sa.Column("product_id", _ID, autoincrement=False, nullable=False),
        sa.Column("supplier", sa.Text(), server_default="", nullable=False),
        sa.Column("supplier_sku", sa.Text(), nullable=True),
        sa.Column("lead_days", sa.Float(), nullable=True),
        sa.Column("lead_deviation_days", sa.Float(), nullable=True),
        sa.Column("service_level", sa.Float(), nullable=True),
        sa.Column("stock_min", sa.Integer(), nullable=True),
        sa.Column("stock_max", sa.Integer(), nullable=True),
        sa.Column("order_min", sa.Integer(), nullable=True),
        sa.Column("order_multiple", sa.Integer(), nullable=True),
        sa.Column("import_id", _ID, nullable=True),
        sa.CheckConstraint("order_multiple IS NULL OR order_multiple >= 1",
                           name=op.f("goods_are_ordered_by_the_unit_at_least")),
        sa.CheckConstraint("service_level IS NULL OR (service_level >= 0.5 AND service_level < 1)",
                           name=op.f("a_service_level_is_a_probability")),
        sa.CheckConstraint("stock_max IS NULL OR stock_min IS NULL OR stock_max >= stock_min",
                           name=op.f("the_most_is_no_less_than_the_least")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_supply_terms_product_id")),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_supply_terms")),
        sqlite_with_rowid=True,
    )  # fmt: skip
    for name, kind in (("snoozed_by", sa.Text()), ("comment", sa.Text()), ("told_at", types.Instant(timezone=True))):
        op.add_column("alerts", sa.Column(name, kind, nullable=True))
    op.add_column("orders", sa.Column("expired_at", types.Instant(timezone=True), nullable=True))
    _reword("orders", "orders_hold_reason_is_known", f"hold_reason IN ({_REASONS}, 'duplicate')")
    _reword("alerts", "alerts_kind_is_known", f"kind IN ({_KINDS}, 'paid_after_expiry')")
    _add_check("alerts", "alerts_state_is_known", "a_snooze_has_an_end", _SNOOZE)


def downgrade() -> None:
    """Take the database back to the revision before: what no older word can say is lost."""
    op.execute("DELETE FROM alerts WHERE kind = 'paid_after_expiry'")
    op.execute("UPDATE orders SET hold_reason = 'manual' WHERE hold_reason = 'duplicate'")
    _drop_check("alerts", "a_snooze_has_an_end", _SNOOZE)
    _reword("alerts", "alerts_kind_is_known", f"kind IN ({_KINDS})")
    _reword("orders", "orders_hold_reason_is_known", f"hold_reason IN ({_REASONS})")
    op.drop_column("orders", "expired_at")
    for name in ("told_at", "comment", "snoozed_by"):
        op.drop_column("alerts", name)
    for table in ("supply_terms", "stock_targets", "feed_lines", "order_holds"):
        op.drop_table(table)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _reword(table: str, name: str, condition: str) -> None:
    """Put another condition in the place of a CHECK of one column: `<column> IN (…)`."""
    if not _on_sqlite():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
        return
    before, _, after = _definition(table).partition(f"CONSTRAINT {name} CHECK (")
    _make_anew(table, f"{before}CONSTRAINT {name} CHECK ({condition})" + after[after.index("))") + 2 :])


def _add_check(table: str, neighbour: str, name: str, condition: str) -> None:
    if not _on_sqlite():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
        return
    before, mark, after = _definition(table).partition(f"CONSTRAINT {neighbour} ")
    _make_anew(table, f"{before}CONSTRAINT {name} CHECK ({condition}), \n\t{mark}{after}")


def _drop_check(table: str, name: str, condition: str) -> None:
    if not _on_sqlite():
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        return
    _make_anew(table, _definition(table).replace(f"CONSTRAINT {name} CHECK ({condition}), \n\t", ""))


def _definition(table: str) -> str:
    asked = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
    return str(op.get_bind().scalar(asked, {"table": table}))


def _make_anew(table: str, definition: str) -> None:
    """SQLite changes no constraint of a table that is there: its rows wait while it is made again as `definition`.

    Its indexes and triggers, whoever made them, are made again as they were; references to its rows hold, because
    they are asked for only when all of this is committed.
    """
    asked = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :table AND type <> 'table' AND sql IS NOT NULL")
    others = list(op.get_bind().scalars(asked, {"table": table}))
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute(f"CREATE TEMPORARY TABLE kept AS SELECT * FROM {table}")
    op.drop_table(table)
    op.execute(sa.text(definition.replace(":", "\\:")))
    op.execute(f"INSERT INTO {table} SELECT * FROM kept")
    op.execute("DROP TABLE kept")
    for statement in others:
        op.execute(sa.text(statement.replace(":", "\\:")))
