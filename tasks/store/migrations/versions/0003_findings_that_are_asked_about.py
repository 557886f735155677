"""Findings say what they are, which rule decided and who is asked; counts of places nobody knows; lots."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tasks.store.database import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STATES = ("ready", "counted", "matched", "posted", "recount", "review", "approved", "rejected", "refused")
_REASONS = (
    "CONSUMED", "CORRECTION", "DAMAGED", "DATA_ENTRY_ERROR", "EXPIRED", "FOUND", "MISSING", "RECOUNTED", "REJECTED",
    "RETURNED", "SCRAPPED", "STOLEN", "BIN_CORRECTION", "LOT_CORRECTION", "INCORRECT_LOT_PICKED",
    "FIX_NEGATIVE_INVENTORY", "INBOUND_NOT_RECORDED", "OUTBOUND_NOT_RECORDED", "RETURN_NOT_RECORDED",
    "ERROR_IN_INBOUND", "ERROR_IN_OUTBOUND", "BIN_LOCATION_MISSING", "MISPLACED", "OTHER",
)  # fmt: skip
_FINDINGS = ("matched", "difference", "found_at_zero", "unknown_sku", "unknown_location", "wrong_bin")
_DECISIONS = ("matched", "posted", "recount", "review", "superseded", "rejected")
_ANSWERS = ("approved", "rejected", "recount")
_ANSWERED = "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)"
_SETTLED = "state NOT IN ('matched', 'posted') OR (location_id IS NOT NULL AND counted_at IS NOT NULL)"
_LINE = ("id", "count_id", "location_id", "product_id", "sku", "condition", "lot", "expires_on", "quantity", "counter",
         "counted_at", "comment", "state", "reason", "import_id", "row_number")  # fmt: skip
_FOUND = ("id", "count_line_id", "book", "expected", "counted", "difference", "value_minor", "currency",
          "within_tolerance", "decision", "reason_code", "decided_by", "decided_at")  # fmt: skip


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "lots",
        sa.Column("product_id", _ID, nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.CheckConstraint("lot <> ''", name=op.f("a_lot_has_a_name")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_lots_product_id")),
        sa.PrimaryKeyConstraint("product_id", "lot", name=op.f("pk_lots")),
        sqlite_with_rowid=True,
    )
    _take_out()
    op.execute("UPDATE kept_lines SET state = 'cancelled' WHERE state = 'ready' AND id NOT IN (SELECT MAX(id)"
               " FROM kept_lines WHERE state = 'ready' GROUP BY location_id, product_id, condition, lot)")  # fmt: skip
    _make_lines(
        _one_of("state", (*_STATES, "cancelled"), "count_lines_state_is_known"),
        sa.Column("location_code", sa.Text(), nullable=True),
        sa.Column("merchant_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchants.id"], name=op.f("fk_count_lines_merchant_id")),
        sa.Column("counted_on", sa.Date(), nullable=True),
        sa.CheckConstraint("location_id IS NOT NULL OR location_code IS NOT NULL", name=op.f("a_count_line_says_where")),
        sa.CheckConstraint(_SETTLED, name=op.f("a_settled_count_has_a_place_and_a_moment")),
        location_null=True,
    )  # fmt: skip
    op.create_index(op.f("ix_count_lines_count"), "count_lines", ["count_id"], unique=False)
    op.create_index("one_active_count_of_a_place", "count_lines", ["location_id", "product_id", "condition", "lot"],
                    unique=True, sqlite_where=sa.text("state = 'ready'"),
                    postgresql_where=sa.text("state = 'ready'"))  # fmt: skip
    _make_findings(
        sa.Column("finding", sa.Text(), server_default="difference", nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("asked_at", types.Instant(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", types.Instant(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("transfer_line_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["transfer_line_id"], ["count_lines.id"], name=op.f("fk_variances_transfer_line_id")),
        _one_of("finding", _FINDINGS, "variances_finding_is_known"),
        _one_of("decision", _DECISIONS, "variances_decision_is_known"),
        _one_of("reason_code", _REASONS, "variances_reason_code_is_known"),
        _one_of("answer", _ANSWERS, "variances_answer_is_known"),
        sa.CheckConstraint(_ANSWERED, name=op.f("an_answer_has_a_person_and_a_moment")),
        sa.CheckConstraint("transfer_line_id IS NULL OR transfer_line_id <> count_line_id",
                           name=op.f("a_transfer_goes_elsewhere")),
    )  # fmt: skip
    op.create_index("ix_variances_asked", "variances", ["decision"], unique=False,
                    sqlite_where=sa.text("decision = 'review'"),
                    postgresql_where=sa.text("decision = 'review'"))  # fmt: skip
    _put_back()
    op.execute("UPDATE count_lines SET merchant_id ="
               " (SELECT merchant_id FROM products WHERE products.id = count_lines.product_id)")  # fmt: skip
    op.drop_index("ix_stock_moves_product_id", table_name="stock_moves")
    op.create_index("ix_stock_moves_place", "stock_moves", ["product_id", "location_id"], unique=False)
    op.execute("UPDATE variances SET finding = 'matched' WHERE difference = 0")
    op.execute("UPDATE variances SET finding = 'found_at_zero' WHERE difference > 0 AND expected <= 0")
    op.execute("UPDATE variances SET finding = 'unknown_sku' WHERE count_line_id IN"
               " (SELECT id FROM count_lines WHERE product_id IS NULL)")  # fmt: skip


def downgrade() -> None:
    """Take the database back to the revision before: counts of places nobody knows are lost."""
    _take_out()
    op.execute("DELETE FROM kept_lines WHERE location_id IS NULL")
    op.execute("DELETE FROM kept_findings WHERE count_line_id NOT IN (SELECT id FROM kept_lines)")
    op.execute("UPDATE kept_findings SET decision = 'superseded' WHERE decision = 'rejected'")
    op.execute("UPDATE kept_lines SET state = 'rejected' WHERE state = 'cancelled'")
    _make_lines(_one_of("state", _STATES, "count_lines_state_is_known"), location_null=False)
    _make_findings()
    _put_back()
    op.drop_index("ix_stock_moves_place", table_name="stock_moves")
    op.create_index("ix_stock_moves_product_id", "stock_moves", ["product_id"], unique=False)
    op.drop_table("lots")


def _one_of(column: str, words: tuple[str, ...], name: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(name))


def _take_out() -> None:
    """SQLite changes no constraint of a table that is there: both tables are made anew, their rows wait."""
    op.execute("CREATE TEMPORARY TABLE kept_findings AS SELECT * FROM variances")
    op.execute("CREATE TEMPORARY TABLE kept_lines AS SELECT * FROM count_lines")
    op.drop_table("variances")
    op.drop_table("count_lines")


def _put_back() -> None:
    for table, kept, names in (("count_lines", "kept_lines", _LINE), ("variances", "kept_findings", _FOUND)):
        listed = ", ".join(names)
        op.execute(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {kept} ORDER BY id")
        op.execute(f"DROP TABLE {kept}")
        if op.get_bind().dialect.name == "postgresql":
            last = f"(SELECT COALESCE(MAX(id), 0) + 1 FROM {table})"
            op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last}, false)")


def _make_lines(*more: Any, location_null: bool) -> None:
    op.create_table(
        "count_lines",
        sa.Column("id", _ID, nullable=False),
        sa.Column("count_id", _ID, nullable=False),
        sa.Column("location_id", _ID, nullable=location_null),
        sa.Column("product_id", _ID, nullable=True),
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
        sa.Column("import_id", _ID, nullable=True),
        sa.Column("row_number", sa.Integer(), nullable=True),
        *more,
        sa.CheckConstraint("quantity IS NULL OR quantity >= 0", name=op.f("a_counted_quantity_is_not_negative")),
        sa.ForeignKeyConstraint(["count_id"], ["counts.id"], name=op.f("fk_count_lines_count_id")),
        sa.ForeignKeyConstraint(["location_id"], ["locations.id"], name=op.f("fk_count_lines_location_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_count_lines_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_lines")),
        sa.UniqueConstraint("import_id", "row_number", name=op.f("a_count_line_comes_from_one_row")),
        sqlite_with_rowid=True,
    )
    op.create_index("ix_count_lines_place", "count_lines", ["location_id", "product_id"], unique=False)


def _make_findings(*more: Any) -> None:
    op.create_table(
        "variances",
        sa.Column("id", _ID, nullable=False),
        sa.Column("count_line_id", _ID, nullable=False),
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
        *more,
        sa.CheckConstraint("difference = counted - expected", name=op.f("a_difference_is_counted_less_expected")),
        sa.ForeignKeyConstraint(["count_line_id"], ["count_lines.id"], name=op.f("fk_variances_count_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variances")),
        sa.UniqueConstraint("count_line_id", name=op.f("a_counted_place_has_one_finding")),
        sqlite_with_rowid=True,
    )
