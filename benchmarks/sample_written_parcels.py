"""Write what happened to parcels and what came back, and what went wrong with it."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.sample_bench import (
    MANIFEST,
    PACKS,
    PICKS,
    manifest_rows,
    pack_rows,
    parcel,
    pick_rows,
    tracking_number,
)
from benchmarks.sample_catalogue import Product
from benchmarks.sample_files import Inbox, packed, row_of
from benchmarks.sample_floor import utc
from benchmarks.sample_headers import AMAZON_RETURNS, SHIPSTATION
from benchmarks.sample_journeys import (
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
from benchmarks.sample_manifest import Manifest
from benchmarks.sample_orders import FRIDAY, Order, at
from benchmarks.sample_planted import BOUNCING
from benchmarks.sample_shops import Row, table
from benchmarks.sample_written_floor import quarantined, refused

FINDINGS = {  # part -> finding code, what
    "wrong ordered": ("wrong_item", "Another product is in the parcel than was ordered."),
    "missing": ("missing_item", "Two of three units are in the parcel."),
    "unconfirmed": ("step_not_confirmed", "The packer did not confirm the label."),
    "extra": ("extra_item", "Two units are in the parcel, one was ordered."),
    "held and shipped": ("missing_item", "A parcel with a unit too few, which the carrier took all the same."),
}


def _part(orders: Sequence[Order], part: str) -> Order:
    return next(one for one in orders if one.part == part)


def write_bench(
    inbox: Inbox,
    manifest: Manifest,
    random: np.random.Generator,
    worked: Sequence[Order],
    cast: Mapping[str, Product],
    products: Mapping[str, Product],
) -> None:
    """What the handhelds and the benches recorded."""
    inbox.text("picks/handhelds.txt", PICKS, pick_rows(worked), encoding="utf-16", delimiter="\t", end="\r\n")
    short = _part(worked, "short")
    manifest.add(
        "short-pick",
        "A picker finds one unit where the book says eight.",
        "picks/handhelds.txt",
        {"pick": "short", "order": short.number, "sku": short.lines[0].sku, "quantity": 1},
    )
    rows = pack_rows(random, worked, cast, products)
    stray = rows[0] | {"parcel": "P19999-1", "order_number": "#19999"}
    rows.append(stray)
    inbox.text("packs/benches.csv", PACKS, rows)
    inbox.text("packs/bench-3.csv", PACKS, [])
    manifest.add(
        "packed-for-nobody",
        "A parcel was packed for an order nobody knows.",
        "packs/benches.csv",
        quarantined("benches.csv", len(rows) + 1, "order_number", subject="#19999"),
    )
    manifest.add(
        "header-only", "A bench delivers a header and no rows.", "packs/bench-3.csv", refused("bench-3.csv", "no rows")
    )
    for part, (code, what) in FINDINGS.items():
        box = parcel(_part(worked, part))
        found: list[dict[str, object]] = [{"finding": code, "parcel": box}, {"alert": "parcel", "subject": box}]
        if part == "wrong ordered":  # what was ordered is missing, what was not is there
            found.append({"finding": "missing_item", "parcel": box})
        manifest.add(f"parcel-{part.replace(' ', '-')}", what, "packs/benches.csv", found)


def write_shipments(
    inbox: Inbox, manifest: Manifest, random: np.random.Generator, web: Sequence[Order], worked: Sequence[Order]
) -> None:
    """The week's parcels from ShipStation, Friday's from the carriers; and where they are."""
    gone = shipped_this_week(web)
    items = shipstation_rows(gone)
    inbox.text("shipments/shipstation-week.csv", SHIPSTATION, items)
    whole = packed(table(SHIPSTATION, items[:300]).encode())
    inbox.path("shipments/shipstation-again.csv.gz").write_bytes(whole[: len(whole) * 2 // 3])
    manifest.add(
        "truncated",
        "A packed file was cut off on its way.",
        "shipments/shipstation-again.csv.gz",
        refused("shipstation-again.csv.gz", "cut off or damaged"),
    )
    inbox.text("shipments/manifests-friday.csv", MANIFEST, manifest_rows(worked))
    rows = tracking_rows(random, gone)
    unknown = {
        "carrier": "DPD",
        "tracking_number": "15509999999999",
        "event": "delivered",
        "occurred_at": utc(at(FRIDAY, "10:10")),
        "description": "left with the addressee",
    }
    strange = rows[-1] | {"event": "teleported"}
    rows += [unknown, strange]
    inbox.text("tracking/carriers.csv", TRACKING, rows)
    manifest.add(
        "unknown-parcel",
        "A carrier tells of a parcel nobody handed to it.",
        "tracking/carriers.csv",
        {"tracking": "15509999999999", "event": "delivered"},
    )
    manifest.add(
        "unknown-event",
        "A carrier uses a word nobody knows.",
        "tracking/carriers.csv",
        quarantined("carriers.csv", len(rows) + 1, "event", subject=strange["tracking_number"]),
    )
    for part, (event, _, words) in TROUBLED.items():
        number = tracking_number(_part(gone, part))
        manifest.add(
            f"parcel-{part.replace(' ', '-')}",
            f"A parcel is {words}.",
            "tracking/carriers.csv",
            [{"parcel": event, "tracking_number": number}, {"alert": "parcel", "subject": number}],
        )


def write_returns(inbox: Inbox, manifest: Manifest, web: Sequence[Order]) -> None:
    """What buyers want to send back, and what the returns bench unpacked."""
    random = np.random.default_rng([20260306, 11])
    gone = shipped_this_week(web)
    delivered = {
        row["tracking_number"]: row["occurred_at"]
        for row in tracking_rows(np.random.default_rng(1), gone)
        if row["event"] == "delivered"
    }
    askers = asking(random, [*gone, _part(web, "late")], delivered)
    rows = request_rows(askers)
    rows.append(rows[0] | {"request_id": "RQ-3900", "order_number": "#18888", "email": "hester.quill@post.example"})
    inbox.text("return_requests/portal.csv", REQUESTS, rows)
    inbox.text(
        "return_requests/amazon-returns.txt", AMAZON_RETURNS, [_amazon_return()], encoding="cp1252", delimiter="\t"
    )
    file = "return_requests/portal.csv"
    for part, decision, what in (
        ("late", "rejected", "A return is asked for forty days after the order."),
        ("final sale", "rejected", "A return is asked for of something sold as final."),
    ):
        order = _part(askers, part)
        request = rows[row_of(rows, order_number=order.number) - 2]["request_id"]
        manifest.add(f"return-{part.replace(' ', '-')}", what, file, {"return": request, "decision": decision})
    manifest.add(
        "return-of-unknown-order",
        "A return is asked for of orders nobody knows.",
        file,
        [{"return": "RQ-3900", "decision": "manual"}, {"return": "DbX7Qk2RRMA", "decision": "manual"}],
    )
    _write_receipts(inbox, manifest, [one for one in askers if one.part not in {"late", "final sale"}])


def _amazon_return() -> Row:
    return {
        "Order ID": "205-1111111-2222222",
        "Order date": "24-Feb-2026",
        "Return request date": "05-Mar-2026",
        "Return request status": "Approved",
        "Amazon RMA ID": "DbX7Qk2RRMA",
        "Label type": "AmazonUnPaidLabel",
        "Currency code": "GBP",
        "Merchant SKU": "HH-MUG-HOSLA",
        "Item Name": "Hollow Mug, Slate",
        "Return quantity": "1",
        "Return Reason": "CR-UNWANTED_ITEM",
        "In policy": "Y",
        "Return type": "C-Returns",
        "Resolution": "StandardRefund",
        "Order Amount": "12.00",
        "Order quantity": "1",
    }


def _write_receipts(inbox: Inbox, manifest: Manifest, askers: Sequence[Order]) -> None:
    back = [one for number, one in enumerate(askers) if one.part or number % 2 == 0]
    rows = receipt_rows(back)
    inbox.text("return_receipts/returns-bench.csv", RECEIPTS, rows)
    for part, grade, disposition, what in (
        ("damaged", "damaged_by_customer", "scrap", "What comes back was broken by the buyer."),
        ("empty", "as_new", "not_received", "The box that comes back is empty."),
        ("over", "as_new", "restock", "Two units come back, one was asked for."),
    ):
        order = _part(back, part)
        manifest.add(
            f"receipt-{part}",
            what,
            "return_receipts/returns-bench.csv",
            {"receipt": order.number, "sku": order.lines[0].sku, "grade": grade, "disposition": disposition},
        )


def write_messages(inbox: Inbox, manifest: Manifest, web: Sequence[Order], amazon: Sequence[Order]) -> None:
    """What the mail provider says of earlier messages."""
    rows = message_event_rows([one for one in web if one.fulfilled][:10], BOUNCING.email)
    rows.append(rows[0] | {"event_id": "ev-0901", "recipient": "nobody at all"})
    inbox.text("message_events/provider.csv", EVENTS, rows)
    manifest.add(
        "event-of-nobody",
        "The mail provider names no address.",
        "message_events/provider.csv",
        quarantined("provider.csv", len(rows) + 1, "recipient"),
    )
    bounced = _part(web, "bounced").number
    manifest.add(
        "bounced",
        "An address bounced on Tuesday: it is not written to again.",
        "message_events/provider.csv",
        {"message": "suppressed", "order": bounced, "says": "bounce"},
    )
    manifest.add(
        "silent-channel",
        "The marketplace forbids own mail to its buyers.",
        "orders/amazon-unshipped.txt",
        [{"message": "suppressed", "order": one.number, "says": "channel"} for one in amazon if not one.fulfilled],
    )
