"""Write the orders of three channels, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from benchmarks.sample.export_headers import AMAZON, AMAZON_ALL, BIGCOMMERCE, SHOPIFY
from benchmarks.sample.inbox_files import Inbox, row_of
from benchmarks.sample.order_exports import (
    Row,
    amazon_all_rows,
    amazon_rows,
    bigcommerce_rows,
    shopify_rows,
)
from benchmarks.sample.orders import FRIDAY, FRIDAY_EXPORT, SATURDAY, Market, Order, at
from benchmarks.sample.planted_orders import PARTLY, SPOILT, UNKNOWN
from benchmarks.sample.trouble_list import TroubleList
from benchmarks.sample.write_warehouse import quarantined

EXPORTS = (  # the shop exports what changed since the export before
    ("shopify-orders-1-monday.csv", datetime(2026, 3, 2, 9, tzinfo=UTC)),
    ("shopify-orders-2-wednesday.csv.gz", datetime(2026, 3, 4, 18, tzinfo=UTC)),
    ("shopify-orders-3-friday.csv", FRIDAY_EXPORT),
)
FRIDAYS = EXPORTS[-1][0]
AMAZON_OPEN, AMAZON_SHIPPED, TRADE = 40, 14, 26


def marketplace(market: Market) -> list[Order]:
    """Orders of the marketplace: open ones since Thursday, shipped ones of the days before."""
    start = at(FRIDAY, "13:40")
    drawn_orders = [market.order(start - timedelta(minutes=33 * number)) for number in range(AMAZON_OPEN)]
    earlier = [market.order(at(SATURDAY, "08:00") + timedelta(hours=5 * number)) for number in range(AMAZON_SHIPPED)]
    earlier = [replace(one, fulfilled=one.created + timedelta(hours=30)) for one in earlier]
    return [_amazon_orders(number, one) for number, one in enumerate([*earlier, *drawn_orders])]


def _amazon_orders(number: int, order: Order) -> Order:
    name = "Zoë Brûlemoor" if number % 9 == 0 else order.buyer.name
    buyer = replace(order.buyer, name=name, email=f"{number * 7919 + 31337:x}q@marketplace.example")
    code = f"20{number % 7 + 2}-{4_811_203 + 60_013 * number}-{1_377_402 + 90_001 * number}"
    return replace(order, buyer=buyer, number=code, channel="amazon", service="Standard")


def trade(market: Market) -> list[Order]:
    """Orders of the trade shop, which says the day only; none has been sent yet."""
    drawn_orders = []
    for number in range(TRADE):
        day = max(SATURDAY - timedelta(days=1), FRIDAY - timedelta(days=1 + number // 4))
        one = market.order(at(day, "00:00"), service="Standard")
        drawn_orders.append(replace(one, paid=one.created, number=str(71_040 + number), channel="trade"))
    return drawn_orders


def write_orders(
    inbox: Inbox, manifest: TroubleList, web: Sequence[Order], amazon: Sequence[Order], of_trade: Sequence[Order]
) -> None:
    """Three exports of the web shop, two reports of the marketplace, one file of the trade shop."""
    before = datetime(2026, 1, 1, tzinfo=UTC)
    for name, seen in EXPORTS:
        changed = [one for one in web if _first_seen(one) <= seen and before < _last_change(one, seen)]
        rows = shopify_rows(changed, seen)
        inbox.text(f"orders/{name}", SHOPIFY, rows)
        before = seen
    _list_spoilt(manifest, rows)
    _list_orders(manifest, web, rows)
    _write_amazon(inbox, manifest, amazon)
    inbox.text("orders/bigcommerce-orders.csv", BIGCOMMERCE, bigcommerce_rows(of_trade))


def _write_amazon(inbox: Inbox, manifest: TroubleList, amazon: Sequence[Order]) -> None:
    open_, shipped = [[one for one in amazon if bool(one.fulfilled) == sent] for sent in (False, True)]
    for name, header, rows in (
        ("amazon-unshipped.txt", AMAZON, amazon_rows(open_)),
        ("amazon-all-orders.txt", AMAZON_ALL, amazon_all_rows(shipped)),
    ):
        inbox.text(f"orders/{name}", header, rows, encoding="cp1252", delimiter="\t", end="\r\n")
    theirs = sum(row["fulfillment-channel"] == "Amazon" for row in rows)
    what = "Orders the marketplace sent from its own warehouse are not ours."
    manifest.add("not-ours", what, f"orders/{name}", {"import": "ignored", "file": name, "rows": theirs})


def _first_seen(order: Order) -> datetime:
    """Last month's orders are only listed because someone wrote a note on them."""
    return order.created


def _last_change(order: Order, seen: datetime) -> datetime:
    changes = (order.created, order.paid, order.fulfilled, order.cancelled, order.refunded_at)
    return max(one for one in changes if one and one <= seen)


def _list_spoilt(manifest: TroubleList, rows: Sequence[Row]) -> None:
    for part, (field, _, what, cells) in SPOILT.items():
        number, row = _spoilt_row(rows, cells)
        found_as = quarantined(FRIDAYS, number, field, subject=row["Name"] if field != "row" else None)
        manifest.add(part.replace(" ", "-").replace("e-mail", "email"), what, f"orders/{FRIDAYS}", found_as)


def _spoilt_row(rows: Sequence[Row], cells: Row) -> tuple[int, Row]:
    found_as = [(number, row) for number, row in enumerate(rows, start=2) if cells.items() <= row.items()]
    if len(found_as) != 1:
        raise ValueError(f"{cells}: {len(found_as)} rows")
    return found_as[0]


def _list_orders(manifest: TroubleList, web: Sequence[Order], rows: Sequence[Row]) -> None:
    parts: dict[str, list[Order]] = {}
    for order in web:
        parts.setdefault(order.part, []).append(order)
    file = f"orders/{FRIDAYS}"
    _list_held(manifest, parts, rows, file)
    _list_scarce(manifest, parts, file)
    for part, what in (
        ("cancelled", "An order was cancelled and refunded before anything was promised to it."),
        ("refunded", "An order was refunded in full before it was shipped."),
    ):
        manifest.add(part, what, file, _promised(parts[part][0], 0))


def _promised(order: Order, units: int, **more: object) -> dict[str, object]:
    return {"order": order.number, "promised": units, **more}


def _list_held(manifest: TroubleList, parts: Mapping[str, Sequence[Order]], rows: Sequence[Row], file: str) -> None:
    half, quoted, unpaid, later = (parts[part][0] for part in (PARTLY, "an apostrophe", "unpaid", "paid later"))
    row = row_of(rows, Name=half.number, Lineitem_quantity="1.5")
    what = "One of an order's two lines cannot be read: the order waits for it."
    found_as = [quarantined(FRIDAYS, row, "quantity", subject=half.number), _promised(half, 0, hold="incomplete")]
    manifest.add("half-an-order", what, file, found_as)
    what = "A spreadsheet put an apostrophe before a postcode: it is taken off."
    manifest.add("apostrophe", what, file, {"order": quoted.number, "postal_code": quoted.buyer.postal_code})
    manifest.add("unpaid", "An order is not paid.", file, _promised(unpaid, 0, hold="payment"))
    what = "An order that was not paid on Wednesday is paid on Friday: nothing holds it any more."
    manifest.add("paid-later", what, file, _promised(later, later.lines[0].quantity, hold=None))


def _list_scarce(manifest: TroubleList, parts: Mapping[str, Sequence[Order]], file: str) -> None:
    for sku in UNKNOWN:
        order_rows = [_promised(one, 0) for one in parts["unknown sku"] if one.lines[0].sku == sku]
        what = "Orders ask for a SKU that no product list has."
        alert = {"alert": "unknown_sku", "subject": sku}
        manifest.add(f"unknown-{sku.lower()}", what, file, [alert, *order_rows])
    oversold, waiting = parts["oversold"], parts["backordered"][0]
    served = [_promised(one, one.lines[0].quantity if one.served else 0) for one in oversold]
    what = "Seven units are ordered of four: the first orders are served, the others wait."
    manifest.add("oversold", what, file, [*_out_of_stock(oversold[0]), *served])
    what = "An order asks for what is out of stock."
    manifest.add("backordered", what, file, [*_out_of_stock(waiting), _promised(waiting, 0)])
    for part in ("low", "lower"):
        alert = {"alert": "low_stock", "subject": parts[part][0].lines[0].sku}
        manifest.add(f"low-stock-{part}", "An order takes a SKU below its reorder point.", file, alert)


def _out_of_stock(order: Order) -> list[dict[str, object]]:
    """More is asked for than there is, and none is left."""
    return [{"alert": kind, "subject": order.lines[0].sku} for kind in ("oversell", "low_stock")]
