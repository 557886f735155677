"""Alerts of a small shop: one digest a run, silent by a sheet, covered by a purchase, and none lost with the mail."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from allocation_run import run
from floor import AS_OF, Shop
from inbox_run import put, receive
from mail_provider import Provider
from sqlalchemy import Engine, insert, update

from config.settings import settings
from tasks.steps.messaging.send_messages import send_queued, settle_interrupted, suppress_messages
from tasks.steps.plan_purchases import propose_purchases, set_targets
from tasks.store import schema

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Great Expectations' own


@pytest.fixture
def shop(store: Engine) -> Shop:
    """Three products, ten of each wanted on the shelf, twenty of each there."""
    made = Shop(store)
    for sku in ("CUP", "JUG", "POT"):
        made.product(sku, reorder_point=10)
        made.stock(sku, 20)
    return made


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider that is configured as this installation's."""
    made = Provider()
    monkeypatch.setenv("FULFILMENT_SENDER", "sendgrid")
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.test")
    monkeypatch.setenv("FULFILMENT_SENDGRID_HOST", made.host)
    yield made
    made.stop()


def leave(shop: Shop, sku: str, units: int) -> None:
    """So many units are there now."""
    goods = shop.rows(schema.products).set_index("sku")["id"][sku]
    with shop.store.begin() as connection:
        level = update(schema.stock_levels).where(schema.stock_levels.c.product_id == int(goods))
        connection.execute(level.values(on_hand=units))


def states(shop: Shop) -> dict[str, str]:
    """The state of each SKU's alert."""
    alerts = shop.rows(schema.alerts).query("kind == 'low_stock'")
    return dict(zip(alerts["subject"], alerts["state"], strict=True))


def send(hours: float) -> dict[str, int]:
    """The steps of send-messages."""
    as_of = AS_OF + timedelta(hours=hours)
    settle_interrupted.fn(as_of)
    suppress_messages.fn(as_of)
    return send_queued.fn(as_of)


def test_an_outage_of_the_mail_loses_no_alert_and_a_swing_is_told_once(shop: Shop, provider: Provider) -> None:
    """Busy, then gone for eleven days: each digest waits, and arrives once, with every alert in it once."""
    provider.answer = lambda _: 503
    for hour, (cups, jugs) in enumerate([(9, 20), (11, 20), (9, 5), (11, 5), (9, 5)]):
        leave(shop, "CUP", cups)
        leave(shop, "JUG", jugs)
        run(AS_OF + timedelta(hours=hour))
        assert set(send(hour)) <= {"queued"}
    refused = len(provider.taken)
    assert refused >= 2
    provider.taken.clear()
    provider.answer = lambda _: 202
    assert send(11 * 24) == {"sent": 2}
    assert send(11 * 24 + 1) == {}
    told = "".join(sorted(one["content"][0]["value"] for one in provider.taken))
    assert [told.count(f"low stock, {sku}:") for sku in ("CUP", "JUG", "POT")] == [1, 1, 0]
    assert {one["personalizations"][0]["to"][0]["email"] for one in provider.taken} == {
        "stockroom@hearthandhook.example"
    }


def test_a_sheet_silences_an_alert_until_its_moment(shop: Shop, home: Path) -> None:
    """Filled in where the alerts are listed; it wakes and is told of again; a second run at a moment tells nothing."""
    leave(shop, "CUP", 3)
    run()
    listed = pd.read_csv(next(settings().folder("outgoing").rglob("alerts.csv")), dtype="str", keep_default_na=False)
    put(home, "snoozes", listed.assign(snooze_until="2026-03-08T09:00:00Z", set_by="Ada").to_csv(index=False))
    assert [(one.rows_loaded, one.rows_quarantined) for one in receive(AS_OF, ["snoozes"])] == [(1, 0)]
    run(AS_OF + timedelta(hours=47))
    assert states(shop) == {"CUP": "snoozed"}
    assert len(shop.rows(schema.messages)) == 1
    run(AS_OF + timedelta(hours=48))
    before = shop.everything()
    run(AS_OF + timedelta(hours=48))
    assert shop.everything() == before
    assert states(shop) == {"CUP": "open"}
    assert len(shop.rows(schema.messages)) == 2
    leave(shop, "CUP", 12)
    run(AS_OF + timedelta(hours=49))
    assert states(shop) == {"CUP": "resolved"}


def sold(shop: Shop, sku: str, daily: int, days: int) -> None:
    """So many units a day were ordered and sent, with the movements that brought and took them."""
    goods = int(shop.rows(schema.products).set_index("sku")["id"][sku])
    place = int(shop.rows(schema.locations)["id"][0])
    with shop.store.begin() as connection:
        for day in range(days):
            at = AS_OF.replace(hour=12) - timedelta(days=days - day)
            number = shop._put(connection, schema.orders, merchant_id=1, order_number=f"{sku}-{day}", currency="GBP",
                               created_at=at, paid_at=at, fulfilled_at=at)  # fmt: skip
            done = dict.fromkeys((f"quantity_{name}" for name in ("allocated", "picked", "packed", "shipped")), daily)
            connection.execute(insert(schema.order_lines).values(
                order_id=number, line_number=1, sku=sku, quantity_ordered=daily, **done))  # fmt: skip
        connection.execute(insert(schema.stock_moves).values(
            product_id=goods, location_id=place, quantity=1000, kind="opening", cause=f"opening:{sku}",
            effective_at=AS_OF - timedelta(days=days), recorded_at=AS_OF))  # fmt: skip


@pytest.mark.both_databases
def test_purchases_follow_demand_and_the_terms_of_the_supplier(shop: Shop, home: Path) -> None:
    """Two a day for thirty days, five days to get them, in cases of twelve from one supplier: one file for it."""
    shop.product("FORK", unit_cost_minor=150, currency="GBP")
    shop.stock("FORK", 9, "A-03")
    sold(shop, "FORK", 2, 30)
    terms = (
        "sku,supplier,lead_days,lead_deviation_days,order_multiple\nFORK,Sheffield Steel,5,0,12\nGHOST,Nobody,1,1,1\n"
    )
    put(home, "supply", terms)
    assert [(one.rows_loaded, one.rows_quarantined) for one in receive(AS_OF, ["supply"])] == [(1, 1)]
    assert set_targets.fn(AS_OF) == 4
    target = shop.rows(schema.stock_targets).set_index("product_id").iloc[-1]
    assert (target["reorder_point"], target["order_up_to"], target["days_counted"]) == (10, 38, 30)
    found = propose_purchases.fn(AS_OF)
    assert found[["sku", "quantity", "supplier", "cost_minor"]].to_numpy().tolist() == [
        ["FORK", 36, "Sheffield Steel", 5400]
    ]
    files = {path.name: path.read_bytes() for path in (home / "outgoing" / "plan-purchases").rglob("*.csv")}
    assert list(files) == ["PO-20260306-HEARTH-Sheffield_Steel.csv"]
    before = shop.everything()
    assert set_targets.fn(AS_OF + timedelta(hours=1)) == 0
    propose_purchases.fn(AS_OF + timedelta(hours=1))
    assert shop.everything() == before
    assert len(list((home / "outgoing" / "plan-purchases").rglob("*.csv"))) == 1
    run()
    assert states(shop) == {"FORK": "open"}


def test_nothing_is_bought_for_an_order_held_as_a_duplicate(shop: Shop) -> None:
    """Of two orders for the same eight cups one is held: there is enough for the other, and nothing to buy."""
    set_targets.fn(AS_OF)
    for number, minutes in (("1", 0), ("2", 5)):
        placed_at = AS_OF - timedelta(hours=2) + timedelta(minutes=minutes)
        shop.order(number, {"CUP": 8}, email="twice@mail.example", created_at=placed_at, paid_at=placed_at)
    assert run().allocated.orders == 1
    assert shop.rows(schema.orders)["hold_reason"].dropna().tolist() == ["duplicate"]
    assert propose_purchases.fn(AS_OF).empty
    with shop.store.begin() as connection:
        connection.execute(update(schema.orders).values(hold_reason=None))
    assert propose_purchases.fn(AS_OF)[["sku", "waiting"]].to_numpy().tolist() == [["CUP", 8]]


def test_a_purchase_on_its_way_covers_the_alert_until_it_is_too_late(shop: Shop) -> None:
    """Covered while it comes, open and told again when it is given up, and nothing is proposed twice."""
    leave(shop, "CUP", 3)
    run()
    incoming = schema.metadata.tables["incoming_lines"]
    line = {"product_id": 1, "warehouse_id": 1, "document": "PO-1", "quantity": 9}
    with shop.store.begin() as connection:
        connection.execute(insert(incoming).values(expected_at=AS_OF + timedelta(days=1), **line))
    run(AS_OF + timedelta(hours=1))
    assert states(shop) == {"CUP": "covered"}
    set_targets.fn(AS_OF)
    assert propose_purchases.fn(AS_OF).empty
    run(AS_OF + timedelta(days=9))
    assert states(shop) == {"CUP": "open"}
    assert len(shop.rows(schema.messages)) == 2
