"""The whole schema. Names, CHECKs and UNIQUEs are sentences of the invariants (docs/change/rules.md).

Money is integer minor units beside its currency; times are whole seconds of UTC; quantities are integers in the
base unit of measure. `cause` and `dedupe_key` say why a row exists and make every write happen exactly once.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.sql.schema import SchemaItem

from tasks.domain import states
from tasks.domain.counting import count_states
from tasks.store.database.types import Instant

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "%(constraint_name)s",
        "uq": "%(constraint_name)s",
    }
)

ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER PRIMARY KEY


def _id() -> Column[int]:
    return Column("id", ID, primary_key=True)


def _ref(table: str, *, null: bool = False, index: bool = False, name: str | None = None) -> Column[int]:
    """A reference to a row of `table`."""
    return Column(name or f"{_singular(table)}_id", ID, ForeignKey(f"{table}.id"), nullable=null, index=index)


def _singular(table: str) -> str:
    return table.removesuffix("es") if table.endswith("hes") else table.removesuffix("s")


def _text(name: str, default: str | None = None) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False, server_default=default)


def _maybe(name: str) -> Column[str]:
    """A text that may be missing."""
    return Column(name, Text)


def _units(name: str) -> Column[int]:
    """A quantity in the base unit of measure."""
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _minor(name: str, *, null: bool = True) -> Column[int]:
    """An amount in minor units."""
    return Column(name, BigInteger, nullable=null)


def _at(name: str, *, null: bool = True) -> Column[datetime]:
    """A moment, UTC."""
    return Column(name, Instant, nullable=null)


def _yes(name: str, *, default: bool = False) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def _one_of(column: str, words: type[StrEnum], name: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def _check(sql: str, name: str) -> CheckConstraint:
    return CheckConstraint(sql, name=name)


def _once(*columns: str, name: str) -> UniqueConstraint:
    return UniqueConstraint(*columns, name=name)


def _table(name: str, *items: SchemaItem, without_rowid: bool = False) -> Table:
    return Table(name, metadata, *items, sqlite_with_rowid=not without_rowid)


# ── what was taken in ────────────────────────────────────────────────────────────────────────────────────────────
imports = _table(
    "imports", _id(),
    _text("kind"), _text("source"), _text("sha256"), _text("file_name"), _maybe("layout"),
    _text("state"), _maybe("reason"), _at("received_at", null=False),
    _units("rows_in"), _units("rows_loaded"), _units("rows_unchanged"), _units("rows_quarantined"),
    _units("rows_ignored"),
    _once("kind", "source", "sha256", name="a_file_is_taken_in_once"),
    _one_of("state", states.ImportState, "imports_state_is_known"),
    _check("state <> 'loaded' OR rows_in = rows_loaded + rows_unchanged + rows_quarantined",
           "i1_every_row_is_loaded_unchanged_or_quarantined"),
)  # fmt: skip

quarantined_rows = _table(
    "quarantined_rows", _id(), _ref("imports"),
    Column("row_number", Integer, nullable=False), _ref("merchants", null=True), _maybe("subject"),
    _text("raw"), _text("cells"), _text("reasons"),
    _text("state", "open"), _ref("imports", null=True, name="corrected_by_import_id"),
    _once("import_id", "row_number", name="a_row_is_quarantined_once"),
    _one_of("state", states.QuarantineState, "quarantined_rows_state_is_known"),
)  # fmt: skip

# ── the shop's nouns ─────────────────────────────────────────────────────────────────────────────────────────────
merchants = _table(
    "merchants", _id(), _text("code"), _text("name"),
    _once("code", name="a_merchant_code_names_one_merchant"),
)  # fmt: skip

warehouses = _table(
    "warehouses", _id(), _text("code"), _text("name"), _text("time_zone"), _text("country"),
    _once("code", name="a_warehouse_code_names_one_warehouse"),
)  # fmt: skip

locations = _table(
    "locations", _id(), _ref("warehouses"), _text("code"),
    _text("purpose", "pick"), _maybe("zone"), _maybe("aisle"), _maybe("bay"), _maybe("level"),
    Column("x_m", Float), Column("y_m", Float),
    _once("warehouse_id", "code", name="a_location_code_names_one_place_of_a_warehouse"),
    _one_of("purpose", states.Purpose, "locations_purpose_is_known"),
)  # fmt: skip

products = _table(
    "products", _id(), _ref("merchants"), _text("sku"), _maybe("name"), _maybe("barcode"),
    Column("pack_quantity", Integer, nullable=False, server_default=text("1")),
    Column("weight_g", Integer), Column("volume_ml", Integer), _maybe("abc_class"),
    _minor("unit_cost_minor"), _minor("unit_price_minor"), _maybe("currency"), _maybe("category"),
    _maybe("country_of_origin"), _yes("is_final_sale"), _yes("is_hazmat"), _yes("is_kit"),
    Column("reorder_point", Integer),
    _once("merchant_id", "sku", name="a_sku_names_one_product_of_a_merchant"),
    _check("pack_quantity >= 1", "a_pack_holds_at_least_one"),
    _check("weight_g IS NULL OR weight_g >= 0", "a_weight_is_not_negative"),
    _check("volume_ml IS NULL OR volume_ml >= 0", "a_volume_is_not_negative"),
    _check("abc_class IS NULL OR abc_class IN ('A', 'B', 'C')", "an_abc_class_is_a_b_or_c"),
)  # fmt: skip

kit_components = _table(
    "kit_components",
    Column("kit_id", ID, ForeignKey("products.id"), primary_key=True),
    Column("component_id", ID, ForeignKey("products.id"), primary_key=True),
    Column("quantity", Integer, nullable=False),
    _check("quantity > 0", "a_kit_holds_at_least_one_of_a_component"),
    _check("kit_id <> component_id", "a_kit_does_not_hold_itself"),
)  # fmt: skip

lots = _table(  # what files say of a lot; its units are in the ledger
    "lots",
    Column("product_id", ID, ForeignKey("products.id"), primary_key=True),
    Column("lot", Text, primary_key=True), Column("expires_on", Date),
    _check("lot <> ''", "a_lot_has_a_name"),
)  # fmt: skip

# ── stock ────────────────────────────────────────────────────────────────────────────────────────────────────────
stock_moves = _table(
    "stock_moves", _id(), _ref("products"), _ref("locations"),
    _text("condition", "available"), _text("lot", ""),
    Column("quantity", Integer, nullable=False), _text("kind"), _maybe("reason"), _maybe("document"),
    _at("effective_at", null=False), _at("recorded_at", null=False), _text("cause"),
    _once("cause", name="a_move_has_one_cause"),
    Index("ix_stock_moves_place", "product_id", "location_id"),
    _check("quantity <> 0", "a_move_moves_something"),
    _one_of("condition", states.Condition, "stock_moves_condition_is_known"),
    _one_of("kind", states.MoveKind, "stock_moves_kind_is_known"),
)  # fmt: skip

_REFUSED = "i2_the_ledger_is_only_appended_to"  # a mistake in the ledger is put right by a move of its own
APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER i2_no_move_is_{past} BEFORE {verb} ON stock_moves BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END"
        for past, verb in (("changed", "UPDATE"), ("deleted", "DELETE"))
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION {_REFUSED}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        f"""CREATE TRIGGER i2_no_move_is_changed BEFORE UPDATE OR DELETE ON stock_moves
        FOR EACH ROW EXECUTE FUNCTION {_REFUSED}()""",
        f"""CREATE TRIGGER i2_the_ledger_is_not_emptied BEFORE TRUNCATE ON stock_moves
        FOR EACH STATEMENT EXECUTE FUNCTION {_REFUSED}()""",
    ],
}
for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        _guard: Any = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(stock_moves, "after_create", _guard)

stock_levels = _table(
    "stock_levels",
    Column("location_id", ID, ForeignKey("locations.id"), primary_key=True),
    Column("product_id", ID, ForeignKey("products.id"), primary_key=True, index=True),
    Column("condition", Text, primary_key=True), Column("lot", Text, primary_key=True, server_default=""),
    _units("on_hand"), _units("allocated"),
    _one_of("condition", states.Condition, "stock_levels_condition_is_known"),
    _check("allocated >= 0", "allocated_is_not_negative"),
    _check("allocated = 0 OR (condition = 'available' AND allocated <= on_hand)", "i3_allocated_is_on_hand"),
)  # fmt: skip

stock_snapshots = _table(  # what the last stock export of a place said
    "stock_snapshots",
    Column("location_id", ID, ForeignKey("locations.id"), primary_key=True),
    Column("product_id", ID, ForeignKey("products.id"), primary_key=True),
    Column("condition", Text, primary_key=True), Column("lot", Text, primary_key=True, server_default=""),
    _units("on_hand"), _at("snapshot_at", null=False), _ref("imports"),
)  # fmt: skip

# Orders and their lines name their merchant and their order without a FOREIGN KEY: they arrive by the million, each
# from a join with the row it names, nothing deletes those, and the check a row cost a third of the whole import.
# ── buying and selling ───────────────────────────────────────────────────────────────────────────────────────────
supply_terms = _table(  # who a product is bought from, and how
    "supply_terms", Column("product_id", ID, ForeignKey("products.id"), primary_key=True, autoincrement=False),
    _text("supplier", ""), _maybe("supplier_sku"), Column("lead_days", Float), Column("lead_deviation_days", Float),
    Column("service_level", Float), Column("stock_min", Integer), Column("stock_max", Integer),
    Column("order_min", Integer), Column("order_multiple", Integer), Column("import_id", ID),
    _check("service_level IS NULL OR (service_level >= 0.5 AND service_level < 1)", "a_service_level_is_a_probability"),
    _check("order_multiple IS NULL OR order_multiple >= 1", "goods_are_ordered_by_the_unit_at_least"),
    _check("stock_max IS NULL OR stock_min IS NULL OR stock_max >= stock_min", "the_most_is_no_less_than_the_least"),
)  # fmt: skip

stock_targets = _table(  # below which stock a product is bought, and up to which
    "stock_targets", Column("product_id", ID, ForeignKey("products.id"), primary_key=True, autoincrement=False),
    _units("reorder_point"), _units("order_up_to"), _units("safety_stock"), _text("basis"),
    Column("daily_units", Float), Column("daily_deviation_units", Float), _units("days_counted"),
    _at("computed_at", null=False),
    _check("reorder_point >= 0 AND order_up_to >= reorder_point", "stock_is_bought_up_from_its_reorder_point"),
)  # fmt: skip

feed_lines = _table(  # what a feed said last of a product in a warehouse
    "feed_lines", Column("feed", Text, primary_key=True),
    Column("product_id", ID, ForeignKey("products.id"), primary_key=True),
    Column("warehouse_id", ID, ForeignKey("warehouses.id"), primary_key=True),
    _units("available"), _units("committed"), _units("unavailable"), _text("state", "due"),
    _at("published_at"),
    _one_of("state", states.FeedState, "feed_lines_state_is_known"),
    _check("state = 'due' OR published_at IS NOT NULL", "a_published_line_says_when"),
)  # fmt: skip

# ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────
orders = _table(
    "orders", _id(), Column("merchant_id", ID, nullable=False), _text("order_number"), _maybe("channel"),
    _text("currency"),
    _at("created_at", null=False), _at("paid_at"), _at("cancelled_at"), _at("fulfilled_at"),
    _maybe("service_level"), _at("ship_by"), _minor("total_minor"),
    Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
    _maybe("customer_reference"), _maybe("email"), _maybe("customer_name"), _maybe("address1"), _maybe("address2"),
    _maybe("city"), _maybe("postal_code"), _maybe("province"), _maybe("country"), _maybe("phone"),
    _maybe("language"), _maybe("hold_reason"), _at("hold_until"), Column("import_id", ID),
    _at("expired_at"),  # when it was given up because nobody had paid
    _once("merchant_id", "order_number", name="an_order_number_names_one_order_of_a_merchant"),
    _one_of("hold_reason", states.HoldReason, "orders_hold_reason_is_known"),
    _check("refunded_minor >= 0", "a_refund_is_not_negative"),
    Index("ix_orders_held", "hold_reason", sqlite_where=text("hold_reason IS NOT NULL"),
          postgresql_where=text("hold_reason IS NOT NULL")),
)  # fmt: skip

order_lines = _table(
    "order_lines",
    Column("order_id", ID, primary_key=True),
    Column("line_number", BigInteger, primary_key=True),
    _text("sku"), _maybe("name"), _minor("unit_price_minor"), _minor("discount_minor"),
    _yes("requires_shipping", default=True),
    _units("quantity_ordered"), _units("quantity_cancelled"), _units("quantity_allocated"),
    _units("quantity_picked"), _units("quantity_packed"), _units("quantity_shipped"),
    _units("quantity_delivered"), _units("quantity_returned"),
    _check("quantity_ordered > 0", "a_line_orders_something"),
    _check("quantity_cancelled >= 0", "a_cancelled_quantity_is_not_negative"),
    _check("quantity_allocated <= quantity_ordered - quantity_cancelled", "i6_allocated_is_ordered"),
    _check("quantity_picked <= quantity_allocated", "i6_picked_is_allocated"),
    _check("quantity_packed <= quantity_picked", "i6_packed_is_picked"),
    _check("quantity_shipped <= quantity_packed", "i6_shipped_is_packed"),
    _check("quantity_delivered >= 0 AND quantity_delivered <= quantity_shipped", "i6_delivered_is_shipped"),
    _check("quantity_returned >= 0 AND quantity_returned <= quantity_shipped", "i7_returned_is_shipped"),
    Index("ix_order_lines_open", "order_id", sqlite_where=text("quantity_shipped < quantity_ordered"),
          postgresql_where=text("quantity_shipped < quantity_ordered")),
    without_rowid=True,
)  # fmt: skip


def _line(*, null: bool = False) -> list[SchemaItem]:
    """A reference to one order line."""
    return [
        Column("order_id", ID, nullable=null),
        Column("line_number", BigInteger, nullable=null),
        ForeignKeyConstraint(["order_id", "line_number"], ["order_lines.order_id", "order_lines.line_number"]),
    ]


order_holds = _table(  # what a person or the guard held; what an export says of a hold stands in its order alone
    "order_holds", _id(), Column("order_id", ID, nullable=False), _text("cause"), _text("reason"), _maybe("detail"),
    _text("set_by"), _at("set_at", null=False), _at("until"), _at("ended_at"), _maybe("ended_by"), _maybe("comment"),
    _once("cause", name="a_hold_has_one_cause"),
    _one_of("reason", states.HoldReason, "order_holds_reason_is_known"),
    _check("(ended_at IS NULL) = (ended_by IS NULL)", "a_hold_that_ended_says_how"),
    Index("one_open_hold_of_an_order", "order_id", unique=True, sqlite_where=text("ended_at IS NULL"),
          postgresql_where=text("ended_at IS NULL")),
)  # fmt: skip

allocations = _table(
    "allocations", _id(), *_line(),
    _ref("locations"), _ref("products"), _text("lot", ""), Column("quantity", Integer, nullable=False),
    _text("state", "open"), _at("allocated_at", null=False), _at("closed_at"), _maybe("closed_reason"),
    _check("quantity > 0", "an_allocation_promises_something"),
    _one_of("state", states.AllocationState, "allocations_state_is_known"),
    _check("(state = 'open') = (closed_at IS NULL)", "an_allocation_closes_once"),
    Index("ix_allocations_line", "order_id", "line_number"),
    Index("one_open_allocation_of_a_line_and_place", "order_id", "line_number", "location_id", "product_id", "lot",
          unique=True, sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
)  # fmt: skip

# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────
counts = _table(
    "counts", _id(), _ref("warehouses"), _text("code"), Column("round", Integer, nullable=False,
                                                              server_default=text("1")),
    _text("reason"), _text("state", "planned"), _maybe("counter"), _at("planned_at"), _at("snapshot_at"),
    _once("warehouse_id", "code", "round", name="a_count_code_names_one_count_of_a_warehouse"),
    _one_of("state", states.CountState, "counts_state_is_known"),
)  # fmt: skip

count_lines = _table(  # without a location_id: the sheet names a place the warehouse does not know, `location_code`
    "count_lines", _id(), _ref("counts"), _ref("locations", null=True), _ref("products", null=True),
    _maybe("sku"), _text("condition", "available"), _text("lot", ""), Column("expires_on", Date),
    Column("quantity", Integer), _maybe("counter"), _at("counted_at"), _maybe("comment"),
    _text("state", "ready"), _maybe("reason"), Column("import_id", ID), Column("row_number", Integer),
    _maybe("location_code"), _ref("merchants", null=True),
    Column("counted_on", Date),  # the day, where the sheet names no time of day
    _one_of("state", states.CountLineState, "count_lines_state_is_known"),
    _check("quantity IS NULL OR quantity >= 0", "a_counted_quantity_is_not_negative"),
    _check("location_id IS NOT NULL OR location_code IS NOT NULL", "a_count_line_says_where"),
    _check("state NOT IN ('matched', 'posted') OR (location_id IS NOT NULL AND counted_at IS NOT NULL)",
           "a_settled_count_has_a_place_and_a_moment"),
    _once("import_id", "row_number", name="a_count_line_comes_from_one_row"),
    Index("ix_count_lines_place", "location_id", "product_id"),
    Index("ix_count_lines_count", "count_id"),
    Index("one_active_count_of_a_place", "location_id", "product_id", "condition", "lot", unique=True,
          sqlite_where=text("state = 'ready'"), postgresql_where=text("state = 'ready'")),
)  # fmt: skip

variances = _table(
    "variances", _id(), _ref("count_lines"),
    _units("book"), _units("expected"), _units("counted"), _units("difference"), _minor("value_minor"),
    _maybe("currency"), _yes("within_tolerance"), _text("decision"), _maybe("reason_code"), _maybe("decided_by"),
    _at("decided_at"),
    _text("finding", count_states.CountFinding.DIFFERENCE), _maybe("rule"),  # version and id of the tolerance applied
    _maybe("role"), _at("asked_at"), _maybe("answer"), _maybe("answered_by"), _at("answered_at"), _maybe("comment"),
    _ref("count_lines", null=True, name="transfer_line_id"),  # the other place of a proposed transfer
    _once("count_line_id", name="a_counted_place_has_one_finding"),
    _check("difference = counted - expected", "a_difference_is_counted_less_expected"),
    _one_of("finding", count_states.CountFinding, "variances_finding_is_known"),
    _one_of("decision", count_states.CountDecision, "variances_decision_is_known"),
    _one_of("reason_code", count_states.ReasonCode, "variances_reason_code_is_known"),
    _one_of("answer", count_states.CountAnswer, "variances_answer_is_known"),
    _check("(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
           "an_answer_has_a_person_and_a_moment"),
    _check("transfer_line_id IS NULL OR transfer_line_id <> count_line_id", "a_transfer_goes_elsewhere"),
    Index("ix_variances_asked", "decision", sqlite_where=text("decision = 'review'"),
          postgresql_where=text("decision = 'review'")),
)  # fmt: skip

# ── picking ──────────────────────────────────────────────────────────────────────────────────────────────────────
waves = _table(
    "waves", _id(), _ref("warehouses"), _text("code"), _text("state", "open"), _maybe("carrier"),
    _at("cut_off_at"), _at("released_at", null=False), _text("kind", states.WaveKind.MIXED),
    _once("code", name="a_wave_code_names_one_wave"),
    _one_of("state", states.WaveState, "waves_state_is_known"),
    _one_of("kind", states.WaveKind, "waves_kind_is_known"),
)  # fmt: skip

carts = _table(
    "carts", _id(), _ref("waves"), Column("number", Integer, nullable=False), Column("walk_m", Float),
    _maybe("zone"),  # of a zone wave
    Column("shortest_m", Float), Column("least_m", Float),  # of the shortest tour found; no tour is shorter than that
    Column("walk_s", Float),  # everything from fetching the cart to leaving it
    Column("revision", Integer, nullable=False, server_default=text("1")), _at("revised_at"),  # of its pick list
    _once("wave_id", "number", name="a_cart_number_names_one_cart_of_a_wave"),
)  # fmt: skip

picks = _table(
    "picks", _id(), _ref("carts"), Column("stop_number", Integer, nullable=False), _ref("allocations", index=True),
    Column("position", Integer, nullable=False, server_default=text("1")),  # the order's place on the cart
    Column("quantity", Integer, nullable=False), Column("quantity_picked", Integer),
    _text("state", "open"), _maybe("short_reason"), _maybe("picker"), _at("picked_at"),
    Column("revision", Integer, nullable=False, server_default=text("1")),  # of the pick list it came with
    Column("left_revision", Integer),  # of the pick list it was gone from
    _check("quantity > 0", "a_pick_takes_something"),
    _check("quantity_picked IS NULL OR (quantity_picked >= 0 AND quantity_picked <= quantity)",
           "a_pick_takes_no_more_than_planned"),
    _check("state <> 'short' OR short_reason IS NOT NULL", "a_short_pick_has_a_reason"),
    _one_of("state", states.PickState, "picks_state_is_known"),
    _once("cart_id", "stop_number", "allocation_id", name="a_stop_serves_an_allocation_once"),
    Index("i5_an_allocation_is_in_one_wave", "allocation_id", unique=True,
          sqlite_where=text("state <> 'cancelled'"), postgresql_where=text("state <> 'cancelled'")),
)  # fmt: skip

wall_positions = _table(  # where orders picked in several zones are put together
    "wall_positions",
    Column("wave_id", ID, ForeignKey("waves.id"), primary_key=True),
    Column("order_id", ID, primary_key=True),
    Column("position", Integer, nullable=False),
    _once("wave_id", "position", name="a_wall_position_holds_one_order_of_a_wave"),
)  # fmt: skip

# ── parcels ──────────────────────────────────────────────────────────────────────────────────────────────────────
shipments = _table(
    "shipments", _id(), _ref("merchants"), _text("parcel"), _ref("orders", null=True, index=True),
    _ref("warehouses", null=True), _maybe("carrier"), _maybe("tracking_number"), _text("state", "packed"),
    _maybe("packer"), Column("weight_g", Integer), _maybe("checks"),
    _at("packed_at"), _at("shipped_at"), _at("delivered_at"), Column("import_id", ID),
    _once("merchant_id", "parcel", name="a_parcel_code_names_one_parcel_of_a_merchant"),
    _one_of("state", states.ParcelState, "shipments_state_is_known"),
    Index("ix_shipments_tracking", "carrier", "tracking_number"),
)  # fmt: skip

shipment_lines = _table(  # what was scanned into the parcel; a line without a line_number is not on the order
    "shipment_lines", _id(), _ref("shipments"), *_line(null=True),
    _text("sku"), Column("quantity", Integer, nullable=False),
    _check("quantity > 0", "a_parcel_line_holds_something"),
    _once("shipment_id", "sku", "line_number", name="a_parcel_lists_a_line_once"),
)  # fmt: skip

inspections = _table(
    "inspections", _id(), _ref("shipments"), _ref("waves", null=True), _text("plan"),
    Column("seed", BigInteger, nullable=False), _text("verdict", "not_inspected"), _at("inspected_at", null=False),
    _once("shipment_id", name="a_parcel_is_inspected_once"),
    _one_of("verdict", states.Verdict, "inspections_verdict_is_known"),
)  # fmt: skip

findings = _table(
    "findings", _id(), _ref("inspections"), _text("code"), _text("severity"), _text("subject"),
    _maybe("expected"), _maybe("found"),
    _once("inspection_id", "code", "subject", name="a_finding_is_written_once"),
    _one_of("severity", states.Severity, "findings_severity_is_known"),
)  # fmt: skip

tracking_events = _table(
    "tracking_events", _id(), _text("carrier"), _text("parcel"), _text("code"), _at("occurred_at", null=False),
    _maybe("description"), _ref("shipments", null=True, index=True),
    _once("carrier", "parcel", "code", "occurred_at", name="a_tracking_event_is_kept_once"),
)  # fmt: skip

# ── returns ──────────────────────────────────────────────────────────────────────────────────────────────────────
returns = _table(
    "returns", _id(), _ref("merchants"), _text("rma"), _text("request_id"), _ref("orders", null=True, index=True),
    _text("state", "requested"), _maybe("rule"), _maybe("decision"), _maybe("resolution"), _maybe("order_number"),
    _maybe("email"), _maybe("customer_reference"), _at("requested_at", null=False), _at("decided_at"),
    _at("closed_at"), Column("import_id", ID),
    _once("rma", name="an_rma_names_one_return"),
    _once("merchant_id", "request_id", name="a_request_is_answered_once"),
    _one_of("state", states.ReturnState, "returns_state_is_known"),
)  # fmt: skip

return_lines = _table(
    "return_lines", _id(), _ref("returns"), *_line(null=True), _text("sku"), _maybe("reason"),
    _units("quantity"), _units("quantity_received"), _maybe("grade"), _maybe("disposition"), _at("received_at"),
    _maybe("comment"),
    _once("return_id", "sku", name="a_return_lists_a_sku_once"),
    _check("quantity >= 0 AND quantity_received >= 0", "a_returned_quantity_is_not_negative"),
    _one_of("disposition", states.Disposition, "return_lines_disposition_is_known"),
)  # fmt: skip

refunds = _table(
    "refunds", _id(), _text("refund_key"), _ref("returns", null=True), _ref("orders"),
    _minor("amount_minor", null=False), _text("currency"), _text("state", "proposed"), _text("rule"),
    _at("created_at", null=False),
    _once("refund_key", name="i7_a_refund_is_made_once"),
    _check("amount_minor >= 0", "a_refund_gives_money_back"),
    _one_of("state", states.RefundState, "refunds_state_is_known"),
)  # fmt: skip

# ── what allocating must look at ─────────────────────────────────────────────────────────────────────────────────
incoming_lines = _table(  # goods on their way: one product of one document
    "incoming_lines", _id(), _ref("products"), _ref("warehouses"), _text("document"),
    _units("quantity"), _units("quantity_received"), _units("quantity_cancelled"), _at("expected_at", null=False),
    Column("import_id", ID),
    _once("product_id", "warehouse_id", "document", name="a_document_lists_a_product_once"),
    _check("quantity >= 0 AND quantity_received >= 0 AND quantity_cancelled >= 0",
           "an_incoming_quantity_is_not_negative"),
)  # fmt: skip

allocation_notes = _table(  # written by what changes, struck by the pass that saw to it
    "allocation_notes", _id(), _text("kind"), Column("subject_id", BigInteger, nullable=False),
    _check("kind IN ('order', 'product', 'everything')", "allocation_notes_kind_is_known"),
)  # fmt: skip

allocation_passes = _table(  # the last pass; one row
    "allocation_passes", Column("id", Integer, primary_key=True, autoincrement=False),
    _at("as_of", null=False), _at("full_at", null=False), _text("terms"),
    Column("orders_seen", BigInteger, nullable=False), Column("moves_seen", BigInteger, nullable=False),
    _check("id = 1", "there_is_one_last_pass"),
)  # fmt: skip

BOOKKEEPING = (allocation_notes.name, allocation_passes.name)  # says what is yet to be looked at, and no fact

_ASKS = ("sku", "requires_shipping", "quantity_ordered", "quantity_cancelled")
_STANDING = ("paid_at", "hold_reason", "hold_until", "refunded_minor", "total_minor", "cancelled_at", "fulfilled_at")


def _noting(dialect: str, table: str, order_id: str, columns: tuple[str, ...]) -> list[str]:
    """A trigger that notes the orders whose `columns` change, whoever changes them; new rows are found by their ids."""
    name, when = f"changed_{table}_are_noted", " OR ".join(f"NEW.{one} IS DISTINCT FROM OLD.{one}" for one in columns)
    insert = f"INSERT INTO allocation_notes (kind, subject_id) VALUES ('order', NEW.{order_id})"
    on = f"CREATE TRIGGER {name} AFTER UPDATE OF {', '.join(columns)} ON {table}"
    if dialect == "sqlite":
        when = when.replace("IS DISTINCT FROM", "IS NOT")
        return [f"{on} FOR EACH ROW WHEN ({when}) BEGIN {insert}; END"]
    body = f"BEGIN {insert}; RETURN NULL; END"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"{on} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}()",
    ]


NOTES = {
    dialect: _noting(dialect, "orders", "id", _STANDING) + _noting(dialect, "order_lines", "order_id", _ASKS)
    for dialect in ("sqlite", "postgresql")
}
for _dialect, _statements in NOTES.items():
    for _statement in _statements:
        _guard = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(metadata, "after_create", _guard)

# ── customers told, people warned, steps audited ─────────────────────────────────────────────────────────────────
messages = _table(
    "messages", _id(), _text("dedupe_key"), _text("kind"), _ref("merchants"), _ref("orders", null=True, index=True),
    _text("recipient"), _text("language", "en"), _text("facts"), _text("state", "queued"), _units("attempts"),
    _maybe("provider_id"), _maybe("reason"), _at("created_at", null=False), _at("sent_at"),
    _once("dedupe_key", name="i4_a_message_is_sent_once"),
    _one_of("state", states.MessageState, "messages_state_is_known"),
    Index("ix_messages_state", "state"), Index("ix_messages_recipient", "recipient"),
)  # fmt: skip

message_events = _table(
    "message_events", _id(), _text("event_id"), _text("event"), _text("recipient"), _maybe("dedupe_key"),
    _maybe("provider_id"), _maybe("reason"), _at("occurred_at", null=False),
    _once("event_id", name="a_provider_event_is_kept_once"),
)  # fmt: skip

alerts = _table(
    "alerts", _id(), _text("cause"), _text("kind"), _text("subject"), _text("detail"), _text("state", "open"),
    _ref("warehouses", null=True), _ref("merchants", null=True), _at("opened_at", null=False), _at("snoozed_until"),
    _at("resolved_at"), _minor("value_minor"), _maybe("currency"),
    _maybe("snoozed_by"), _maybe("comment"), _at("told_at"),  # in which digest it stood last
    _once("cause", name="an_alert_has_one_cause"),
    _one_of("kind", states.AlertKind, "alerts_kind_is_known"),
    _one_of("state", states.AlertState, "alerts_state_is_known"),
    _check("state <> 'snoozed' OR snoozed_until IS NOT NULL", "a_snooze_has_an_end"),
)  # fmt: skip

run_log = _table(
    "run_log", _id(), _text("flow"), _text("step"), _at("as_of", null=False), _text("fingerprint"),
    _units("rows_in"), _units("rows_out"), _units("duration_ms"),
    _once("flow", "step", "as_of", "fingerprint", name="a_step_on_the_same_input_is_logged_once"),
)  # fmt: skip
