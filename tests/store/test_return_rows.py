"""Return requests and receipts as they come in: each once, on the return they belong to."""

import pytest
from returns_shop import Counter, ago, load
from sqlalchemy import Engine, update

from tasks.store import schema


@pytest.fixture
def counter(store: Engine) -> Counter:
    """A shop with a delivered order of three mugs and a jug."""
    counter = Counter(store)
    counter.order("1", ("MUG", 3, 1000), ("JUG", 1, 500))
    return counter


LINES = ("sku", "quantity", "quantity_received", "grade")


def test_a_request_is_one_return_with_a_line_a_product(counter: Counter) -> None:
    """Its RMA is made of the merchant and the request; an unknown order is kept as it was told."""
    row = {"request_id": "R1", "order_number": "what", "requested_at": ago(1), "email": "jane@mail.example"}
    loaded = load("return_requests", [row | {"sku": "MUG", "quantity": 2}, row | {"sku": "JUG", "quantity": 1}])
    assert (loaded.loaded, loaded.unchanged) == (2, 0)
    facts = ("rma", "request_id", "state", "order_number", "resolution", "order_id")
    assert counter.rows(schema.returns, *facts) == [("RMA-HEARTH-R1", "R1", "requested", "what", "refund", None)]
    assert counter.rows(schema.return_lines, *LINES) == [("JUG", 1, 0, None), ("MUG", 2, 0, None)]


def test_a_request_that_names_two_orders_names_both(counter: Counter) -> None:
    """So that a person sees which."""
    row = {"request_id": "R1", "requested_at": ago(1), "quantity": 1}
    load("return_requests", [row | {"sku": "MUG", "order_number": "2"}, row | {"sku": "JUG", "order_number": "1"}])
    assert counter.rows(schema.returns, "order_number") == [("1 + 2",)]


def test_a_known_request_is_unchanged_and_another_story_is_refused(counter: Counter) -> None:
    """Another quantity, or another product after the answer."""
    counter.ask("R1", "1", "MUG")
    assert counter.ask("R1", "1", "MUG").unchanged == 1
    assert len(counter.ask("R1", "1", "MUG", 2).refused) == 1
    assert counter.ask("R1", "1", "JUG").loaded == 1
    with counter.store.begin() as connection:
        connection.execute(update(schema.returns).values(state="approved"))
    refused = counter.ask("R1", "1", "VASE").refused
    assert refused["reason"].tolist() == ["request_id: found 'R1' again with other values, expected a new request"]


def test_a_receipt_is_written_on_its_return_once(counter: Counter) -> None:
    """By its RMA; the same row again, alone or among new ones, is unchanged."""
    counter.ask("R1", "1", "MUG", 3)
    first = {"rma": "RMA-HEARTH-R1", "sku": "MUG", "quantity": 1, "grade": "as_new", "received_at": ago(0.5)}
    assert load("return_receipts", [first]).loaded == 1
    again = load("return_receipts", [first, first | {"quantity": 2, "received_at": ago(0.2)}])
    assert (again.loaded, again.unchanged, len(again.refused)) == (1, 1, 0)
    assert counter.rows(schema.return_lines, *LINES) == [("MUG", 2, 2, "as_new"), ("MUG", 3, 1, "as_new")]
    assert load("return_receipts", [first]).unchanged == 1


def test_two_grades_of_one_product_are_two_parcels(counter: Counter) -> None:
    """A line has one grade: the second becomes a further parcel of the return."""
    counter.ask("R1", "1", "MUG", 3)
    row = {"rma": "RMA-HEARTH-R1", "sku": "MUG", "received_at": ago(0.5)}
    load("return_receipts", [row | {"quantity": 2, "grade": "as_new"}, row | {"quantity": 1, "grade": "defective"}])
    found = counter.rows(schema.returns, "rma", "order_number")
    assert found == [("RMA-HEARTH-R1", "1"), ("RMA-HEARTH-R1~2", "1")]
    assert counter.rows(schema.return_lines, "quantity_received", "grade") == [(1, "defective"), (2, "as_new")]


def test_a_product_nobody_asked_about_is_kept_on_the_return(counter: Counter) -> None:
    """Agreed for none, received as it is."""
    counter.ask("R1", "1", "MUG")
    counter.arrive("RMA-HEARTH-R1", "JUG")
    assert counter.rows(schema.return_lines, *LINES) == [("JUG", 0, 1, "as_new"), ("MUG", 1, 0, None)]


def test_an_rma_nobody_gave_out_is_kept_for_a_person(counter: Counter) -> None:
    """Nothing that lies on the bench is lost; two products of one box are one return."""
    row = {"rma": "RMA-WHAT", "quantity": 1, "grade": "as_new", "received_at": ago(0.5)}
    load("return_receipts", [row | {"sku": "MUG"}, row | {"sku": "JUG"}])
    assert counter.rows(schema.returns, "rma", "state", "rule") == [
        ("RMA-HEARTH-RECEIPT-RMA-WHAT-20260907T000000Z", "manual", "receipt_without_rma")
    ]
    assert len(counter.rows(schema.return_lines, "sku")) == 2
