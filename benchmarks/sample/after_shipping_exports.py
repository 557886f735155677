"""After the door: what ShipStation shipped this week, what the carriers saw, who wants to send what back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from benchmarks.sample.order_exports import Row, pounds
from benchmarks.sample.orders import AS_OF, FRIDAY, SATURDAY, Order, at
from benchmarks.sample.packing_exports import carrier_of, tracking_number
from benchmarks.sample.warehouse_exports import utc

TRACKING = ("carrier", "tracking_number", "event", "occurred_at", "description")
REQUESTS = (
    "request_id",
    "merchant",
    "order_number",
    "email",
    "sku",
    "quantity",
    "reason",
    "resolution",
    "requested_at",
)
RECEIPTS = ("merchant", "rma", "order_number", "sku", "quantity", "grade", "received_at", "inspector", "comment")
EVENTS = ("event_id", "event", "recipient", "dedupe_key", "provider_id", "reason", "occurred_at")
REASONS = ("does not fit the room", "changed my mind", "colour is different", "ordered twice")
TROUBLED = {  # part -> event, when, words
    "lost": ("lost", "2026-03-05T15:00", "declared lost by the carrier"),
    "sent back": ("returned_to_sender", "2026-03-05T10:30", "addressee unknown"),
    "delayed": ("exception", "2026-03-05T08:45", "label damaged, parcel at the depot"),
}
ASKING = ("final sale", "damaged", "empty", "over", "late")


def shipped_this_week(orders: Sequence[Order]) -> list[Order]:
    """The web shop's orders that left before Friday."""
    return [one for one in orders if one.fulfilled and one.fulfilled.date() >= SATURDAY]


def shipped_at(order: Order) -> datetime:
    """The evening's van."""
    return at((order.fulfilled or order.created).date(), "17:40")


def shipstation_rows(orders: Sequence[Order]) -> list[Row]:
    """A row an item shipped, with the columns this shop has chosen; dates the American way."""
    return [
        {
            "Order - Number": order.number,
            "Date - Shipped Date": f"{shipped_at(order):%m/%d/%Y %I:%M:%S %p}",
            "Item - SKU": one.sku,
            "Item - Name": one.name,
            "Item - Qty": str(one.quantity),
            "Item - Price": pounds(one.price),
            "Amount - Order Total": pounds(order.total),
            "Amount - Paid by Customer": pounds(order.total),
            "Ship To - Name": order.buyer.name,
            "Ship To - Address 1": order.buyer.address1,
            "Ship To - Country": "GB",
            "Carrier - Name": carrier_of(order)[0],
            "Shipment - Tracking Number": tracking_number(order),
        }
        for order in sorted(orders, key=lambda each: (shipped_at(each), each.number))
        for one in order.lines
    ]


def tracking_rows(random: np.random.Generator, orders: Sequence[Order]) -> list[Row]:
    """Scanned in the evening, delivered after a day or two; three parcels have another story."""
    rows = []
    for order in orders:
        seen = [("in_transit", shipped_at(order) + timedelta(hours=4), "at the depot")]
        if order.part in TROUBLED:
            event, when, words = TROUBLED[order.part]
            seen.append((event, datetime.fromisoformat(f"{when}:00+00:00"), words))
        else:
            days = 1 if random.random() < 0.7 else 2
            door = shipped_at(order) + timedelta(days=days) - timedelta(minutes=int(random.integers(20, 480)))
            seen.append(("delivered", door + timedelta(days=door.weekday() == 6), "left with the addressee"))
        rows += [_event(order, *each) for each in seen if each[1] < AS_OF]
    return sorted(rows, key=lambda row: (row["occurred_at"], row["tracking_number"]))


def _event(order: Order, event: str, when: datetime, words: str) -> Row:
    return {
        "carrier": carrier_of(order)[0],
        "tracking_number": tracking_number(order),
        "event": event,
        "occurred_at": utc(when),
        "description": words,
    }


def asking(random: np.random.Generator, orders: Sequence[Order]) -> list[Order]:
    """Who wants to send something back: two dozen buyers whose parcels left on Monday, and the planted ones."""
    monday = SATURDAY + timedelta(days=2)
    happy = [one for one in orders if not one.part and shipped_at(one).date() == monday]
    drawn = sorted(int(one) for one in random.choice(len(happy), 24, replace=False))
    return [happy[one] for one in drawn] + [one for one in orders if one.part in ASKING]


def request_rows(orders: Sequence[Order]) -> list[Row]:
    """The return portal's requests, of the first line of each order."""
    return [
        {
            "request_id": f"RQ-{3000 + number}",
            "merchant": "HEARTH",
            "order_number": order.number,
            "email": order.buyer.email,
            "sku": order.lines[0].sku,
            "quantity": "1",
            "reason": REASONS[number % 4],
            "resolution": "refund",
            "requested_at": utc(at(FRIDAY, "08:00") - timedelta(days=1) + timedelta(minutes=11 * number)),
        }
        for number, order in enumerate(orders)
    ]


def receipt_rows(orders: Sequence[Order]) -> list[Row]:
    """What the returns bench unpacked on Friday."""
    receipts_by_part = {
        "damaged": ("1", "damaged_by_customer", "handle broken off"),
        "empty": ("0", "as_new", "nothing in the box"),
        "over": ("2", "as_new", "a second one in the box"),
    }
    rows = []
    for number, order in enumerate(orders):
        units, grade, comment = receipts_by_part.get(order.part, ("1", "opened" if number % 4 == 3 else "as_new", ""))
        rows.append(
            {
                "merchant": "HEARTH",
                "order_number": order.number,
                "sku": order.lines[0].sku,
                "quantity": units,
                "grade": grade,
                "received_at": utc(at(FRIDAY, "13:00") + timedelta(minutes=6 * number)),
                "inspector": "Mabel",
                "comment": comment,
            }
        )
    return rows


def message_event_rows(orders: Sequence[Order], bouncing: str) -> list[Row]:
    """What the mail provider reports of the days before."""
    monday = at(FRIDAY, "09:00") - timedelta(days=4)
    rows = [
        {
            "event_id": f"ev-{number:04}",
            "event": "delivered",
            "recipient": order.buyer.email,
            "provider_id": f"pm-{number:04}",
            "occurred_at": utc(monday + timedelta(minutes=9 * number)),
        }
        for number, order in enumerate(orders)
    ]
    bounce = {
        "event_id": "ev-0900",
        "event": "bounce",
        "recipient": bouncing,
        "provider_id": "pm-0900",
        "reason": "550 no such mailbox",
        "occurred_at": utc(monday + timedelta(days=1)),
    }
    return [*rows, bounce]
