"""Goods on their way, and what an allocation must look at again."""

import sqlalchemy as sa
from alembic import op

from tasks.store.database import types

revision = "0010"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOTES = {
    "sqlite": [
        "CREATE TRIGGER changed_orders_are_noted AFTER UPDATE OF paid_at, hold_reason, hold_until, refunded_minor, total_minor, cancelled_at, fulfilled_at ON orders FOR EACH ROW WHEN (NEW.paid_at IS NOT OLD.paid_at OR NEW.hold_reason IS NOT OLD.hold_reason OR NEW.hold_until IS NOT OLD.hold_until OR NEW.refunded_minor IS NOT OLD.refunded_minor OR NEW.total_minor IS NOT OLD.total_minor OR NEW.cancelled_at IS NOT OLD.cancelled_at OR NEW.fulfilled_at IS NOT OLD.fulfilled_at) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.id); END",
        "CREATE TRIGGER changed_order_lines_are_noted AFTER UPDATE OF sku, requires_shipping, quantity_ordered, quantity_cancelled ON order_lines FOR EACH ROW WHEN (NEW.sku IS NOT OLD.sku OR NEW.requires_shipping IS NOT OLD.requires_shipping OR NEW.quantity_ordered IS NOT OLD.quantity_ordered OR NEW.quantity_cancelled IS NOT OLD.quantity_cancelled) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.order_id); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION changed_orders_are_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.id); RETURN NULL; END $$",
        "CREATE TRIGGER changed_orders_are_noted AFTER UPDATE OF paid_at, hold_reason, hold_until, refunded_minor, total_minor, cancelled_at, fulfilled_at ON orders FOR EACH ROW WHEN (NEW.paid_at IS DISTINCT FROM OLD.paid_at OR NEW.hold_reason IS DISTINCT FROM OLD.hold_reason OR NEW.hold_until IS DISTINCT FROM OLD.hold_until OR NEW.refunded_minor IS DISTINCT FROM OLD.refunded_minor OR NEW.total_minor IS DISTINCT FROM OLD.total_minor OR NEW.cancelled_at IS DISTINCT FROM OLD.cancelled_at OR NEW.fulfilled_at IS DISTINCT FROM OLD.fulfilled_at) EXECUTE FUNCTION changed_orders_are_noted()",
        "CREATE OR REPLACE FUNCTION changed_order_lines_are_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.order_id); RETURN NULL; END $$",
        "CREATE TRIGGER changed_order_lines_are_noted AFTER UPDATE OF sku, requires_shipping, quantity_ordered, quantity_cancelled ON order_lines FOR EACH ROW WHEN (NEW.sku IS DISTINCT FROM OLD.sku OR NEW.requires_shipping IS DISTINCT FROM OLD.requires_shipping OR NEW.quantity_ordered IS DISTINCT FROM OLD.quantity_ordered OR NEW.quantity_cancelled IS DISTINCT FROM OLD.quantity_cancelled) EXECUTE FUNCTION changed_order_lines_are_noted()",
    ],
}


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "incoming_lines",
        sa.Column("id", ID, nullable=False),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("warehouse_id", ID, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("expected_at", types.Instant(timezone=True), nullable=False),
        sa.Column("import_id", ID, nullable=True),
        sa.CheckConstraint(
            "quantity >= 0 AND quantity_received >= 0 AND quantity_cancelled >= 0",
            name=op.f("an_incoming_quantity_is_not_negative"),
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_incoming_lines_product_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_incoming_lines_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incoming_lines")),
        sa.UniqueConstraint("product_id", "warehouse_id", "document", name=op.f("a_document_lists_a_product_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "allocation_notes",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('order', 'product', 'everything')", name=op.f("allocation_notes_kind_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_notes")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "allocation_passes",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", types.Instant(timezone=True), nullable=False),
        sa.Column("full_at", types.Instant(timezone=True), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("orders_seen", sa.BigInteger(), nullable=False),
        sa.Column("moves_seen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("there_is_one_last_pass")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_passes")),
        sqlite_with_rowid=True,
    )
    for statement in NOTES[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Take the database back to the revision before."""
    dialect = op.get_bind().dialect.name
    for statement in reversed(NOTES[dialect]):
        what, name, *rest = statement.replace("OR REPLACE ", "").split()[1:]
        table = f" ON {rest[rest.index('ON') + 1]}" if dialect == "postgresql" and what == "TRIGGER" else ""
        op.execute(f"DROP {what} {name}{table}")
    for table in ("allocation_passes", "allocation_notes", "incoming_lines"):
        op.drop_table(table)
