"""From the packing bench to the door: stock, promises, lines, notices and alerts of parcels on their way."""

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from packing_floor import NOW, Floor, ago, put
from sqlalchemy import Engine, select, update

from config.settings import settings
from tasks.steps.parcels.track_shipments import MovedParcels, follow_parcels, ship_parcels, warn_of_parcels
from tasks.store import schema

STEP = timedelta(minutes=30)


@pytest.fixture
def floor(store: Engine) -> Floor:
    """Ten cups, ten trays, and a set of two cups and a tray."""
    floor = Floor(store)
    floor.product("CUP", weight_g=300)
    floor.product("TRAY", weight_g=500)
    floor.kit("SET", CUP=2, TRAY=1)
    return floor


def track(step: int = 0) -> MovedParcels:
    """A run of the flow's steps, `step` half hours from now."""
    as_of = NOW + step * STEP
    left = ship_parcels.fn(as_of)
    moved = follow_parcels.fn(left, as_of)
    warn_of_parcels.fn(as_of)
    return moved


def levels(floor: Floor) -> list[tuple[int, int]]:
    """On hand and allocated of cups and trays."""
    return [(row[1], row[2]) for row in floor.rows(schema.stock_levels, "location_id", "on_hand", "allocated")]


def causes(floor: Floor) -> list[str]:
    """The open alerts."""
    return [cause for cause, state in floor.rows(schema.alerts, "cause", "state") if state == "open"]


def shipped(floor: Floor, order: str = "1001") -> None:
    """An order of two cups and a tray, packed in one parcel and taken by the carrier."""
    floor.order(order, ("CUP", 2), ("TRAY", 1))
    floor.pack(f"P-{order}", order, ("CUP", 2), ("TRAY", 1))
    floor.manifest(order, f"P-{order}")


@pytest.mark.both_databases
def test_a_parcel_that_left_takes_its_stock_and_its_promises(floor: Floor) -> None:
    """On hand and allocated go down together, the line is shipped, the order is fulfilled as of its last parcel."""
    shipped(floor)
    track()
    assert levels(floor) == [(8, 0), (9, 0)]
    moves = floor.rows(schema.stock_moves, "cause", "kind", "quantity", "effective_at")
    assert [move for move in moves if move[1] == "ship"] == [
        ("ship:HEARTH:P-1001:CUP:MAIN/AT-CUP:", "ship", -2, ago(4)),
        ("ship:HEARTH:P-1001:TRAY:MAIN/AT-TRAY:", "ship", -1, ago(4)),
    ]
    assert set(floor.rows(schema.allocations, "state", "closed_reason")) == {("consumed", "shipped")}
    assert floor.line("1001") == {"allocated": 2, "picked": 2, "packed": 2, "shipped": 2, "delivered": 0}
    assert floor.rows(schema.orders, "fulfilled_at") == [(ago(4),)]
    assert floor.rows(schema.shipments, "state") == [("shipped",)]
    assert floor.books_balance()


def test_a_second_run_changes_nothing(floor: Floor) -> None:
    """I8: no row, and no document."""
    shipped(floor)
    floor.scan("T-P-1001", ("in_transit", 3), ("delivered", 1))
    track()
    before = floor.everything()
    moved = track(1)
    assert floor.everything() == before
    assert moved.parcels.empty
    assert len(list((settings().folder("outgoing") / "track-shipments").iterdir())) == 1


@pytest.mark.both_databases
def test_two_parcels_are_two_messages_with_their_own_content(floor: Floor) -> None:
    """The first is told as a part of the order, the last as the whole."""
    floor.order("1001", ("CUP", 3))
    floor.pack("P1", "1001", ("CUP", 1))
    floor.manifest("1001", "P1")
    track()
    assert levels(floor)[0] == (9, 2)
    assert floor.rows(schema.allocations, "quantity", "state") == [(1, "consumed"), (2, "open")]
    assert floor.rows(schema.orders, "fulfilled_at") == [(None,)]
    floor.pack("P2", "1001", ("CUP", 2), packed_at=ago(3))
    floor.manifest("1001", "P2", shipped_at=ago(2))
    track(1)
    told = [json.loads(row[1]) for row in floor.rows(schema.messages, "dedupe_key", "facts")]
    assert [(one["subject"], one["items"], one["is_complete"]) for one in told] == [
        ("P1", [{"sku": "CUP", "name": "The CUP", "quantity": 1}], False),
        ("P2", [{"sku": "CUP", "name": "The CUP", "quantity": 2}], True),
    ]
    assert levels(floor)[0] == (7, 0)
    assert floor.books_balance()


def test_a_kit_leaves_as_its_components(floor: Floor) -> None:
    """Scanned as a kit or as its parts, the parts leave stock; a kit of which a part is missing has not left."""
    floor.order("1001", ("SET", 1))
    floor.order("1002", ("SET", 1))
    floor.order("1003", ("SET", 1))
    floor.pack("P1", "1001", ("SET", 1))
    floor.pack("P2", "1002", ("CUP", 2), ("TRAY", 1))
    floor.pack("P3", "1003", ("CUP", 2))
    for number in (1, 2, 3):
        floor.manifest(f"100{number}", f"P{number}")
    track()
    assert levels(floor) == [(6, 2), (8, 1)]
    assert [floor.line(f"100{number}")["shipped"] for number in (1, 2, 3)] == [1, 1, 0]
    assert floor.books_balance()


@pytest.mark.both_databases
def test_what_was_fulfilled_elsewhere_moves_no_stock(floor: Floor) -> None:
    """Its parcel is followed all the same."""
    floor.elsewhere("2001", ("CUP", 2))
    floor.manifest("2001", "E1")
    floor.scan("T-E1", ("delivered", 1))
    track()
    assert levels(floor)[0] == (10, 0)
    assert floor.rows(schema.shipments, "state", "delivered_at") == [("delivered", ago(1))]
    assert floor.line("2001")["delivered"] == 2
    assert [row[0] for row in floor.rows(schema.messages, "kind")] == ["parcel_delivered"]


def test_one_odd_parcel_stops_nothing(floor: Floor) -> None:
    """More in it than was picked, or scanned though nothing was picked: what is sure is booked, the rest warned of."""
    floor.order("1001", ("CUP", 2), picked=False)
    floor.pack("P1", "1001", ("CUP", 2))
    floor.manifest("1001", "P1")
    floor.order("1002", ("CUP", 1))
    floor.pack("P2", "1002", ("CUP", 3), ("WHAT", 1))
    floor.manifest("1002", "P2")
    shipped(floor, "1003")
    track()
    assert [floor.line(f"100{number}")["shipped"] for number in (1, 2, 3)] == [0, 1, 2]
    assert causes(floor) == ["parcel:HEARTH:P1:unrecorded", "parcel:HEARTH:P2:unrecorded"]
    assert levels(floor)[0] == (7, 2)
    assert floor.books_balance()


@pytest.mark.both_databases
def test_a_parcel_nobody_scanned_was_packed_when_it_left(floor: Floor) -> None:
    """A shop without benches tells only what it shipped: promises are kept, and nobody walks for its open pick."""
    order = floor.order("1001", ("CUP", 2), ("TRAY", 1), picked=False)
    with floor.store.begin() as connection:
        wave = put(connection, schema.waves, warehouse_id=floor.warehouse, code="W1", released_at=ago(8))
        cart = put(connection, schema.carts, wave_id=wave, number=1)
        promise = connection.scalar(
            select(schema.allocations.c.id).where(schema.allocations.c.order_id == order).limit(1)
        )
        put(connection, schema.picks, cart_id=cart, stop_number=1, allocation_id=promise, quantity=2)
    floor.manifest("1001", sku="CUP", quantity=2)
    track()
    assert floor.line("1001") == {"allocated": 2, "picked": 2, "packed": 2, "shipped": 2, "delivered": 0}
    assert floor.line("1001", 2)["shipped"] == 0
    assert levels(floor) == [(8, 0), (10, 1)]
    assert floor.rows(schema.picks, "state") == [("cancelled",)]
    assert causes(floor) == []
    assert floor.books_balance()


@pytest.mark.both_databases
def test_what_left_before_it_was_promised_is_promised_to_nobody(floor: Floor) -> None:
    """The shop shipped it: the line is done, no stock moves, the customer is told."""
    with floor.store.begin() as connection:
        order = put(connection, schema.orders, merchant_id=floor.merchant, order_number="1001", currency="GBP",
                    created_at=ago(60), paid_at=ago(60), email="jane@mail.example")  # fmt: skip
        line = {"order_id": order, "line_number": 1, "sku": "CUP", "quantity_ordered": 2}
        connection.execute(schema.order_lines.insert().values(line))
    floor.manifest("1001", sku="CUP", quantity=2)
    assert floor.line("1001") == {"allocated": 2, "picked": 2, "packed": 2, "shipped": 2, "delivered": 0}
    assert floor.rows(schema.orders, "fulfilled_at") == [(ago(4),)]
    track()
    assert levels(floor)[0] == (10, 0)
    assert [row[0] for row in floor.rows(schema.messages, "kind")] == ["parcel_shipped"]
    assert causes(floor) == []


def test_an_event_of_a_parcel_not_known_yet_counts_when_it_is(floor: Floor) -> None:
    """Files come in any order."""
    floor.scan("T-P-1001", ("delivered", 1), ("in_transit", 3))
    track()
    shipped(floor)
    track(1)
    assert floor.rows(schema.shipments, "state", "delivered_at") == [("delivered", ago(1))]


@pytest.mark.both_databases
def test_a_late_event_moves_nothing_back(floor: Floor) -> None:
    """A scan from before the delivery that comes in after it changes no state and tells nobody."""
    shipped(floor)
    floor.scan("T-P-1001", ("delivered", 1))
    track()
    before = floor.rows(schema.messages, "dedupe_key")
    floor.scan("T-P-1001", ("out_for_delivery", 2), ("attempt_failed", 1.5), ("delivered", 0.5))
    track(1)
    assert floor.rows(schema.shipments, "state", "delivered_at") == [("delivered", ago(1))]
    assert floor.rows(schema.messages, "dedupe_key") == before


@pytest.mark.parametrize("late", [True, False])
def test_what_came_back_after_delivery_ends_the_same_in_any_order(floor: Floor, *, late: bool) -> None:
    """Returned to the sender, delivered once, no stock moved back: that takes a return receipt."""
    shipped(floor)
    first, second = (("delivered", 2.0), ("returned_to_sender", 1.0))
    floor.scan("T-P-1001", second if late else first)
    track()
    floor.scan("T-P-1001", first if late else second)
    track(1)
    assert floor.rows(schema.shipments, "state", "delivered_at") == [("returned_to_sender", ago(2))]
    assert floor.line("1001")["delivered"] == 2
    assert levels(floor) == [(8, 0), (9, 0)]
    assert causes(floor) == ["parcel:HEARTH:P-1001:returned_to_sender"]


def test_parcels_under_one_number_arrive_together(floor: Floor) -> None:
    """A manifest that knows only orders speaks of both parcels; so do the carrier's events."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 1))
    floor.pack("P2", "1001", ("CUP", 1))
    floor.manifest("1001", tracking_number="T1")
    floor.scan("T1", ("in_transit", 2), carrier="dpd")
    track()
    floor.scan("T1", ("delivered", 1), carrier="dpd")
    track(1)
    assert floor.rows(schema.shipments, "parcel", "state") == [("P1", "delivered"), ("P2", "delivered")]
    assert floor.line("1001")["delivered"] == 2


@pytest.mark.both_databases
def test_a_lost_parcel_is_told_once_and_refunds_nothing(floor: Floor) -> None:
    """The customer hears of it, a person is warned; when it turns up again the warning goes."""
    shipped(floor)
    floor.scan("T-P-1001", ("lost", 3))
    assert track().in_trouble == 1
    assert causes(floor) == ["parcel:HEARTH:P-1001:lost"]
    assert [row[0] for row in floor.rows(schema.messages, "kind")] == ["parcel_exception", "parcel_shipped"]
    assert floor.rows(schema.refunds, "id") == []
    folder = settings().folder("outgoing") / "track-shipments" / f"{NOW:%Y%m%dT%H%M%SZ}"
    assert pd.read_csv(folder / "exceptions.csv")["parcel"].tolist() == ["P-1001"]
    floor.scan("T-P-1001", ("delivered", 1))
    track(1)
    assert causes(floor) == []
    assert floor.rows(schema.shipments, "state") == [("delivered",)]


def test_a_parcel_no_carrier_scans_is_warned_of(floor: Floor) -> None:
    """Five days after it left; a scan closes the warning, and warnings of others are left alone."""
    shipped(floor)
    track()
    assert causes(floor) == []
    late = NOW + timedelta(days=5)
    warn_of_parcels.fn(late)
    assert causes(floor) == ["parcel:HEARTH:P-1001:no_scan"]
    assert warn_of_parcels.fn(late + STEP) == (0, 0)
    floor.scan("T-P-1001", ("in_transit", -100))
    warn_of_parcels.fn(late + STEP)
    assert causes(floor) == []


@pytest.mark.both_databases
def test_a_parcel_that_left_on_hold_is_warned_of(floor: Floor) -> None:
    """What is recorded is what happened: it is shipped, and a person hears of it."""
    shipped(floor)
    with floor.store.begin() as connection:
        connection.execute(update(schema.shipments).values(state="held"))
    parcel = floor.rows(schema.shipments, "id")[0][0]
    with floor.store.begin() as connection:
        made = connection.execute(
            schema.inspections.insert().values(
                shipment_id=parcel, plan="", seed=1, verdict="hold", inspected_at=ago(4.5)
            )
        ).inserted_primary_key
        assert made is not None
        connection.execute(schema.findings.insert().values(
            inspection_id=made[0], code="wrong_item", severity="critical", subject="CUP"))  # fmt: skip
    track()
    assert floor.rows(schema.shipments, "state") == [("shipped",)]
    assert floor.rows(schema.alerts, "cause", "detail") == [
        ("parcel:HEARTH:P-1001:shipped_held", "was shipped though it was held, critical: wrong_item CUP, 1 in all")
    ]


def test_what_the_carrier_takes_later_waits(floor: Floor) -> None:
    """A manifest may be ahead of the clock of the run."""
    floor.order("1001", ("CUP", 1))
    floor.pack("P1", "1001", ("CUP", 1))
    floor.manifest("1001", "P1", shipped_at=ago(-1))
    assert ship_parcels.fn(NOW).parcels.empty
    assert ship_parcels.fn(NOW + 2 * STEP).stock_moves == 1


def test_the_document_lists_what_moved(floor: Floor, home: Path) -> None:
    """Parcel, order, carrier, tracking number, state and when."""
    shipped(floor)
    floor.scan("T-P-1001", ("delivered", 1))
    track()
    (path,) = (home / "outgoing" / "track-shipments").rglob("shipments.csv")
    assert path.read_text(encoding="utf-8").splitlines() == [
        "merchant,order,parcel,carrier,tracking_number,state,shipped_at,delivered_at",
        "HEARTH,1001,P-1001,DPD,T-P-1001,delivered,2026-09-10T12:00:00Z,2026-09-10T15:00:00Z",
    ]
