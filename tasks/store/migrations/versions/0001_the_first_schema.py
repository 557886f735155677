"""The first schema."""

import sqlalchemy as sa
from alembic import op

from tasks.store.database import types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("received_at", types.Instant(timezone=True), nullable=False),
        sa.Column("rows_in", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_loaded", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_quarantined", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_ignored", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "state <> 'loaded' OR rows_in = rows_loaded + rows_unchanged + rows_quarantined",
            name=op.f("i1_every_row_is_loaded_unchanged_or_quarantined"),
        ),
        sa.CheckConstraint("state IN ('loaded', 'refused')", name=op.f("imports_state_is_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("kind", "source", "sha256", name=op.f("a_file_is_taken_in_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "merchants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchants")),
        sa.UniqueConstraint("code", name=op.f("a_merchant_code_names_one_merchant")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "message_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("occurred_at", types.Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_events")),
        sa.UniqueConstraint("event_id", name=op.f("a_provider_event_is_kept_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "run_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("as_of", types.Instant(timezone=True), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("rows_in", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rows_out", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("duration_ms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_log")),
        sa.UniqueConstraint(
            "flow", "step", "as_of", "fingerprint", name=op.f("a_step_on_the_same_input_is_logged_once")
        ),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "warehouses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouses")),
        sa.UniqueConstraint("code", name=op.f("a_warehouse_code_names_one_warehouse")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("opened_at", types.Instant(timezone=True), nullable=False),
        sa.Column("snoozed_until", types.Instant(timezone=True), nullable=True),
        sa.Column("resolved_at", types.Instant(timezone=True), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('low_stock', 'oversell', 'late', 'drift', 'cancelled_after_pick', 'unknown_sku', 'parcel', 'volume')",
            name=op.f("alerts_kind_is_known"),
        ),
        sa.CheckConstraint("state IN ('open', 'snoozed', 'covered', 'resolved')", name=op.f("alerts_state_is_known")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_alerts_merchant_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_alerts_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("cause", name=op.f("an_alert_has_one_cause")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "counts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="planned", nullable=False),
        sa.Column("counter", sa.Text(), nullable=True),
        sa.Column("planned_at", types.Instant(timezone=True), nullable=True),
        sa.Column("snapshot_at", types.Instant(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('planned', 'counted', 'recount', 'review', 'completed', 'cancelled')",
            name=op.f("counts_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_counts_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counts")),
        sa.UniqueConstraint("warehouse_id", "code", "round", name=op.f("a_count_code_names_one_count_of_a_warehouse")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "locations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="pick", nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("aisle", sa.Text(), nullable=True),
        sa.Column("bay", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("x_m", sa.Float(), nullable=True),
        sa.Column("y_m", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('pick', 'reserve', 'receiving', 'packing', 'quarantine', 'returns')",
            name=op.f("locations_purpose_is_known"),
        ),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_locations_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("a_location_code_names_one_place_of_a_warehouse")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(timezone=True), nullable=False),
        sa.Column("paid_at", types.Instant(timezone=True), nullable=True),
        sa.Column("cancelled_at", types.Instant(timezone=True), nullable=True),
        sa.Column("fulfilled_at", types.Instant(timezone=True), nullable=True),
        sa.Column("service_level", sa.Text(), nullable=True),
        sa.Column("ship_by", types.Instant(timezone=True), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("customer_reference", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("customer_name", sa.Text(), nullable=True),
        sa.Column("address1", sa.Text(), nullable=True),
        sa.Column("address2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("hold_until", types.Instant(timezone=True), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "hold_reason IN ('payment', 'fraud', 'address', 'stock', 'incomplete', 'quality', 'manual')",
            name=op.f("orders_hold_reason_is_known"),
        ),
        sa.CheckConstraint("refunded_minor >= 0", name=op.f("a_refund_is_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("merchant_id", "order_number", name=op.f("an_order_number_names_one_order_of_a_merchant")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("pack_quantity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("volume_ml", sa.Integer(), nullable=True),
        sa.Column("abc_class", sa.Text(), nullable=True),
        sa.Column("unit_cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("country_of_origin", sa.Text(), nullable=True),
        sa.Column("is_final_sale", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("is_hazmat", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("is_kit", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("reorder_point", sa.Integer(), nullable=True),
        sa.CheckConstraint("abc_class IS NULL OR abc_class IN ('A', 'B', 'C')", name=op.f("an_abc_class_is_a_b_or_c")),
        sa.CheckConstraint("pack_quantity >= 1", name=op.f("a_pack_holds_at_least_one")),
        sa.CheckConstraint("volume_ml IS NULL OR volume_ml >= 0", name=op.f("a_volume_is_not_negative")),
        sa.CheckConstraint("weight_g IS NULL OR weight_g >= 0", name=op.f("a_weight_is_not_negative")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_products_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("merchant_id", "sku", name=op.f("a_sku_names_one_product_of_a_merchant")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "quarantined_rows",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("corrected_by_import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("state IN ('open', 'corrected')", name=op.f("quarantined_rows_state_is_known")),
        sa.ForeignKeyConstraint(
            ["corrected_by_import_id"], ["imports.id"], name=op.f("fk_quarantined_rows_corrected_by_import_id")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_quarantined_rows_import_id")),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_quarantined_rows_merchant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_rows")),
        sa.UniqueConstraint("import_id", "row_number", name=op.f("a_row_is_quarantined_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "waves",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("cut_off_at", types.Instant(timezone=True), nullable=True),
        sa.Column("released_at", types.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed', 'cancelled')", name=op.f("waves_state_is_known")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_waves_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waves")),
        sa.UniqueConstraint("code", name=op.f("a_wave_code_names_one_wave")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "carts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wave_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("walk_m", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_carts_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("wave_id", "number", name=op.f("a_cart_number_names_one_cart_of_a_wave")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "count_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("location_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("condition", sa.Text(), server_default="available", nullable=False),
        sa.Column("lot", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=True),
        sa.Column("counter", sa.Text(), nullable=True),
        sa.Column("counted_at", types.Instant(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="ready", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state IN ('ready', 'counted', 'matched', 'posted', 'recount', 'review', 'approved', 'rejected', 'refused')",
            name=op.f("count_lines_state_is_known"),
        ),
        sa.CheckConstraint("quantity IS NULL OR quantity >= 0", name=op.f("a_counted_quantity_is_not_negative")),
        sa.ForeignKeyConstraint(["count_id"], ["counts.id"], name=op.f("fk_count_lines_count_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_count_lines_location_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_count_lines_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_lines")),
        sa.UniqueConstraint("import_id", "row_number", name=op.f("a_count_line_comes_from_one_row")),
        sqlite_with_rowid=True,
    )
    op.create_index("ix_count_lines_place", "count_lines", ["location_id", "product_id"], unique=False)
    op.create_table(
        "kit_components",
        sa.Column("kit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("component_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("kit_id <> component_id", name=op.f("a_kit_does_not_hold_itself")),
        sa.CheckConstraint("quantity > 0", name=op.f("a_kit_holds_at_least_one_of_a_component")),
        sa.ForeignKeyConstraint(["component_id"], ["products.id"], name=op.f("fk_kit_components_component_id")),
        sa.ForeignKeyConstraint(["kit_id"], ["products.id"], name=op.f("fk_kit_components_kit_id")),
        sa.PrimaryKeyConstraint("kit_id", "component_id", name=op.f("pk_kit_components")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", types.Instant(timezone=True), nullable=False),
        sa.Column("sent_at", types.Instant(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'delivered', 'bounced', 'suppressed', 'failed', 'in_doubt')",
            name=op.f("messages_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_messages_merchant_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_messages_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("dedupe_key", name=op.f("i4_a_message_is_sent_once")),
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_messages_order_id"), "messages", ["order_id"], unique=False)
    op.create_index("ix_messages_recipient", "messages", ["recipient"], unique=False)
    op.create_index("ix_messages_state", "messages", ["state"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_number", sa.BigInteger(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=True),
        sa.Column("discount_minor", sa.BigInteger(), nullable=True),
        sa.Column("requires_shipping", sa.Boolean(), server_default=sa.text("(true)"), nullable=False),
        sa.Column("quantity_ordered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_cancelled", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_allocated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_picked", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_packed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_shipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_delivered", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_returned", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "quantity_allocated <= quantity_ordered - quantity_cancelled", name=op.f("i6_allocated_is_ordered")
        ),
        sa.CheckConstraint("quantity_cancelled >= 0", name=op.f("a_cancelled_quantity_is_not_negative")),
        sa.CheckConstraint(
            "quantity_delivered >= 0 AND quantity_delivered <= quantity_shipped", name=op.f("i6_delivered_is_shipped")
        ),
        sa.CheckConstraint("quantity_ordered > 0", name=op.f("a_line_orders_something")),
        sa.CheckConstraint("quantity_packed <= quantity_picked", name=op.f("i6_packed_is_picked")),
        sa.CheckConstraint("quantity_picked <= quantity_allocated", name=op.f("i6_picked_is_allocated")),
        sa.CheckConstraint(
            "quantity_returned >= 0 AND quantity_returned <= quantity_shipped", name=op.f("i7_returned_is_shipped")
        ),
        sa.CheckConstraint("quantity_shipped <= quantity_packed", name=op.f("i6_shipped_is_packed")),
        sa.PrimaryKeyConstraint("order_id", "line_number", name=op.f("pk_order_lines")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_order_lines_open",
        "order_lines",
        ["order_id"],
        unique=False,
        sqlite_where=sa.text("quantity_shipped < quantity_ordered"),
        postgresql_where=sa.text("quantity_shipped < quantity_ordered"),
    )
    op.create_table(
        "returns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rma", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.Text(), server_default="requested", nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("customer_reference", sa.Text(), nullable=True),
        sa.Column("requested_at", types.Instant(timezone=True), nullable=False),
        sa.Column("decided_at", types.Instant(timezone=True), nullable=True),
        sa.Column("closed_at", types.Instant(timezone=True), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'manual', 'received', 'closed')",
            name=op.f("returns_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_returns_merchant_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_returns_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("merchant_id", "request_id", name=op.f("a_request_is_answered_once")),
        sa.UniqueConstraint("rma", name=op.f("an_rma_names_one_return")),
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_returns_order_id"), "returns", ["order_id"], unique=False)
    op.create_table(
        "shipments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parcel", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="packed", nullable=False),
        sa.Column("packer", sa.Text(), nullable=True),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("checks", sa.Text(), nullable=True),
        sa.Column("packed_at", types.Instant(timezone=True), nullable=True),
        sa.Column("shipped_at", types.Instant(timezone=True), nullable=True),
        sa.Column("delivered_at", types.Instant(timezone=True), nullable=True),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "state IN ('packed', 'held', 'released', 'shipped', 'in_transit', 'delivered', 'exception', 'returned_to_sender', 'lost')",
            name=op.f("shipments_state_is_known"),
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_shipments_merchant_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_shipments_order_id")),
        sa.ForeignKeyConstraint(["warehouse_id"], ["warehouses.id"], name=op.f("fk_shipments_warehouse_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("merchant_id", "parcel", name=op.f("a_parcel_code_names_one_parcel_of_a_merchant")),
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_shipments_order_id"), "shipments", ["order_id"], unique=False)
    op.create_index("ix_shipments_tracking", "shipments", ["carrier", "tracking_number"], unique=False)
    op.create_table(
        "stock_levels",
        sa.Column("location_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), server_default="", nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("allocated", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "allocated = 0 OR (condition = 'available' AND allocated <= on_hand)", name=op.f("i3_allocated_is_on_hand")
        ),
        sa.CheckConstraint(
            "condition IN ('available', 'damaged', 'quarantine', 'returned')",
            name=op.f("stock_levels_condition_is_known"),
        ),
        sa.CheckConstraint("allocated >= 0", name=op.f("allocated_is_not_negative")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_levels_location_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_levels_product_id")),
        sa.PrimaryKeyConstraint("location_id", "product_id", "condition", "lot", name=op.f("pk_stock_levels")),
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_stock_levels_product_id"), "stock_levels", ["product_id"], unique=False)
    op.create_table(
        "stock_moves",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("location_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.Text(), server_default="available", nullable=False),
        sa.Column("lot", sa.Text(), server_default="", nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("effective_at", types.Instant(timezone=True), nullable=False),
        sa.Column("recorded_at", types.Instant(timezone=True), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "condition IN ('available', 'damaged', 'quarantine', 'returned')",
            name=op.f("stock_moves_condition_is_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('opening', 'receipt', 'ship', 'adjust', 'count', 'transfer', 'return', 'scrap')",
            name=op.f("stock_moves_kind_is_known"),
        ),
        sa.CheckConstraint("quantity <> 0", name=op.f("a_move_moves_something")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_moves_location_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_moves_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
        sa.UniqueConstraint("cause", name=op.f("a_move_has_one_cause")),
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_stock_moves_product_id"), "stock_moves", ["product_id"], unique=False)
    op.create_table(
        "stock_snapshots",
        sa.Column("location_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), server_default="", nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("snapshot_at", types.Instant(timezone=True), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_stock_snapshots_import_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_stock_snapshots_location_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_stock_snapshots_product_id")),
        sa.PrimaryKeyConstraint("location_id", "product_id", "condition", "lot", name=op.f("pk_stock_snapshots")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "allocations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line_number", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot", sa.Text(), server_default="", nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("allocated_at", types.Instant(timezone=True), nullable=False),
        sa.Column("closed_at", types.Instant(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (closed_at IS NULL)", name=op.f("an_allocation_closes_once")),
        sa.CheckConstraint("state IN ('open', 'consumed', 'released')", name=op.f("allocations_state_is_known")),
        sa.CheckConstraint("quantity > 0", name=op.f("an_allocation_promises_something")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_allocations_location_id")),
        sa.ForeignKeyConstraint(
            ["order_id", "line_number"],
            ["order_lines.order_id", "order_lines.line_number"],
            name=op.f("fk_allocations_order_id"),
        ),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_allocations_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocations")),
        sqlite_with_rowid=True,
    )
    op.create_index("ix_allocations_line", "allocations", ["order_id", "line_number"], unique=False)
    op.create_index(
        "one_open_allocation_of_a_line_and_place",
        "allocations",
        ["order_id", "line_number", "location_id", "product_id", "lot"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "inspections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wave_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), server_default="not_inspected", nullable=False),
        sa.Column("inspected_at", types.Instant(timezone=True), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('not_inspected', 'release', 'hold')", name=op.f("inspections_verdict_is_known")
        ),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_inspections_shipment_id")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_inspections_wave_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
        sa.UniqueConstraint("shipment_id", name=op.f("a_parcel_is_inspected_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("refund_key", sa.Text(), nullable=False),
        sa.Column("return_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("created_at", types.Instant(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('proposed', 'paid')", name=op.f("refunds_state_is_known")),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("a_refund_gives_money_back")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_refunds_order_id")),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_refunds_return_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("refund_key", name=op.f("i7_a_refund_is_made_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "return_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("return_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("line_number", sa.BigInteger(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("quantity_received", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("received_at", types.Instant(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "disposition IN ('restock', 'quarantine', 'scrap', 'not_received')",
            name=op.f("return_lines_disposition_is_known"),
        ),
        sa.CheckConstraint(
            "quantity >= 0 AND quantity_received >= 0", name=op.f("a_returned_quantity_is_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "line_number"],
            ["order_lines.order_id", "order_lines.line_number"],
            name=op.f("fk_return_lines_order_id"),
        ),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_return_lines_return_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_lines")),
        sa.UniqueConstraint("return_id", "sku", name=op.f("a_return_lists_a_sku_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "shipment_lines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("line_number", sa.BigInteger(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("a_parcel_line_holds_something")),
        sa.ForeignKeyConstraint(
            ["order_id", "line_number"],
            ["order_lines.order_id", "order_lines.line_number"],
            name=op.f("fk_shipment_lines_order_id"),
        ),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_shipment_lines_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shipment_lines")),
        sa.UniqueConstraint("shipment_id", "sku", "line_number", name=op.f("a_parcel_lists_a_line_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "tracking_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("parcel", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("occurred_at", types.Instant(timezone=True), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("shipment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipments.id"], name=op.f("fk_tracking_events_shipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracking_events")),
        sa.UniqueConstraint("carrier", "parcel", "code", "occurred_at", name=op.f("a_tracking_event_is_kept_once")),
        sqlite_with_rowid=True,
    )
    op.create_index(op.f("ix_tracking_events_shipment_id"), "tracking_events", ["shipment_id"], unique=False)
    op.create_table(
        "variances",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("book", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("expected", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("counted", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("difference", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("within_tolerance", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", types.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("difference = counted - expected", name=op.f("a_difference_is_counted_less_expected")),
        sa.ForeignKeyConstraint(["count_line_id"], ["count_lines.id"], name=op.f("fk_variances_count_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variances")),
        sa.UniqueConstraint("count_line_id", name=op.f("a_counted_place_has_one_finding")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("inspection_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.CheckConstraint("severity IN ('critical', 'major', 'minor')", name=op.f("findings_severity_is_known")),
        sa.ForeignKeyConstraint(["inspection_id"], ["inspections.id"], name=op.f("fk_findings_inspection_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("inspection_id", "code", "subject", name=op.f("a_finding_is_written_once")),
        sqlite_with_rowid=True,
    )
    op.create_table(
        "picks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cart_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stop_number", sa.Integer(), nullable=False),
        sa.Column("allocation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("quantity_picked", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("short_reason", sa.Text(), nullable=True),
        sa.Column("picker", sa.Text(), nullable=True),
        sa.Column("picked_at", types.Instant(timezone=True), nullable=True),
        sa.CheckConstraint("state <> 'short' OR short_reason IS NOT NULL", name=op.f("a_short_pick_has_a_reason")),
        sa.CheckConstraint("state IN ('open', 'picked', 'short', 'cancelled')", name=op.f("picks_state_is_known")),
        sa.CheckConstraint("quantity > 0", name=op.f("a_pick_takes_something")),
        sa.CheckConstraint(
            "quantity_picked IS NULL OR (quantity_picked >= 0 AND quantity_picked <= quantity)",
            name=op.f("a_pick_takes_no_more_than_planned"),
        ),
        sa.ForeignKeyConstraint(["allocation_id"], ["allocations.id"], name=op.f("fk_picks_allocation_id")),
        sa.ForeignKeyConstraint(["cart_id"], ["carts.id"], name=op.f("fk_picks_cart_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picks")),
        sa.UniqueConstraint("cart_id", "stop_number", "allocation_id", name=op.f("a_stop_serves_an_allocation_once")),
        sqlite_with_rowid=True,
    )
    op.create_index(
        "i5_an_allocation_is_in_one_wave",
        "picks",
        ["allocation_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        op.execute(
            "CREATE TRIGGER i2_no_move_is_changed BEFORE UPDATE ON stock_moves BEGIN SELECT RAISE(ABORT, 'i2_the_ledger_is_only_appended_to'); END"
        )
        op.execute(
            "CREATE TRIGGER i2_no_move_is_deleted BEFORE DELETE ON stock_moves BEGIN SELECT RAISE(ABORT, 'i2_the_ledger_is_only_appended_to'); END"
        )
    if dialect == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION i2_the_ledger_is_only_appended_to() RETURNS trigger LANGUAGE plpgsql AS\n        $$ BEGIN RAISE EXCEPTION 'i2_the_ledger_is_only_appended_to' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER i2_no_move_is_changed BEFORE UPDATE OR DELETE ON stock_moves\n        FOR EACH ROW EXECUTE FUNCTION i2_the_ledger_is_only_appended_to()"
        )
        op.execute(
            "CREATE TRIGGER i2_the_ledger_is_not_emptied BEFORE TRUNCATE ON stock_moves\n        FOR EACH STATEMENT EXECUTE FUNCTION i2_the_ledger_is_only_appended_to()"
        )


def downgrade() -> None:
    """Take the database back to the revision before."""
    op.drop_index(
        "i5_an_allocation_is_in_one_wave",
        table_name="picks",
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    op.drop_table("picks")
    op.drop_table("findings")
    op.drop_table("variances")
    op.drop_index(op.f("ix_tracking_events_shipment_id"), table_name="tracking_events")
    op.drop_table("tracking_events")
    op.drop_table("shipment_lines")
    op.drop_table("return_lines")
    op.drop_table("refunds")
    op.drop_table("inspections")
    op.drop_index(
        "one_open_allocation_of_a_line_and_place",
        table_name="allocations",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_allocations_line", table_name="allocations")
    op.drop_table("allocations")
    op.drop_table("stock_snapshots")
    op.drop_index(op.f("ix_stock_moves_product_id"), table_name="stock_moves")
    op.drop_table("stock_moves")
    op.drop_index(op.f("ix_stock_levels_product_id"), table_name="stock_levels")
    op.drop_table("stock_levels")
    op.drop_index("ix_shipments_tracking", table_name="shipments")
    op.drop_index(op.f("ix_shipments_order_id"), table_name="shipments")
    op.drop_table("shipments")
    op.drop_index(op.f("ix_returns_order_id"), table_name="returns")
    op.drop_table("returns")
    op.drop_index(
        "ix_order_lines_open",
        table_name="order_lines",
        sqlite_where=sa.text("quantity_shipped < quantity_ordered"),
        postgresql_where=sa.text("quantity_shipped < quantity_ordered"),
    )
    op.drop_table("order_lines")
    op.drop_index("ix_messages_state", table_name="messages")
    op.drop_index("ix_messages_recipient", table_name="messages")
    op.drop_index(op.f("ix_messages_order_id"), table_name="messages")
    op.drop_table("messages")
    op.drop_table("kit_components")
    op.drop_index("ix_count_lines_place", table_name="count_lines")
    op.drop_table("count_lines")
    op.drop_table("carts")
    op.drop_table("waves")
    op.drop_table("quarantined_rows")
    op.drop_table("products")
    op.drop_table("orders")
    op.drop_table("locations")
    op.drop_table("counts")
    op.drop_table("alerts")
    op.drop_table("warehouses")
    op.drop_table("run_log")
    op.drop_table("message_events")
    op.drop_table("merchants")
    op.drop_table("imports")
