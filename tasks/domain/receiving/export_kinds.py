"""The kinds of exports: their canonical fields, the types and limits of the values, and how rows are read.

A foreign layout (config/exports/*.yaml) only maps its columns to these fields. The row-level rules, the expectations
and docs/operate/exports.md are made from the same table. A new kind is an entry here and a loader in
tasks/store/receiving/loaders.
"""

from dataclasses import dataclass
from enum import StrEnum

from tasks.domain import states
from tasks.domain.counting.count_states import CountAnswer, ReasonCode


class Type(StrEnum):
    """The type of a field: what its cells must contain."""

    TEXT = "text"
    CODE = "code"  # an identifier: no inner line breaks, Excel damage repaired or refused
    INTEGER = "integer"
    MONEY = "money"  # becomes <field>_minor, in the minor units of the row's currency
    NUMBER = "number"
    INSTANT = "instant"
    DATE = "date"
    EMAIL = "email"
    CURRENCY = "currency"
    COUNTRY = "country"
    GTIN = "gtin"
    CHOICE = "choice"
    FLAG = "flag"


class FileClock(StrEnum):
    """Whose clock a time without a zone is read on."""

    MERCHANT = "merchant"
    WAREHOUSE = "warehouse"  # of the one warehouse the file is about, otherwise the merchant's


@dataclass(frozen=True)
class Field:
    """One canonical column.

    `day_field`: of a moment, the field that takes a text which names a day and no time of day; it is not midnight.
    """

    name: str
    type: Type = Type.TEXT
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    default: str | None = None
    about: str = ""
    day_field: str | None = None

    @property
    def column(self) -> str:
        """The name of the typed column."""
        return f"{self.name}_minor" if self.type is Type.MONEY else self.name


@dataclass(frozen=True)
class Kind:
    """One kind of export, which has an inbox folder of the same name.

    `key`: the fields that identify a row; `sequence`: moments, each no earlier than the one before it.
    `clock`: whose clock its times without a zone are read on.
    `default_location`: goods without a location lie in the default location of their warehouse.
    `numbers_orders`: rows are order lines, numbered by order as in `name_resolution.number_orders`.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    sequence: tuple[str, ...] = ()
    clock: FileClock = FileClock.MERCHANT
    default_location: bool = False
    numbers_orders: bool = False
    about: str = ""

    def has_field(self, name: str) -> bool:
        """Whether the kind has a field of that name."""
        return any(field.name == name for field in self.fields)


UNITS_MAX = 1_000_000
MONEY_MAX = 1_000_000_000_00

_MERCHANT = Field("merchant", Type.CODE, about="merchant code; otherwise the inbox folder's, otherwise the default")
_CONDITION = Field("condition", Type.CHOICE, choices=tuple(states.Condition), default="available")
_LOT = Field("lot", Type.CODE, default="", about="lot or batch number, empty where the product has none")

_EXPIRES_ON = Field("expires_on", Type.DATE, about="when the lot expires")


def _quantity(minimum: int | None = 1, *, required: bool = True, about: str = "") -> Field:
    return Field("quantity", Type.INTEGER, required, minimum, UNITS_MAX, about=about or "units, base unit of measure")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "products",
            (
                _MERCHANT,
                Field("sku", Type.CODE, required=True),
                Field("name"),
                Field("barcode", Type.GTIN, about="GTIN-8, -12, -13 or -14 with its check digit"),
                Field(
                    "pack_quantity",
                    Type.INTEGER,
                    minimum=1,
                    maximum=UNITS_MAX,
                    about="1 by default",
                ),
                Field("weight_g", Type.INTEGER, minimum=0, maximum=10_000_000),
                Field("volume_ml", Type.INTEGER, minimum=0, maximum=100_000_000),
                Field("abc_class", Type.CHOICE, choices=("A", "B", "C")),
                Field("unit_cost", Type.MONEY, minimum=0, maximum=MONEY_MAX),
                Field("unit_price", Type.MONEY, minimum=0, maximum=MONEY_MAX),
                Field("currency", Type.CURRENCY),
                Field("category"),
                Field("country_of_origin", Type.COUNTRY),
                Field("is_final_sale", Type.FLAG, about="no by default"),
                Field("is_hazmat", Type.FLAG, about="no by default"),
                Field("reorder_point", Type.INTEGER, minimum=0, maximum=UNITS_MAX),
                Field("components", about="kits only: SKU:quantity pairs with | between them"),
            ),
            key=("merchant", "sku"),
            about="the shop's products",
        ),
        Kind(
            "locations",
            (
                Field("warehouse", Type.CODE, required=True),
                Field("location", Type.CODE, required=True),
                Field("purpose", Type.CHOICE, choices=tuple(states.Purpose), default="pick"),
                Field("zone", Type.CODE),
                Field("aisle", Type.CODE),
                Field("bay", Type.CODE),
                Field("level", Type.CODE),
                Field("x_m", Type.NUMBER, minimum=-10_000, maximum=10_000, about="metres east of the depot"),
                Field("y_m", Type.NUMBER, minimum=-10_000, maximum=10_000, about="metres north of the depot"),
            ),
            key=("warehouse", "location"),
            about="the locations of a warehouse",
        ),
        Kind(
            "stock",
            (
                _MERCHANT,
                Field("warehouse", Type.CODE, required=True, about="warehouse code, name or alias"),
                Field("location", Type.CODE, about="location code; without one, the default location of the warehouse"),
                Field("sku", Type.CODE, required=True),
                _CONDITION,
                _LOT,
                _EXPIRES_ON,
                Field("on_hand", Type.INTEGER, required=True, minimum=-UNITS_MAX, maximum=UNITS_MAX),
                Field("snapshot_at", Type.INSTANT, about="when the export was made; otherwise when it was received"),
            ),
            key=("merchant", "warehouse", "location", "sku", "condition", "lot"),
            default_location=True,
            about="stock on hand as a shop or warehouse system reports it",
        ),
        Kind(
            "movements",
            (
                Field("movement_id", Type.CODE, required=True),
                _MERCHANT,
                Field("warehouse", Type.CODE, required=True),
                Field("location", Type.CODE),
                Field("sku", Type.CODE, required=True),
                _CONDITION,
                _LOT,
                _EXPIRES_ON,
                _quantity(-UNITS_MAX, about="signed units: positive for incoming goods"),
                Field("kind", Type.CHOICE, required=True, choices=("receipt", "adjust", "transfer", "scrap", "return")),
                Field("reason"),
                Field("document", Type.CODE),
                Field("occurred_at", Type.INSTANT, required=True),
                Field(
                    "put_away_at",
                    Type.INSTANT,
                    about="for receipts that first lay at the receiving location: when they were put away",
                ),
            ),
            key=("merchant", "movement_id"),
            sequence=("occurred_at", "put_away_at"),
            default_location=True,
            about="dated stock movements of the warehouse system",
        ),
        Kind(
            "incoming",
            (
                _MERCHANT,
                Field("document", Type.CODE, required=True, about="purchase order or advance shipping notice"),
                Field("warehouse", Type.CODE, required=True, about="warehouse code, name or alias"),
                Field("sku", Type.CODE, required=True),
                _quantity(0, about="units ordered from the supplier"),
                Field("received", Type.INTEGER, minimum=0, maximum=UNITS_MAX, about="units of them that have arrived"),
                Field(
                    "cancelled", Type.INTEGER, minimum=0, maximum=UNITS_MAX, about="units of them that will not arrive"
                ),
                Field("expected_at", Type.INSTANT, required=True, about="when they should arrive"),
            ),
            key=("merchant", "document", "warehouse", "sku"),
            about="incoming goods: purchase orders and advance shipping notices",
        ),
        Kind(
            "orders",
            (
                _MERCHANT,
                Field("order_number", Type.CODE, required=True),
                Field("line_number", Type.INTEGER, required=True, minimum=1, maximum=10**18),
                Field("channel"),
                Field("created_at", Type.INSTANT, required=True),
                Field("paid_at", Type.INSTANT),
                Field("fulfilled_at", Type.INSTANT),
                Field("cancelled_at", Type.INSTANT),
                Field("currency", Type.CURRENCY, required=True),
                Field("sku", Type.CODE, required=True),
                Field("name"),
                _quantity(),
                Field("unit_price", Type.MONEY, minimum=0, maximum=MONEY_MAX),
                Field("discount", Type.MONEY, minimum=0, maximum=MONEY_MAX),
                Field("requires_shipping", Type.FLAG, default="yes"),
                Field("total", Type.MONEY, minimum=0, maximum=MONEY_MAX, about="total price of the order"),
                Field("refunded", Type.MONEY, minimum=0, maximum=MONEY_MAX),
                Field("service_level"),
                Field("ship_by", Type.INSTANT),
                Field("customer_reference", Type.CODE),
                Field("email", Type.EMAIL),
                Field("customer_name"),
                Field("address1"),
                Field("address2"),
                Field("city"),
                Field("postal_code", Type.CODE),
                Field("province"),
                Field("country", Type.COUNTRY),
                Field("phone"),
                Field("language"),
                Field("hold_reason", Type.CHOICE, choices=tuple(states.HoldReason)),
            ),
            key=("merchant", "order_number", "line_number"),
            sequence=("created_at", "paid_at", "fulfilled_at"),
            numbers_orders=True,
            about="orders, one row per line",
        ),
        Kind(
            "counts",
            (
                Field("count_id", Type.CODE, about="count document; without one, the file's name"),
                _MERCHANT,
                Field("warehouse", Type.CODE),
                Field("location", Type.CODE),
                Field("sku", Type.CODE, required=True),
                _CONDITION,
                _LOT,
                _EXPIRES_ON,
                _quantity(0, required=False, about="units counted; empty means not counted, which is not 0"),
                Field("counter", about="who counted"),
                Field(
                    "counted_at",
                    Type.INSTANT,
                    about="when the place was counted, with the time of day",
                    day_field="counted_on",
                ),
                Field("counted_on", Type.DATE, about="the day, where nobody wrote down the time"),
                Field("comment"),
            ),
            key=("count_id", "merchant", "warehouse", "location", "sku", "condition", "lot", "counter"),
            clock=FileClock.WAREHOUSE,
            about="count sheets",
        ),
        Kind(
            "approvals",
            (
                Field("finding", Type.INTEGER, required=True, minimum=1, maximum=10**15, about="the finding's number"),
                Field("asked_at", Type.INSTANT, about="when the question was asked, as printed on the sheet"),
                Field(
                    "difference",
                    Type.INTEGER,
                    minimum=-UNITS_MAX,
                    maximum=UNITS_MAX,
                    about="the difference that the person saw; if it has changed since, the question is asked again",
                ),
                Field("answer", Type.CHOICE, choices=tuple(CountAnswer), about="empty: not answered yet"),
                Field("answered_by", about="who answers; required with an answer"),
                Field("comment", about="why"),
                Field(
                    "reason_code",
                    Type.CHOICE,
                    choices=tuple(ReasonCode),
                    about="otherwise the default one",
                ),
            ),
            key=("finding",),
            about="answers to count differences that a person must decide",
        ),
        Kind(
            "holds",
            (
                _MERCHANT,
                Field("order_number", Type.CODE, required=True),
                Field("action", Type.CHOICE, choices=tuple(states.HoldAction), about="empty: no change"),
                Field(
                    "hold_reason",
                    Type.CHOICE,
                    choices=tuple(states.HoldReason),
                    about=f"may be set: {', '.join(states.SETTABLE)}; otherwise manual",
                ),
                Field(
                    "hold_until", Type.INSTANT, about="when the hold ends by itself; empty: when a person releases it"
                ),
                Field("set_by", about="who decides; required with an action"),
                Field("comment", about="why"),
            ),
            key=("merchant", "order_number"),
            about="orders to hold or release",
        ),
        Kind(
            "supply",
            (
                _MERCHANT,
                Field("sku", Type.CODE, required=True),
                Field("supplier", Type.CODE, required=True),
                Field("supplier_sku", Type.CODE),
                Field(
                    "lead_days", Type.NUMBER, minimum=0, maximum=1000, about="from ordering to the shelf, on average"
                ),
                Field(
                    "lead_deviation_days", Type.NUMBER, minimum=0, maximum=1000, about="standard deviation of lead_days"
                ),
                Field("service_level_percent", Type.NUMBER, minimum=50, maximum=99, about="from 50 to 99 per cent"),
                Field("stock_min", Type.INTEGER, minimum=0, maximum=UNITS_MAX, about="reorder point, where one is set"),
                Field("stock_max", Type.INTEGER, minimum=0, maximum=UNITS_MAX, about="stock is bought up to it"),
                Field("order_min", Type.INTEGER, minimum=0, maximum=UNITS_MAX, about="minimum units of an order"),
                Field(
                    "order_multiple",
                    Type.INTEGER,
                    minimum=1,
                    maximum=UNITS_MAX,
                    about="units per case; otherwise the product's pack_quantity",
                ),
            ),
            key=("merchant", "sku"),
            about="suppliers of products, and the terms of buying from them",
        ),
        Kind(
            "snoozes",
            (
                _MERCHANT,
                Field("alert", Type.CHOICE, choices=tuple(states.AlertKind), default="low_stock"),
                Field(
                    "subject",
                    Type.CODE,
                    required=True,
                    about="the subject of the alert: a SKU, an order, a parcel or a file",
                ),
                Field("snooze_until", Type.INSTANT, about="snoozed until then; empty: no change"),
                Field("set_by", about="who decides; required with snooze_until"),
                Field("comment", about="why"),
            ),
            key=("merchant", "alert", "subject"),
            about="alerts to snooze",
        ),
        Kind(
            "picks",
            (
                _MERCHANT,
                Field("order_number", Type.CODE, required=True),
                Field("sku", Type.CODE, required=True),
                Field("location", Type.CODE, about="where the units were taken; without one, as planned"),
                _quantity(0, about="units taken"),
                Field("short_reason", about="why fewer units were taken than planned"),
                Field("picker"),
                Field("picked_at", Type.INSTANT, required=True),
            ),
            key=("merchant", "order_number", "sku", "location"),
            about="pick reports: the units that pickers took",
        ),
        Kind(
            "packs",
            (
                _MERCHANT,
                Field("parcel", Type.CODE, required=True),
                Field("order_number", Type.CODE, required=True),
                Field("sku", Type.CODE, required=True, about="SKU or barcode as scanned"),
                _quantity(),
                Field("packer"),
                Field("packed_at", Type.INSTANT, required=True),
                Field("weight_g", Type.INTEGER, minimum=0, maximum=10_000_000, about="parcel weight"),
                Field("checks", about="checklist answers: step=yes pairs with | between them"),
            ),
            key=("merchant", "parcel", "sku"),
            about="scans at the packing bench",
        ),
        Kind(
            "shipments",
            (
                _MERCHANT,
                Field("parcel", Type.CODE, about="parcel code; without one, the order's packed parcel"),
                Field("order_number", Type.CODE, required=True),
                Field("carrier"),
                Field("tracking_number", Type.CODE),
                Field("sku", Type.CODE),
                _quantity(required=False),
                Field("shipped_at", Type.INSTANT, required=True),
            ),
            key=("merchant", "order_number", "parcel", "sku"),
            about="manifests: the parcels that a carrier took",
        ),
        Kind(
            "tracking",
            (
                Field("carrier", required=True),
                Field("tracking_number", Type.CODE, required=True),
                Field(
                    "event",
                    Type.CHOICE,
                    required=True,
                    choices=(
                        "info_received",
                        "in_transit",
                        "out_for_delivery",
                        "attempt_failed",
                        "delivered",
                        "available_for_pickup",
                        "exception",
                        "returned_to_sender",
                        "lost",
                    ),
                ),
                Field("occurred_at", Type.INSTANT, required=True),
                Field("description"),
            ),
            key=("carrier", "tracking_number", "event", "occurred_at"),
            about="tracking events of carriers",
        ),
        Kind(
            "return_requests",
            (
                Field("request_id", Type.CODE, required=True),
                _MERCHANT,
                Field("order_number", Type.CODE),
                Field("customer_reference", Type.CODE),
                Field("email", Type.EMAIL),
                Field("sku", Type.CODE, required=True),
                _quantity(),
                Field("reason"),
                Field("resolution", Type.CHOICE, choices=("refund", "replacement", "store_credit"), default="refund"),
                Field("requested_at", Type.INSTANT, required=True),
            ),
            key=("merchant", "request_id", "sku"),
            about="return requests of customers",
        ),
        Kind(
            "return_receipts",
            (
                _MERCHANT,
                Field("rma", Type.CODE),
                Field("order_number", Type.CODE),
                Field("sku", Type.CODE, required=True),
                _quantity(0, about="units in the box; 0 for an empty box"),
                Field(
                    "grade",
                    Type.CHOICE,
                    required=True,
                    choices=(
                        "as_new",
                        "opened",
                        "damaged_by_customer",
                        "damaged_in_transit",
                        "defective",
                        "wrong_item",
                    ),
                ),
                Field("received_at", Type.INSTANT, required=True),
                Field("inspector"),
                Field("comment"),
            ),
            key=("merchant", "rma", "order_number", "sku"),
            about="returned goods and their condition",
        ),
        Kind(
            "message_events",
            (
                Field("event_id", Type.CODE, required=True),
                Field(
                    "event",
                    Type.CHOICE,
                    required=True,
                    choices=("processed", "deferred", "delivered", "bounce", "dropped", "spamreport", "blocked"),
                ),
                Field("recipient", Type.EMAIL, required=True),
                Field("dedupe_key", about="the message's own key, as the provider returns it"),
                Field("provider_id", Type.CODE),
                Field("reason"),
                Field("occurred_at", Type.INSTANT, required=True),
            ),
            key=("event_id",),
            about="the mail provider's events about messages",
        ),
    )
}
