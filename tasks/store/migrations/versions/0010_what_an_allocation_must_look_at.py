"""Goods on their way, and what an allocation must look at again."""

import sqlalchemy as sa
from alembic import op

from tasks.store import types

revision = "0010"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOTES = {
    "sqlite": [
        "CREATE TRIGGER stock_that_came_is_noted AFTER INSERT ON stock_levels WHEN (NEW.on_hand > NEW.allocated) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('product', NEW.product_id); END",
        "CREATE TRIGGER stock_that_grew_is_noted AFTER UPDATE ON stock_levels WHEN (NEW.on_hand - NEW.allocated > OLD.on_hand - OLD.allocated) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('product', NEW.product_id); END",
        "CREATE TRIGGER a_changed_line_is_noted AFTER UPDATE OF sku, requires_shipping, quantity_ordered, quantity_cancelled, quantity_allocated ON order_lines WHEN (NEW.quantity_allocated < OLD.quantity_allocated OR NEW.sku <> OLD.sku OR NEW.requires_shipping <> OLD.requires_shipping OR NEW.quantity_ordered <> OLD.quantity_ordered OR NEW.quantity_cancelled <> OLD.quantity_cancelled) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.order_id); END",
        "CREATE TRIGGER a_changed_order_is_noted AFTER UPDATE OF paid_at, hold_reason, hold_until, refunded_minor, total_minor, cancelled_at, fulfilled_at ON orders WHEN (1 = 1) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.id); END",
        "CREATE TRIGGER a_new_product_is_noted AFTER INSERT ON products WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_changed_product_is_noted AFTER UPDATE OF sku, abc_class ON products WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_new_component_is_noted AFTER INSERT ON kit_components WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_changed_component_is_noted AFTER UPDATE ON kit_components WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_removed_component_is_noted AFTER DELETE ON kit_components WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_changed_place_is_noted AFTER UPDATE OF purpose, warehouse_id ON locations WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_changed_lot_is_noted AFTER UPDATE OF expires_on ON lots WHEN (1 = 1) AND NOT EXISTS (SELECT 1 FROM allocation_notes WHERE kind = 'everything') BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); END",
        "CREATE TRIGGER a_line_added_is_noted AFTER INSERT ON order_lines WHEN NEW.order_id <= (SELECT max(orders_seen) FROM allocation_passes) BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.order_id); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION stock_that_came_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('product', NEW.product_id); RETURN NULL; END $$",
        "CREATE TRIGGER stock_that_came_is_noted AFTER INSERT ON stock_levels FOR EACH ROW WHEN (NEW.on_hand > NEW.allocated) EXECUTE FUNCTION stock_that_came_is_noted()",
        "CREATE OR REPLACE FUNCTION stock_that_grew_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('product', NEW.product_id); RETURN NULL; END $$",
        "CREATE TRIGGER stock_that_grew_is_noted AFTER UPDATE ON stock_levels FOR EACH ROW WHEN (NEW.on_hand - NEW.allocated > OLD.on_hand - OLD.allocated) EXECUTE FUNCTION stock_that_grew_is_noted()",
        "CREATE OR REPLACE FUNCTION a_changed_line_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.order_id); RETURN NULL; END $$",
        "CREATE TRIGGER a_changed_line_is_noted AFTER UPDATE OF sku, requires_shipping, quantity_ordered, quantity_cancelled, quantity_allocated ON order_lines FOR EACH ROW WHEN (NEW.quantity_allocated < OLD.quantity_allocated OR NEW.sku <> OLD.sku OR NEW.requires_shipping <> OLD.requires_shipping OR NEW.quantity_ordered <> OLD.quantity_ordered OR NEW.quantity_cancelled <> OLD.quantity_cancelled) EXECUTE FUNCTION a_changed_line_is_noted()",
        "CREATE OR REPLACE FUNCTION a_changed_order_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.id); RETURN NULL; END $$",
        "CREATE TRIGGER a_changed_order_is_noted AFTER UPDATE OF paid_at, hold_reason, hold_until, refunded_minor, total_minor, cancelled_at, fulfilled_at ON orders FOR EACH ROW WHEN (1 = 1) EXECUTE FUNCTION a_changed_order_is_noted()",
        "CREATE OR REPLACE FUNCTION a_new_product_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_new_product_is_noted AFTER INSERT ON products FOR EACH STATEMENT EXECUTE FUNCTION a_new_product_is_noted()",
        "CREATE OR REPLACE FUNCTION a_changed_product_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_changed_product_is_noted AFTER UPDATE OF sku, abc_class ON products FOR EACH STATEMENT EXECUTE FUNCTION a_changed_product_is_noted()",
        "CREATE OR REPLACE FUNCTION a_new_component_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_new_component_is_noted AFTER INSERT ON kit_components FOR EACH STATEMENT EXECUTE FUNCTION a_new_component_is_noted()",
        "CREATE OR REPLACE FUNCTION a_changed_component_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_changed_component_is_noted AFTER UPDATE ON kit_components FOR EACH STATEMENT EXECUTE FUNCTION a_changed_component_is_noted()",
        "CREATE OR REPLACE FUNCTION a_removed_component_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_removed_component_is_noted AFTER DELETE ON kit_components FOR EACH STATEMENT EXECUTE FUNCTION a_removed_component_is_noted()",
        "CREATE OR REPLACE FUNCTION a_changed_place_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_changed_place_is_noted AFTER UPDATE OF purpose, warehouse_id ON locations FOR EACH STATEMENT EXECUTE FUNCTION a_changed_place_is_noted()",
        "CREATE OR REPLACE FUNCTION a_changed_lot_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) VALUES ('everything', 0); RETURN NULL; END $$",
        "CREATE TRIGGER a_changed_lot_is_noted AFTER UPDATE OF expires_on ON lots FOR EACH STATEMENT EXECUTE FUNCTION a_changed_lot_is_noted()",
        "CREATE OR REPLACE FUNCTION a_line_added_is_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO allocation_notes (kind, subject_id) SELECT DISTINCT 'order', order_id FROM added WHERE order_id <= (SELECT max(orders_seen) FROM allocation_passes); RETURN NULL; END $$",
        "CREATE TRIGGER a_line_added_is_noted AFTER INSERT ON order_lines REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION a_line_added_is_noted()",
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
