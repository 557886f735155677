"""What later exports change in orders that are known."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from real_exports import REAL, write
from sqlalchemy import Engine, select

from tasks import receive_exports as steps
from tasks.store.schema import orders

MORNING, NOON = datetime(2026, 3, 5, 8, tzinfo=UTC), datetime(2026, 3, 5, 12, tzinfo=UTC)
ORDER = {
    "Name": "#1001", "Email": "kezia@post.example", "Currency": "GBP", "Total": "12.00",
    "Created at": "2026-03-05 07:00:00 +0000", "Lineitem quantity": "1", "Lineitem name": "Mug",
    "Lineitem price": "12.00", "Lineitem sku": "MUG",
}  # fmt: skip


def _receive(home: Path, name: str, as_of: datetime, **said: str) -> str:
    row = ORDER | {key.replace("_", " "): text for key, text in said.items()}
    write(home / "inbox" / "orders" / name, REAL["shopify_orders"], [row])
    site = steps.read_site.fn()
    with steps.expectations(as_of) as gate:
        files = steps.find_files.fn(["orders"])["orders"]
        return steps.take_in_kind.fn("orders", files, site, gate, as_of)[0].state


def _hold(store: Engine) -> str | None:
    with store.connect() as connection:
        return connection.scalar(select(orders.c.hold_reason))


@pytest.mark.parametrize(("status", "left"), [("paid", None), ("authorized", "payment")])
def test_an_order_waits_for_its_payment_and_no_longer(home: Path, store: Engine, status: str, left: str | None) -> None:
    """First seen pending it is held; the export that says it is paid lets it go, one that does not, does not."""
    paid = {"Paid_at": "2026-03-05 11:00:00 +0000"} if status == "paid" else {}
    assert _receive(home, "morning.csv", MORNING, Financial_Status="pending") == "loaded"
    assert _hold(store) == "payment"
    assert _receive(home, "noon.csv", NOON, Financial_Status=status, **paid) == "loaded"
    assert _hold(store) == left
