"""Parcels judged before they leave: verdicts, holds, documents, samples and alerts."""

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from packing_floor import NOW, Floor, ago, put
from sqlalchemy import Engine, select, update

from tasks.domain.parcels.sampling import SamplingRules, is_drawn, seed_of
from tasks.steps.parcels.inspect_parcels import inspection_table, judge_parcels, warn_of_held_parcels
from tasks.store import schema


@pytest.fixture
def floor(store: Engine) -> Floor:
    """Cups and trays enough for many parcels, and a set of two cups and a tray."""
    floor = Floor(store)
    floor.product("CUP", on_hand=500, weight_g=300)
    floor.product("TRAY", on_hand=500, weight_g=500)
    floor.kit("SET", CUP=2, TRAY=1)
    return floor


def findings(floor: Floor) -> list[tuple[str, str, str]]:
    """Parcel, code and subject of every finding."""
    with floor.store.begin() as connection:
        rows = connection.execute(
            select(schema.shipments.c.parcel, schema.findings.c.code, schema.findings.c.subject)
            .join(schema.inspections, schema.inspections.c.id == schema.findings.c.inspection_id)
            .join(schema.shipments, schema.shipments.c.id == schema.inspections.c.shipment_id)
        )
        return sorted((row[0], row[1], row[2]) for row in rows)


def document(home: Path, name: str) -> pd.DataFrame:
    """A document of the run, every cell as text."""
    folder = home / "outgoing" / "inspect-parcels" / f"{NOW:%Y%m%dT%H%M%SZ}"
    return pd.read_csv(folder / name, dtype="str", keep_default_na=False)


def test_good_parcels_go_and_bad_ones_wait(floor: Floor, home: Path) -> None:
    """A wrong item, a missing one, one too many and an unanswered step are held; a weight is written down."""
    for number in range(1, 7):
        floor.order(f"100{number}", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 2))
    floor.pack("P2", "1002", ("CUP", 1), ("TRAY", 1))
    floor.pack("P3", "1003", ("CUP", 1))
    floor.pack("P4", "1004", ("CUP", 3))
    floor.pack("P5", "1005", ("CUP", 2), checks="items_match=yes|condition_ok=yes")
    floor.pack("P6", "1006", ("CUP", 2), weight_g=5000)
    judged = judge_parcels.fn(NOW)
    assert findings(floor) == [
        ("P2", "missing_item", "CUP"),
        ("P2", "wrong_item", "TRAY"),
        ("P3", "missing_item", "CUP"),
        ("P4", "extra_item", "CUP"),
        ("P5", "step_not_confirmed", "label_matches"),
        ("P6", "weight_out_of_range", "weight"),
    ]
    released, held = ("released", "held")
    assert floor.rows(schema.shipments, "parcel", "state") == [
        ("P1", released), ("P2", held), ("P3", held), ("P4", held), ("P5", held), ("P6", released),
    ]  # fmt: skip
    assert (judged.count("release"), judged.count("hold"), judged.findings) == (2, 4, 6)
    assert document(home, "inspected.csv")["verdict"].tolist() == ["release", *["hold"] * 4, "release"]
    holds = document(home, "holds.csv").set_index("parcel")["findings"]
    assert holds["P3"] == "major: missing_item CUP, expected 2, found 1"
    assert {row["parcel"] for row in inspection_table(judged)} >= {"P2", "P3", "P4", "P5"}


def test_a_parcel_is_judged_once(floor: Floor, home: Path) -> None:
    """I8: a second run writes no row and no document; other scans of a judged parcel are refused."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 1))
    judge_parcels.fn(NOW)
    warn_of_held_parcels.fn(NOW)
    before = floor.everything()
    assert judge_parcels.fn(NOW + timedelta(hours=1)).parcels.empty
    assert warn_of_held_parcels.fn(NOW + timedelta(hours=1)) == (0, 0)
    assert floor.pack("P1", "1001", ("CUP", 1)).unchanged == 1
    late = floor.pack("P1", "1001", ("CUP", 2))
    assert late.refused["reason"].tolist() == [
        "parcel: found other scans of 'P1', expected none after it was inspected or shipped"
    ]
    assert floor.everything() == before
    assert len(list((home / "outgoing" / "inspect-parcels").iterdir())) == 1


def test_an_order_in_two_parcels_is_judged_as_one(floor: Floor) -> None:
    """Together they hold what was picked; a third parcel is one too many."""
    floor.order("1001", ("CUP", 2), ("SET", 1))
    floor.pack("P1", "1001", ("CUP", 2))
    floor.pack("P2", "1001", ("CUP", 2), ("TRAY", 1), packed_at=ago(4))
    judge_parcels.fn(NOW)
    assert findings(floor) == []
    floor.pack("P3", "1001", ("CUP", 1), packed_at=ago(3))
    judge_parcels.fn(NOW + timedelta(minutes=15))
    assert findings(floor) == [("P3", "extra_item", "CUP")]


@pytest.mark.both_databases
def test_a_kit_lacks_the_part_that_lacks(floor: Floor) -> None:
    """A set without its tray; a set scanned as a set is whole."""
    floor.order("1001", ("SET", 1))
    floor.order("1002", ("SET", 1))
    floor.pack("P1", "1001", ("CUP", 2))
    floor.pack("P2", "1002", ("SET", 1))
    judge_parcels.fn(NOW)
    assert findings(floor) == [("P1", "missing_item", "TRAY")]


@pytest.mark.both_databases
def test_an_order_cancelled_after_packing_is_held(floor: Floor) -> None:
    """Critical, whatever is in the parcel."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 2))
    with floor.store.begin() as connection:
        connection.execute(update(schema.orders).values(cancelled_at=ago(1)))
    judge_parcels.fn(NOW)
    assert floor.rows(schema.findings, "code", "severity", "found") == [("order_not_to_ship", "critical", "cancelled")]


@pytest.mark.both_databases
def test_a_parcel_nobody_scanned_is_not_judged(floor: Floor) -> None:
    """A carrier's manifest alone says nothing of what is in a parcel."""
    floor.order("1001", ("CUP", 2))
    floor.manifest("1001", "P1")
    assert judge_parcels.fn(NOW).parcels.empty
    assert floor.rows(schema.inspections, "id") == []


@pytest.mark.both_databases
def test_a_held_parcel_is_warned_of_until_it_is_not_held(floor: Floor) -> None:
    """One alert a parcel; a person who releases it closes it, and other alerts are left alone."""
    floor.order("1001", ("CUP", 2))
    floor.pack("P1", "1001", ("CUP", 1))
    with floor.store.begin() as connection:
        put(connection, schema.alerts, cause="rma:R1", kind="parcel", subject="R1", detail="unknown", opened_at=ago(9))
    judge_parcels.fn(NOW)
    assert warn_of_held_parcels.fn(NOW) == (1, 0)
    with floor.store.begin() as connection:
        connection.execute(update(schema.shipments).values(state="released"))
    assert warn_of_held_parcels.fn(NOW) == (0, 1)
    assert floor.rows(schema.alerts, "cause", "state", "detail") == [
        ("parcel:HEARTH:P1:held", "resolved", "held, major: missing_item CUP, 1 in all"),
        ("rma:R1", "open", "unknown"),
    ]


@pytest.mark.both_databases
def test_the_sample_can_be_drawn_again_from_what_is_kept(floor: Floor, home: Path) -> None:
    """Twenty of sixty parcels; the plan and the seed are in the database and on the sheet."""
    for number in range(60):
        floor.order(f"{number}", ("CUP", 1))
    scan = {"sku": "CUP", "quantity": 1, "packed_at": ago(5)}
    floor.load("packs", *({**scan, "parcel": f"P{number}", "order_number": f"{number}"} for number in range(60)))
    judged = judge_parcels.fn(NOW)
    assert judged.parcels["by_hand"].sum() == 20
    (seed,) = set(floor.rows(schema.inspections, "seed"))
    assert seed == (seed_of("run 2026-09-10T16:00:00Z", SamplingRules()),)
    names = pd.Series([f"HEARTH:P{number}" for number in range(60)])
    drawn = names[is_drawn(names, seed[0], 20)].str.removeprefix("HEARTH:")
    assert set(document(home, "sample.csv")["parcel"]) == set(drawn)
    (plan,) = {row[0] for row in floor.rows(schema.inspections, "plan")}
    assert "of 60; letter F: open 20, accept 1, reject 2; procedure packing version 1" in plan


@pytest.mark.both_databases
def test_parcels_of_a_wave_are_drawn_from_its_orders(floor: Floor) -> None:
    """The wave is the lot, however many of its parcels are packed yet; the inspection names it."""
    orders = [floor.order(f"{number}", ("CUP", 1)) for number in range(30)]
    with floor.store.begin() as connection:
        wave = put(connection, schema.waves, warehouse_id=floor.warehouse, code="W1", released_at=ago(8))
        cart = put(connection, schema.carts, wave_id=wave, number=1)
        for stop, order in enumerate(orders, start=1):
            found = schema.allocations.c.order_id == order
            promise = connection.scalar(select(schema.allocations.c.id).where(found))
            put(connection, schema.picks, cart_id=cart, stop_number=stop, allocation_id=promise, quantity=1,
                quantity_picked=1, state="picked")  # fmt: skip
    floor.pack("P1", "1", ("CUP", 1))
    judge_parcels.fn(NOW)
    assert floor.rows(schema.inspections, "wave_id") == [(wave,)]
    assert "lot wave W1 of 30; letter C: open 5" in floor.rows(schema.inspections, "plan")[0][0]


@pytest.mark.both_databases
def test_documents_are_the_same_bytes_again(floor: Floor, home: Path) -> None:
    """I10: the sheets follow from the rows and the moment alone, and hold no customer."""
    floor.order("1001", ("CUP", 2), customer_name="Jane Doe")
    floor.pack("P1", "1001", ("CUP", 1))
    judged = judge_parcels.fn(NOW)
    paths = sorted((home / "outgoing").rglob("*.csv"))
    assert [path.name for path in paths] == ["holds.csv", "inspected.csv", "sample.csv"]
    text = "".join(path.read_text(encoding="utf-8") for path in paths) + json.dumps(inspection_table(judged))
    assert "Jane" not in text
    assert "jane@" not in text
