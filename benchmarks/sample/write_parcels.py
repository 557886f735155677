"""Write what happened to parcels and what came back, and what went wrong with it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from benchmarks.sample.after_shipping_exports import (
    EVENTS,
    RECEIPTS,
    REQUESTS,
    TRACKING,
    TROUBLED,
    asking,
    message_event_rows,
    receipt_rows,
    request_rows,
    shipped_this_week,
    shipstation_rows,
    tracking_rows,
)
from benchmarks.sample.catalogue import Product
from benchmarks.sample.export_headers import AMAZON_RETURNS, SHIPSTATION
from benchmarks.sample.inbox_files import Inbox, packed
from benchmarks.sample.order_exports import Row, table
from benchmarks.sample.orders import AS_OF, FRIDAY, Order, at
from benchmarks.sample.packing_exports import (
    HELD,
    MANIFEST,
    PACKS,
    PICKS,
    manifest_rows,
    pack_rows,
    parcel,
    pick_rows,
    tracking_number,
)
from benchmarks.sample.planted_orders import BOUNCING
from benchmarks.sample.trouble_list import FoundAs, TroubleList
from benchmarks.sample.warehouse_exports import utc
from benchmarks.sample.write_warehouse import quarantined, refused

FINDINGS = {  # part -> finding codes, what
    "wrong ordered": (("wrong_item", "missing_item"), "Another product is in the parcel than was ordered."),
    "missing": (("missing_item",), "Two of three units are in the parcel."),
    "unconfirmed": (("step_not_confirmed",), "The packer did not confirm the label."),
    "extra": (("extra_item",), "Two units are in the parcel, one was ordered."),
    "held and shipped": (("missing_item",), "A parcel with a unit too few, which the carrier took all the same."),
}
KINDS = ("order_confirmed", "parcel_shipped")  # what every buyer of Friday is told
AMAZON_RETURN: Row = {
    "Order ID": "205-1111111-2222222", "Order date": "24-Feb-2026", "Return request date": "05-Mar-2026",
    "Return request status": "Approved", "Amazon RMA ID": "DbX7Qk2RRMA", "Label type": "AmazonUnPaidLabel",
    "Currency code": "GBP", "Merchant SKU": "HH-MUG-HOSLA", "Item Name": "Hollow Mug, Slate",
    "Return quantity": "1", "Return Reason": "CR-UNWANTED_ITEM", "In policy": "Y", "Return type": "C-Returns",
    "Resolution": "StandardRefund", "Order Amount": "12.00", "Order quantity": "1",
}  # fmt: skip


def _part(orders: Sequence[Order], part: str) -> Order:
    return next(one for one in orders if one.part == part)


def write_bench(
    inbox: Inbox,
    manifest: TroubleList,
    random: np.random.Generator,
    worked: Sequence[Order],
    cast: Mapping[str, Product],
    products: Mapping[str, Product],
) -> None:
    """What the handhelds and the benches recorded."""
    inbox.text("picks/handhelds.txt", PICKS, pick_rows(worked), encoding="utf-16", delimiter="\t", end="\r\n")
    short = _part(worked, "short")
    taken = {"pick": "short", "order": short.number, "sku": short.lines[0].sku, "quantity": 1}
    found_as = [taken, {"order": short.number, "promised": 1}]
    manifest.add("short-pick", "A picker finds one unit where the book says eight.", "picks/handhelds.txt", found_as)
    rows = pack_rows(random, worked, cast, products)
    rows.append(rows[0] | {"parcel": "P19999-1", "order_number": "#19999"})
    inbox.text("packs/benches.csv", PACKS, rows)
    inbox.text("packs/bench-3.csv", PACKS, [])
    stray = quarantined("benches.csv", len(rows) + 1, "order_number", subject="#19999")
    manifest.add("packed-for-nobody", "A parcel was packed for an order nobody knows.", "packs/benches.csv", stray)
    empty = refused("bench-3.csv", "no rows")
    manifest.add("header-only", "A bench delivers a header and no rows.", "packs/bench-3.csv", empty)
    for part, (codes, what) in FINDINGS.items():
        order = _part(worked, part)
        found_as = [{"finding": code, "parcel": parcel(order)} for code in codes]
        state = [{"parcel": parcel(order), "state": "held"}] if part in HELD else []
        alert = [_alert(parcel(order), order, has_left=part not in HELD)]
        manifest.add(f"parcel-{part.replace(' ', '-')}", what, "packs/benches.csv", [*found_as, *state, *alert])


def _alert(code: str, order: Order, *, has_left: bool) -> dict[str, object]:
    number = f", {tracking_number(order)}" if has_left else ""
    return {"alert": "parcel", "subject": f"{code} of order {order.number}{number}"}


def write_shipments(
    inbox: Inbox, manifest: TroubleList, random: np.random.Generator, web: Sequence[Order], worked: Sequence[Order]
) -> None:
    """The week's parcels from ShipStation, Friday's from the carriers; and where they are."""
    shipped = shipped_this_week(web)
    items = shipstation_rows(shipped)
    inbox.text("shipments/shipstation-week.csv", SHIPSTATION, items)
    whole = packed(table(SHIPSTATION, items[:300]).encode())
    again = "shipstation-again.csv.gz"
    inbox.path(f"shipments/{again}").write_bytes(whole[: len(whole) * 2 // 3])
    what = "A packed file was cut off on its way."
    manifest.add("truncated", what, f"shipments/{again}", refused(again, "cut off or damaged"))
    inbox.text("shipments/manifests-friday.csv", MANIFEST, manifest_rows(worked))
    _write_tracking(inbox, manifest, tracking_rows(random, shipped), shipped)


def _write_tracking(inbox: Inbox, manifest: TroubleList, rows: list[Row], shipped: Sequence[Order]) -> None:
    file = "tracking/carriers.csv"
    unknown = {"carrier": "DPD", "tracking_number": "15509999999999", "event": "delivered",
               "occurred_at": utc(at(FRIDAY, "10:10")), "description": "left with the addressee"}  # fmt: skip
    strange = rows[-1] | {"event": "teleported"}
    rows += [unknown, strange]
    inbox.text(file, TRACKING, rows)
    what = "A carrier tells of a parcel nobody handed to it."
    manifest.add("unknown-parcel", what, file, {"tracking": "15509999999999", "event": "delivered"})
    unknown_event = quarantined("carriers.csv", len(rows) + 1, "event", subject=strange["tracking_number"])
    manifest.add("unknown-event", "A carrier uses a word nobody knows.", file, unknown_event)
    for part, (event, _, words) in TROUBLED.items():
        order = _part(shipped, part)
        found_as: list[FoundAs] = [{"parcel": order.number, "state": event}, _alert(order.number, order, has_left=True)]
        manifest.add(f"parcel-{part.replace(' ', '-')}", f"What the carrier says of a parcel: {words}.", file, found_as)


def write_returns(inbox: Inbox, manifest: TroubleList, random: np.random.Generator, web: Sequence[Order]) -> None:
    """What buyers want to send back, and what the returns bench unpacked."""
    file = "return_requests/portal.csv"
    askers = asking(random, [*shipped_this_week(web), _part(web, "late")])
    rows = request_rows(askers)
    rows.append(rows[0] | {"request_id": "RQ-3900", "order_number": "#18888", "email": "hester.quill@post.example"})
    inbox.text(file, REQUESTS, rows)
    theirs = "return_requests/amazon-returns.txt"
    inbox.text(theirs, AMAZON_RETURNS, [AMAZON_RETURN], encoding="cp1252", delimiter="\t")
    request = {row["order_number"]: row["request_id"] for row in rows}
    for part, rule, what in (
        ("late", "window_over", "A return is asked for fifty days after the order."),
        ("final sale", "final_sale", "A return is asked for of something sold as final."),
    ):
        found_as = {"return": request[_part(askers, part).number], "state": "rejected", "rule": rule}
        manifest.add(f"return-{part.replace(' ', '-')}", what, file, found_as)
    what = "Returns are asked for of orders nobody knows, one of them at the marketplace."
    unknown = [{"return": one, "state": "manual", "rule": "order_unknown"}
               for one in ("RQ-3900", AMAZON_RETURN["Amazon RMA ID"])]  # fmt: skip
    manifest.add("return-of-unknown-order", what, file, unknown)
    _write_receipts(inbox, manifest, [one for one in askers if one.part not in {"late", "final sale"}], request)


def _write_receipts(inbox: Inbox, manifest: TroubleList, askers: Sequence[Order], request: Mapping[str, str]) -> None:
    """A return of which the box held something else than was agreed waits for a person."""
    back = [one for number, one in enumerate(askers) if one.part or number % 2 == 0]
    file = "return_receipts/returns-bench.csv"
    inbox.text(file, RECEIPTS, receipt_rows(back))
    for part, units, grade, disposition, what in (
        ("damaged", 1, "damaged_by_customer", "quarantine", "What comes back was broken by the buyer."),
        ("empty", 0, "as_new", "not_received", "The box that comes back is empty."),
        ("over", 2, "as_new", "restock", "Two units come back, one was asked for."),
    ):
        order = _part(back, part)
        found_as: list[dict[str, object]] = [{"receipt": order.number, "sku": order.lines[0].sku, "units": units,
                                           "grade": grade, "disposition": disposition}]  # fmt: skip
        if units != 1:
            found_as.append({"return": request[order.number], "state": "manual", "rule": "in_window"})
        manifest.add(f"receipt-{part}", what, file, found_as)


def write_messages(
    inbox: Inbox, manifest: TroubleList, web: Sequence[Order], amazon: Sequence[Order], of_trade: Sequence[Order]
) -> None:
    """What the mail provider says of earlier messages; and which messages must not go out."""
    file = "message_events/provider.csv"
    rows = message_event_rows([one for one in web if one.fulfilled][:10], BOUNCING.email)
    rows.append(rows[0] | {"event_id": "ev-0901", "recipient": "nobody at all"})
    inbox.text(file, EVENTS, rows)
    found_as = quarantined("provider.csv", len(rows) + 1, "recipient")
    manifest.add("event-of-nobody", "The mail provider names no address.", file, found_as)
    what = "An address bounced on Tuesday: it is not written to again."
    manifest.add("bounced", what, file, _unsent([_part(web, "bounced")], "bounce", *KINDS))
    open_ = [one for one in amazon if not one.fulfilled]
    what = "The marketplace forbids own mail to its buyers."
    manifest.add("silent-channel", what, "orders/amazon-unshipped.txt", _unsent(open_, "channel", *KINDS))
    old = [one for one in of_trade if AS_OF - one.created > timedelta(days=2)]
    what = "Orders placed days before anyone saw them: nobody is thanked so late."
    manifest.add("old-news", what, "orders/bigcommerce-orders.csv", _unsent(old, "old news", KINDS[0]))


def _unsent(orders: Sequence[Order], says: str, *kinds: str) -> list[dict[str, object]]:
    return [{"message": kind, "order": one.number, "state": "suppressed", "says": says}
            for one in orders for kind in kinds]  # fmt: skip
