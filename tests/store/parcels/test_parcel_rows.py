"""Scans of the packing bench, manifests and tracking events as they come in."""

import pytest
from packing_floor import CHECKS, Floor, ago
from sqlalchemy import Engine

from tasks.store import schema


@pytest.fixture
def floor(store: Engine) -> Floor:
    """Cups with a barcode, trays, and a set of two cups and a tray."""
    floor = Floor(store)
    floor.product("CUP", barcode="0036000291452", weight_g=300)
    floor.product("TRAY", weight_g=500)
    floor.kit("SET", CUP=2, TRAY=1)
    return floor


LINES = ("sku", "line_number", "quantity")


def test_several_rows_are_one_parcel(floor: Floor) -> None:
    """The parcel holds what was scanned, each unit on its line, and the lines count as packed."""
    floor.order("1001", ("CUP", 2), ("TRAY", 1))
    loaded = floor.pack("P1", "1001", ("CUP", 2), ("TRAY", 1), weight_g=1200)
    assert (loaded.loaded, loaded.unchanged, len(loaded.refused)) == (2, 0, 0)
    facts = ("parcel", "state", "packer", "weight_g", "checks", "packed_at")
    assert floor.rows(schema.shipments, *facts) == [("P1", "packed", "Ann", 1200, CHECKS, ago(5))]
    assert floor.rows(schema.shipment_lines, *LINES) == [("CUP", 1, 2), ("TRAY", 2, 1)]
    assert (floor.line("1001", 1)["packed"], floor.line("1001", 2)["packed"]) == (2, 1)


def test_a_barcode_is_read_as_its_sku(floor: Floor) -> None:
    """Scanners add or drop leading zeros; SKU and barcode of one product in one parcel add up."""
    floor.order("1001", ("CUP", 3))
    assert floor.pack("P1", "1001", ("036000291452", 1), ("CUP", 2)).loaded == 2
    assert floor.rows(schema.shipment_lines, *LINES) == [("CUP", 1, 3)]


def test_what_the_order_does_not_have_is_kept_without_a_line(floor: Floor) -> None:
    """For the inspection to find; the order's lines do not count it."""
    floor.order("1001", ("CUP", 1))
    floor.pack("P1", "1001", ("TRAY", 1), ("WHAT", 2))
    assert floor.rows(schema.shipment_lines, "sku", "quantity") == [("TRAY", 1), ("WHAT", 2)]
    assert {row[0] for row in floor.rows(schema.shipment_lines, "line_number")} == {None}
    assert floor.line("1001")["packed"] == 0


def test_a_line_is_packed_no_further_than_picked(floor: Floor) -> None:
    """More scans than picks are in the parcel, but not on the line."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 5))
    assert floor.rows(schema.shipment_lines, *LINES) == [("CUP", 1, 5)]
    assert floor.line("1001")["packed"] == 2


def test_two_lines_of_one_sku_are_filled_in_turn(floor: Floor) -> None:
    """Over both parcels, and what is left over is on the first."""
    floor.order("1001", ("CUP", 2), ("CUP", 1))
    floor.pack("P1", "1001", ("CUP", 1))
    floor.pack("P2", "1001", ("CUP", 3), packed_at=ago(4))
    assert floor.rows(schema.shipment_lines, "line_number", "quantity") == [(1, 1), (1, 2), (2, 1)]
    assert (floor.line("1001", 1)["packed"], floor.line("1001", 2)["packed"]) == (2, 1)


def test_components_make_a_kit(floor: Floor) -> None:
    """Three of four cups and two trays are one whole set; a line of cups alone is served first."""
    floor.order("1001", ("SET", 2), ("CUP", 1))
    floor.pack("P1", "1001", ("CUP", 4), ("TRAY", 2))
    assert floor.rows(schema.shipment_lines, *LINES) == [("CUP", 1, 3), ("CUP", 2, 1), ("TRAY", 1, 2)]
    assert (floor.line("1001", 1)["packed"], floor.line("1001", 2)["packed"]) == (1, 1)


def test_the_same_scans_again_change_nothing(floor: Floor) -> None:
    """I8."""
    floor.order("1001", ("CUP", 2), ("TRAY", 1))
    floor.pack("P1", "1001", ("CUP", 2), ("TRAY", 1), weight_g=1200)
    before = floor.everything()
    again = floor.pack("P1", "1001", ("CUP", 2), ("TRAY", 1), weight_g=1200)
    assert (again.loaded, again.unchanged, len(again.refused)) == (0, 2, 0)
    assert floor.everything() == before


def test_a_later_word_on_an_open_parcel_stands(floor: Floor) -> None:
    """Until it was inspected; what is not said again stays in the parcel."""
    floor.order("1001", ("CUP", 2), ("TRAY", 1))
    floor.pack("P1", "1001", ("CUP", 2), ("TRAY", 1))
    assert floor.pack("P1", "1001", ("CUP", 1)).loaded == 1
    assert floor.rows(schema.shipment_lines, *LINES) == [("CUP", 1, 1), ("TRAY", 2, 1)]
    assert floor.line("1001")["packed"] == 1


def test_rows_that_fit_nothing_are_refused_with_a_reason(floor: Floor) -> None:
    """An unknown order, and a parcel that is another order's; the rest of the file loads."""
    floor.order("1001", ("CUP", 2))
    floor.order("1002", ("CUP", 2))
    row = {"packed_at": ago(5), "sku": "CUP", "quantity": 1}
    loaded = floor.load(
        "packs",
        {**row, "parcel": "P1", "order_number": "1001"},
        {**row, "parcel": "P9", "order_number": "9999"},
        {**row, "parcel": "P1", "order_number": "1002", "sku": "TRAY"},
    )
    assert loaded.loaded == 1
    assert dict(loaded.refused.to_numpy().tolist()) == {
        2: "order_number: found '9999', expected an order received before",
        3: "order_number: found '1002' for parcel 'P1', expected the order it was packed for",
    }


def test_a_manifest_without_parcels_speaks_of_the_packed_one(floor: Floor) -> None:
    """ShipStation tells orders, not parcels; the parcel keeps what was scanned and waits for track-shipments."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 2))
    loaded = floor.manifest("1001", sku="CUP", quantity=2, tracking_number=None)
    assert loaded.loaded == 1
    facts = ("parcel", "state", "carrier", "shipped_at")
    assert floor.rows(schema.shipments, *facts) == [("P1", "packed", "DPD", ago(4))]
    again = floor.manifest("1001", sku="CUP", quantity=2, tracking_number=None)
    assert (again.loaded, again.unchanged) == (0, 1)


def test_an_order_fulfilled_elsewhere_gets_its_parcel(floor: Floor) -> None:
    """Called like the order, already shipped, holding what the rows or else the order's lines say."""
    floor.elsewhere("2001", ("CUP", 2), ("TRAY", 1))
    floor.elsewhere("2002", ("CUP", 4))
    floor.manifest("2001", sku="TRAY", quantity=1)
    floor.manifest("2002")
    assert floor.rows(schema.shipments, "parcel", "state") == [("2001", "shipped"), ("2002", "shipped")]
    assert floor.rows(schema.shipment_lines, *LINES) == [("CUP", 1, 4), ("TRAY", 2, 1)]


def test_what_was_told_first_of_a_parcel_stands(floor: Floor) -> None:
    """Another day or another number for the same parcel waits for a person; an unknown order does too."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 2))
    floor.manifest("1001", "P1")
    (wrong,) = floor.manifest("1001", "P1", tracking_number="OTHER").refused["reason"]
    assert wrong == "tracking_number: found 'OTHER' for parcel 'P1', expected 'T-P1' as reported before"
    assert len(floor.manifest("1001", "P1", shipped_at=ago(1)).refused) == 1
    assert floor.manifest("9999").refused["reason"].tolist() == [
        "order_number: found '9999', expected an order received before"
    ]


def test_an_event_waits_for_its_parcel(floor: Floor) -> None:
    """Kept once, tied to its parcel as soon as there is one; a carrier's name is read in any case."""
    floor.order("1001", ("CUP", 2))
    assert floor.scan("T-P1", ("in_transit", 3), carrier="dpd").loaded == 1
    assert floor.rows(schema.tracking_events, "shipment_id") == [(None,)]
    floor.pack("P1", "1001", ("CUP", 2))
    floor.manifest("1001", "P1")
    again = floor.scan("T-P1", ("in_transit", 3), carrier="dpd")
    assert (again.loaded, again.unchanged) == (0, 1)
    assert floor.rows(schema.tracking_events, "shipment_id") == floor.rows(schema.shipments, "id")
