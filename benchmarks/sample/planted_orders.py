"""The orders with which something is wrong, on paper or later on the floor."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from benchmarks.sample.buyers import Person
from benchmarks.sample.catalogue import Product
from benchmarks.sample.order_exports import TOO_MANY
from benchmarks.sample.orders import FRIDAY, Line, Market, Order, at, line, shipped_by

UNKNOWN = ("HH-MUG-RETIRED", "HH-GIFT-WRAP")
BOUNCING = Person(
    "Idris Larkmarsh", "idris.larkmarsh@gone.example", "4 Lantern Mews", "York", "YO7 3CK", "07700 900451"
)
FLOOR = {  # part -> units ordered; what goes wrong with these happens at the shelf, the bench or the dock
    "low": 1,
    "lower": 2,
    "short": 3,
    "wrong ordered": 1,
    "missing": 3,
    "unconfirmed": 1,
    "extra": 1,
    "held and shipped": 2,
}
EARLIER = {  # part -> day ordered; shipped days ago
    "lost": date(2026, 2, 28),
    "sent back": date(2026, 2, 28),
    "delayed": date(2026, 3, 1),
    "final sale": date(2026, 2, 28),
    "damaged": date(2026, 2, 28),
    "empty": date(2026, 3, 1),
    "over": date(2026, 3, 1),
    "late": date(2026, 1, 12),
}
PARTLY = "an unreadable line"  # an order of which one line cannot be read
SPOILT: dict[str, tuple[str, str, str, dict[str, str]]] = {  # part -> field, check, what, cells
    "a date that never was": (
        "created_at", "type", "An order was created on 31 February.", {"Created at": "31.02.2026 10:14"}),
    "a negative quantity": (
        "quantity", "range", "An order line asks for minus two units.", {"Lineitem quantity": "-2"}),
    "a quantity in words": (
        "quantity", "type", "A quantity is written as a word.", {"Lineitem quantity": "two"}),
    "no sku": ("sku", "required", "An order line names no SKU.", {"Lineitem sku": ""}),
    "a broken e-mail": (
        "email", "type", "The buyer's e-mail address has no at sign.", {"Email": "freya.mossbury(at)post.example"}),
    "shipped before paid": (
        "fulfilled_at", "sequence", "An order was fulfilled minutes before it was paid.",
        {"Paid at": "2026-03-06 09:45:00 +0000", "Fulfilled at": "2026-03-06 09:38:00 +0000",
         "Fulfillment Status": "fulfilled"}),
    "a currency nobody has": ("currency", "type", "The currency is no currency.", {"Currency": "GBQ"}),
    "a control character": (
        "name", "type", "A product name carries a bell character.", {"Lineitem name": "Kiln Mug,\x07 Slate"}),
    "a cell too many": (
        "row", "cells", "A comma in an address was not quoted, so the row has a cell too many.",
        {TOO_MANY: "Flat 2"}),
}  # fmt: skip
OVERSOLD = (("08:05", 1, True), ("08:20", 2, True), ("08:40", 1, True), ("09:10", 2, False), ("10:00", 1, False))


def planted(market: Market, cast: Mapping[str, Product]) -> list[Order]:
    """Every planted order of the web shop, not numbered yet."""
    return [
        *_spoilt(market),
        *_on_the_floor(market, cast),
        *_scarce(market, cast),
        *_stopped(market),
        *_earlier(market, cast),
    ]


def _friday(market: Market, clock: str, part: str, lines: list[Line], **facts: object) -> Order:
    return market.order(at(FRIDAY, clock), part=part, lines=lines, service="Standard", **facts)


def _spoilt(market: Market) -> list[Order]:
    orders = []
    for number, (part, (*_, cells)) in enumerate(SPOILT.items()):
        one = _friday(market, f"09:{30 + number}", part, market.basket()[:1], served=False)
        orders.append(replace(one, spoil=dict(cells)))
    two = [line(market.products[130], 1), line(market.products[131], 1)]
    half = _friday(market, "09:50", PARTLY, two, served=False)
    orders.append(replace(half, spoil={"Lineitem quantity": "1.5"}))
    quoted = _friday(market, "09:55", "an apostrophe", market.basket()[:1])
    zip_code = "'" + quoted.buyer.postal_code
    return [*orders, replace(quoted, spoil={"Shipping Zip": zip_code, "Billing Zip": zip_code})]


def _on_the_floor(market: Market, cast: Mapping[str, Product]) -> list[Order]:
    return [
        _friday(market, f"11:{10 + number}", part, [line(cast[part], units)])
        for number, (part, units) in enumerate(FLOOR.items())
    ]


def _scarce(market: Market, cast: Mapping[str, Product]) -> list[Order]:
    oversold = [
        _friday(market, clock, "oversold", [line(cast["oversold"], units)], served=served)
        for clock, units, served in OVERSOLD
    ]
    unknown = [
        _friday(market, f"10:{20 + number}", "unknown sku", [Line(sku, "No longer listed", 1, 900)], served=False)
        for number, sku in enumerate((UNKNOWN[0], UNKNOWN[1], UNKNOWN[0]))
    ]
    waiting = _friday(market, "10:40", "backordered", [line(cast["backordered"], 2)], served=False)
    return [*oversold, waiting, *unknown]


def _stopped(market: Market) -> list[Order]:
    cancelled, refunded = at(FRIDAY, "12:10"), at(FRIDAY, "12:20")
    return [
        _friday(market, "12:00", "unpaid", market.basket()[:1], paid=None),
        replace(_friday(market, "09:05", "paid later", market.basket()[:1]), created=at(date(2026, 3, 4), "17:30")),
        _friday(market, "12:01", "cancelled", market.basket()[:1], cancelled=cancelled, refunded_at=cancelled),
        _friday(market, "12:02", "refunded", market.basket()[:1], refunded_at=refunded),
        replace(_friday(market, "12:03", "bounced", market.basket()[:1]), buyer=BOUNCING),
    ]


def _earlier(market: Market, cast: Mapping[str, Product]) -> list[Order]:
    orders = []
    for number, (part, day) in enumerate(EARLIER.items()):
        created = at(day, f"10:{15 + number}")
        one = market.order(created, part=part, lines=[line(cast[part], 1)], service="Standard")
        orders.append(replace(one, fulfilled=shipped_by(created, number)))
    return orders + [_old(market, number) for number in range(11)]


def _old(market: Market, number: int) -> Order:
    """An order of last month that the shop exports once more, because someone wrote a note on it."""
    created: datetime = at(date(2026, 2, 2), "11:00") + timedelta(days=number, minutes=7 * number)
    one = market.order(created)
    return replace(one, fulfilled=shipped_by(created, number))
