"""Requests answered, boxes booked, refunds proposed: once, and never more than was paid."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from returns_shop import AS_OF, Counter, ago
from sqlalchemy import Engine

from tasks.steps.returns.answer_requests import decide_requests
from tasks.steps.returns.book_returned_goods import BookedReturns, book_receipts
from tasks.steps.returns.returns_table import returns_shown
from tasks.store import schema


@pytest.fixture
def counter(store: Engine) -> Counter:
    """A shop with a mug, and a jug that is sold for good."""
    counter = Counter(store)
    counter.product("MUG")
    counter.product("JUG", is_final_sale=True)
    return counter


def run() -> BookedReturns:
    """Both steps of process-returns."""
    decide_requests.fn(AS_OF)
    return book_receipts.fn(AS_OF)


def answered(counter: Counter) -> list[tuple[Any, ...]]:
    """Every return's answer."""
    return counter.rows(schema.returns, "rma", "state", "rule")


def test_requests_are_answered_by_the_first_rule_that_fits(counter: Counter) -> None:
    """In time, too late, sold for good, damaged, more than was sent, and unknown."""
    counter.order("1", ("MUG", 1, 1000))
    counter.order("2", ("MUG", 1, 1000), delivered=45)
    counter.order("3", ("JUG", 1, 1000))
    counter.order("4", ("MUG", 1, 1000), delivered=45)
    counter.order("5", ("MUG", 1, 1000))
    for number, order in enumerate("12345", 1):
        sku = "JUG" if order == "3" else "MUG"
        counter.ask(f"R{number}", order, sku, 2 if order == "5" else 1, reason="Damaged" if order == "4" else "too big")
    counter.ask("R6", "what", "MUG")
    counter.ask("R7", "1", "JUG")
    decide_requests.fn(AS_OF)
    assert answered(counter) == [
        ("RMA-HEARTH-R1", "approved", "in_window"),
        ("RMA-HEARTH-R2", "rejected", "window_over"),
        ("RMA-HEARTH-R3", "rejected", "final_sale"),
        ("RMA-HEARTH-R4", "approved", "our_fault"),
        ("RMA-HEARTH-R5", "manual", "too_many"),
        ("RMA-HEARTH-R6", "manual", "order_unknown"),
        ("RMA-HEARTH-R7", "manual", "not_on_order"),
    ]


@pytest.mark.both_databases
def test_customers_are_told_what_was_decided_and_a_person_tells_the_rest(counter: Counter) -> None:
    """The number to send it back with, or the reason in words; nothing where a person has still to decide."""
    counter.order("1", ("MUG", 1, 1000))
    counter.order("2", ("JUG", 1, 1000), language="de")
    for request, order, sku in (("R1", "1", "MUG"), ("R2", "2", "JUG"), ("R3", "none", "MUG")):
        counter.ask(request, order, sku)
    decide_requests.fn(AS_OF)
    told = {row[0]: json.loads(str(row[1])) for row in counter.rows(schema.messages, "dedupe_key", "facts")}
    assert sorted(told) == ["return_approved:HEARTH:1:RMA-HEARTH-R1", "return_rejected:HEARTH:2:R2"]
    approved = told["return_approved:HEARTH:1:RMA-HEARTH-R1"]
    assert approved["subject"] == "RMA-HEARTH-R1"
    assert approved["items"] == [{"sku": "MUG", "name": "The MUG", "quantity": 1}]
    assert "Umtausch" in told["return_rejected:HEARTH:2:R2"]["reason"]


@pytest.mark.both_databases
def test_a_customer_s_reference_finds_the_only_order_it_names(counter: Counter) -> None:
    """Two orders of one reference, or two orders in one request, are for a person."""
    counter.order("1", ("MUG", 1, 1000), customer_reference="C1")
    counter.order("2", ("MUG", 1, 1000), customer_reference="C2")
    counter.order("3", ("MUG", 1, 1000), customer_reference="C2")
    counter.ask("R1", None, "MUG", customer_reference="C1")
    counter.ask("R2", None, "MUG", customer_reference="C2")
    decide_requests.fn(AS_OF)
    assert counter.rows(schema.returns, "rma", "rule", "order_number") == [
        ("RMA-HEARTH-R1", "in_window", "1"),
        ("RMA-HEARTH-R2", "several_orders", None),
    ]


@pytest.mark.both_databases
def test_what_came_back_is_in_stock_on_the_order_and_in_a_refund(counter: Counter) -> None:
    """As new it can be sold again; the refund is what was paid for it."""
    counter.order("1", ("MUG", 3, 1000), total_minor=2500)
    counter.ask("R1", "1", "MUG", 2)
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG", 2)
    book_receipts.fn(AS_OF)
    moves = ("cause", "quantity", "condition", "kind", "location_id", "document")
    assert counter.rows(schema.stock_moves, *moves) == [
        ("return:RMA-HEARTH-R1:MUG", 2, "available", "return", 2, "RMA-HEARTH-R1")
    ]
    assert counter.rows(schema.order_lines, "quantity_returned") == [(2,)]
    assert counter.rows(schema.returns, "state", "closed_at") == [("closed", AS_OF)]
    assert counter.rows(schema.return_lines, "disposition", "order_id", "line_number") == [("restock", 1, 1)]
    refund = ("refund_key", "amount_minor", "currency", "state", "rule")
    # 25.00 over 3 units is 8.34, 8.33 and 8.33; two of them come back
    assert counter.rows(schema.refunds, *refund) == [("refund:RMA-HEARTH-R1", 1667, "GBP", "proposed", "in_window")]
    kinds = [row[0] for row in counter.rows(schema.messages, "kind")]
    assert kinds == ["refund_proposed", "return_approved"]


@pytest.mark.parametrize(
    ("grade", "condition", "refund"),
    [
        ("opened", "available", [(1000,)]),
        ("damaged_by_customer", "quarantine", [(500,)]),
        ("defective", "quarantine", [(1000,)]),
        ("wrong_item", "quarantine", []),
    ],
)
@pytest.mark.both_databases
def test_the_grade_says_where_it_goes_and_what_is_paid_back(
    counter: Counter, grade: str, condition: str, refund: list[tuple[int]]
) -> None:
    """Damaged by the customer pays half; the wrong item pays nothing before a person has looked."""
    counter.order("1", ("MUG", 1, 1000))
    counter.ask("R1", "1", "MUG")
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG", grade=grade)
    book_receipts.fn(AS_OF)
    assert counter.rows(schema.stock_levels, "condition", "on_hand") == [(condition, 1)]
    assert counter.rows(schema.refunds, "amount_minor") == refund
    assert counter.rows(schema.returns, "state") == [("closed" if refund else "manual",)]


@pytest.mark.both_databases
def test_odd_boxes_are_kept_and_flagged(counter: Counter) -> None:
    """More than agreed, something else, and nothing at all: a person looks at each."""
    counter.order("1", ("MUG", 3, 1000))
    counter.order("2", ("MUG", 1, 1000))
    counter.order("3", ("MUG", 1, 1000))
    for request, order in (("R1", "1"), ("R2", "2"), ("R3", "3")):
        counter.ask(request, order, "MUG")
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG", 3)
    counter.arrive("RMA-HEARTH-R2", "JUG", 1)
    counter.arrive("RMA-HEARTH-R3", "MUG", 0)
    flags = book_receipts.fn(AS_OF).receipts.set_index("rma")["flags"]
    assert flags["RMA-HEARTH-R1"] == "more than agreed"
    assert "not on the order" in flags["RMA-HEARTH-R2"]
    assert flags["RMA-HEARTH-R3"] == "empty box"
    assert {row[1] for row in answered(counter)} == {"manual"}
    assert counter.rows(schema.refunds, "amount_minor") == [(1000,)]
    assert counter.rows(schema.order_lines, "order_id", "quantity_returned") == [(1, 3), (2, 0), (3, 0)]
    assert ("not_received",) in counter.rows(schema.return_lines, "disposition")


@pytest.mark.both_databases
def test_a_box_without_an_rma_waits_for_a_person_unless_its_return_is_known(counter: Counter) -> None:
    """The only agreed return of its order takes it; otherwise one is made, and nothing is paid."""
    counter.order("1", ("MUG", 1, 1000))
    counter.order("2", ("MUG", 1, 1000))
    counter.ask("R1", "1", "MUG")
    decide_requests.fn(AS_OF)
    for order in ("1", "2", None):
        counter.arrive(None, "MUG", order_number=order)
    run()
    made = "RMA-HEARTH-RECEIPT-{}-20260907T093600Z"
    assert answered(counter) == [
        ("RMA-HEARTH-R1", "closed", "in_window"),
        (made.format("2"), "manual", "receipt_without_rma"),
        (made.format("NONE"), "manual", "receipt_without_rma"),
    ]
    assert counter.rows(schema.refunds, "refund_key") == [("refund:RMA-HEARTH-R1",)]
    assert counter.rows(schema.stock_levels, "condition", "on_hand") == [("available", 1), ("quarantine", 2)]


def test_the_rest_of_a_return_is_booked_and_paid_when_it_comes(counter: Counter) -> None:
    """The second box is a further parcel with a refund of its own; together they pay what was paid."""
    counter.order("1", ("MUG", 3, 333), total_minor=1000)
    counter.ask("R1", "1", "MUG", 3)
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG", 1)
    book_receipts.fn(AS_OF)
    assert answered(counter)[0][1] == "received"
    counter.arrive("RMA-HEARTH-R1", "MUG", 2, received_at=ago(0.05))
    book_receipts.fn(AS_OF)
    assert [row[:2] for row in answered(counter)][1] == ("RMA-HEARTH-R1~2", "closed")
    assert [row[0] for row in counter.rows(schema.refunds, "amount_minor")] == [333, 666]
    assert counter.rows(schema.order_lines, "quantity_returned") == [(3,)]


@pytest.mark.both_databases
def test_refunds_never_exceed_what_was_paid(counter: Counter) -> None:
    """What the shop paid back already is taken off; where nothing is left a person is told."""
    counter.order("1", ("MUG", 2, 1000), refunded_minor=1200)
    counter.order("2", ("MUG", 1, 1000), paid_at=None)
    for request, order in (("R1", "1"), ("R2", "2")):
        counter.ask(request, order, "MUG", 2 if order == "1" else 1)
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG", 2)
    counter.arrive("RMA-HEARTH-R2", "MUG", 1)
    book_receipts.fn(AS_OF)
    assert counter.rows(schema.refunds, "amount_minor") == [(800,)]
    assert ("RMA-HEARTH-R2", "manual", "in_window") in answered(counter)


@pytest.mark.parametrize(("country", "refund"), [("DE", 1495), ("GB", 1000)])
def test_shipping_is_paid_back_where_the_rule_says_so(counter: Counter, country: str, refund: int) -> None:
    """A withdrawal in the EU pays the way there, when all of the order comes back."""
    counter.order("1", ("MUG", 1, 1000), total_minor=1495, country=country)
    counter.ask("R1", "1", "MUG")
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG")
    book_receipts.fn(AS_OF)
    assert counter.rows(schema.refunds, "amount_minor") == [(refund,)]


def test_a_second_run_changes_nothing_and_writes_nothing(counter: Counter, home: Path) -> None:
    """Neither does the same export delivered again."""
    counter.order("1", ("MUG", 2, 1000))
    counter.ask("R1", "1", "MUG")
    decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG")
    counter.arrive(None, "MUG", order_number="1", received_at=ago(0.2))
    run()
    before = counter.everything()
    files = {path: path.read_bytes() for path in (home / "outgoing").rglob("*.csv")}
    assert {path.name for path in files} == {"decisions.csv", "receipts.csv", "refunds.csv"}
    assert counter.ask("R1", "1", "MUG").unchanged == 1
    assert counter.arrive("RMA-HEARTH-R1", "MUG").unchanged == 1
    assert counter.arrive(None, "MUG", order_number="1", received_at=ago(0.2)).unchanged == 1
    run()
    assert counter.everything() == before
    assert {path: path.read_bytes() for path in (home / "outgoing").rglob("*.csv")} == files


def test_documents_and_artifact_hold_no_customer(counter: Counter, home: Path) -> None:
    """Order numbers, products and rules; no name, no address."""
    counter.order("1", ("MUG", 1, 1000))
    counter.ask("R1", "1", "MUG", reason="my name is Jane Doe", email="jane@mail.example")
    decided = decide_requests.fn(AS_OF)
    counter.arrive("RMA-HEARTH-R1", "MUG", comment="call jane@mail.example")
    shown = json.dumps(returns_shown(decided, book_receipts.fn(AS_OF)))
    documents = sorted((home / "outgoing" / "process-returns").rglob("*.csv"))
    text = shown + "".join(path.read_text() for path in documents)
    assert "jane" not in text.casefold()
    with documents[0].open() as file:
        assert next(csv.DictReader(file))["why"] == "in_window: counted from delivery on 2026-09-02, 30 days"
