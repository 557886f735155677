"""allocate-orders on a small shop: who is served, what waits and why, what is given back, what people are told."""

from dataclasses import astuple
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from allocation_run import run
from floor import AS_OF, PAID, Shop
from sqlalchemy import Engine, update

from config.settings import settings
from tasks.domain.stock.positions import UNITS
from tasks.steps.ordering.explain_backorders import AllocationView
from tasks.store import schema


@pytest.fixture
def shop(store: Engine) -> Shop:
    """An empty shop."""
    return Shop(store)


def reasons(view: AllocationView) -> dict[str, str]:
    """Why each SKU of each order waits."""
    rows = view.waiting_lines
    return dict(zip(rows["order_number"] + " " + rows["sku"], rows["reason"], strict=True))


def documents() -> dict[str, bytes]:
    """Every document written."""
    folder = settings().folder("outgoing") / "allocate-orders"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


def test_the_order_that_must_leave_first_gets_the_last_unit(shop: Shop) -> None:
    """Ship-by decides before the time of payment; who came first decides among equals."""
    shop.product("CUP")
    shop.stock("CUP", 2)
    shop.order("1", {"CUP": 1}, paid_at=PAID - timedelta(days=2), ship_by=AS_OF + timedelta(days=9))
    shop.order("2", {"CUP": 1}, ship_by=AS_OF + timedelta(days=1))
    shop.order("3", {"CUP": 1}, paid_at=PAID - timedelta(hours=1), ship_by=AS_OF + timedelta(days=9))
    view = run().view
    assert shop.open_promises() == [("1", "A-01", 1), ("2", "A-01", 1)]
    assert reasons(view) == {"3 CUP": "no stock: 0 of 1 free"}
    shop.audit()


def test_a_second_run_changes_nothing(shop: Shop) -> None:
    """I8: no row and no file differs, and the counts say so."""
    shop.product("CUP", reorder_point=5)
    shop.product("TRAY")
    shop.stock("CUP", 3)
    shop.order("1", {"CUP": 2})
    shop.order("2", {"CUP": 2, "TRAY": 1, "GHOST": 1})
    shop.order("3", {"CUP": 1}, cancelled_at=AS_OF)
    run()
    before, written = shop.everything(), documents()
    allocated, _, shortages, released, documents_written = run(AS_OF + timedelta(minutes=15))
    assert (*astuple(allocated), shortages.opened, shortages.closed, released, documents_written) == (0,) * 6
    assert run().documents == 0
    assert shop.everything() == before
    assert documents() == written


def test_lines_of_an_order_wait_for_one_another(shop: Shop) -> None:
    """An order that cannot be served whole takes nothing away from the next one; each line says why it waits."""
    shop.product("CUP")
    shop.product("TRAY")
    shop.stock("CUP", 2)
    shop.order("1", {"CUP": 2, "TRAY": 1})
    shop.order("2", {"CUP": 2, "GHOST": 1})
    shop.order("3", {"CUP": 2})
    view = run().view
    assert shop.open_promises() == [("3", "A-01", 2)]
    assert reasons(view) == {
        "1 CUP": "no stock: 0 of 2 free", "1 TRAY": "no stock: 0 of 1 free",
        "2 CUP": "no stock: 0 of 2 free", "2 GHOST": "unknown SKU",
    }  # fmt: skip


@pytest.mark.both_databases
def test_what_may_not_be_served_says_so(shop: Shop) -> None:
    """Held and unpaid orders wait with that reason, refunded ones for nothing; a hold that is over holds no longer."""
    shop.product("CUP")
    shop.stock("CUP", 9)
    shop.order("held", {"CUP": 1}, hold_reason="address")
    shop.order("past", {"CUP": 1}, hold_reason="fraud", hold_until=AS_OF - timedelta(hours=1))
    shop.order("unpaid", {"CUP": 1}, paid_at=None)
    shop.order("refunded", {"CUP": 1}, refunded_minor=1000)
    shop.order("free", {"CUP": 1}, total_minor=0)
    view = run().view
    assert reasons(view) == {"held CUP": "held: address", "unpaid CUP": "unpaid"}
    assert [number for number, _, _ in shop.open_promises()] == ["free", "past"]


@pytest.mark.both_databases
def test_a_payment_that_came_lifts_its_hold(shop: Shop) -> None:
    """An order held for its payment is served once it is paid; another hold stays."""
    shop.product("CUP")
    shop.stock("CUP", 9)
    order = shop.order("1", {"CUP": 1}, paid_at=None, hold_reason="payment")
    shop.order("2", {"CUP": 1}, hold_reason="manual")
    assert reasons(run().view) == {"1 CUP": "unpaid", "2 CUP": "held: manual"}
    shop.change(order, paid_at=PAID)
    assert reasons(run(AS_OF + timedelta(hours=1)).view) == {"2 CUP": "held: manual"}


def test_one_warehouse_serves_an_order_where_one_can(shop: Shop) -> None:
    """The preferred warehouse that has all of it; two only when none has."""
    for sku in ("CUP", "TRAY"):
        shop.product(sku)
    shop.stock("CUP", 5, "A-01", "MAIN")
    shop.stock("TRAY", 1, "A-02", "MAIN")
    shop.stock("CUP", 5, "B-01", "NORTH")
    shop.stock("TRAY", 3, "B-02", "NORTH")
    shop.order("1", {"CUP": 1, "TRAY": 2})
    shop.order("2", {"CUP": 1})
    shop.order("3", {"TRAY": 2})
    run()
    assert shop.open_promises() == [
        ("1", "B-01", 1), ("1", "B-02", 2), ("2", "A-01", 1), ("3", "A-02", 1), ("3", "B-02", 1),
    ]  # fmt: skip


def test_places_are_emptied_in_order(shop: Shop) -> None:
    """Pick places before reserve, the oldest lot first, then the fewest units; other conditions are never promised."""
    shop.product("CUP")
    shop.stock("CUP", 9, "R-01", purpose="reserve")
    shop.stock("CUP", 4, "A-01", lot="2027")
    shop.stock("CUP", 2, "A-02", lot="2026")
    shop.stock("CUP", 1, "A-03", lot="2026")
    shop.stock("CUP", 9, "A-04", condition="damaged")
    shop.stock("CUP", 9, "Q-01", purpose="quarantine")
    shop.order("1", {"CUP": 8})
    run()
    assert shop.open_promises() == [("1", "A-01", 4), ("1", "A-02", 2), ("1", "A-03", 1), ("1", "R-01", 1)]


def test_two_merchants_with_the_same_sku_never_mix(shop: Shop) -> None:
    """Goods belong to a merchant: an order of another one cannot have them."""
    for merchant in ("HEARTH", "OTHER"):
        shop.product("CUP", merchant)
    shop.stock("CUP", 5, merchant="OTHER")
    shop.order("1", {"CUP": 1})
    shop.order("1", {"CUP": 2}, merchant="OTHER")
    _, view, shortages, *_ = run()
    assert shop.open_promises() == [("1", "A-01", 2)]
    assert reasons(view) == {"1 CUP": "no stock: 0 of 1 free"}
    assert list(shortages.oversold["merchant"]) == ["HEARTH"]


def test_a_kit_shares_one_pool_with_its_components(shop: Shop) -> None:
    """Kits take their components; the line counts kits; the feed offers as many kits as the scarcest part makes."""
    shop.product("CUP")
    shop.product("TRAY")
    shop.product("SET", components={"CUP": 2, "TRAY": 1})
    shop.stock("CUP", 7)
    shop.stock("TRAY", 9, "A-02")
    shop.order("1", {"SET": 2})
    shop.order("2", {"CUP": 1})
    view = run().view
    assert view.waiting_lines.empty
    assert shop.open_promises() == [("1", "A-01", 4), ("1", "A-02", 2), ("2", "A-01", 1)]
    assert shop.rows(schema.order_lines)["quantity_allocated"].tolist() == [2, 1]
    feed = pd.read_csv(next(settings().folder("outgoing").rglob("availability-*.csv"))).set_index("sku")["on_hand"]
    assert feed.to_dict() == {"CUP": 2, "SET": 1, "TRAY": 7}
    shop.order("3", {"SET": 2})
    view = run(AS_OF + timedelta(hours=1)).view
    assert reasons(view) == {"3 SET": "no stock: 2 of 4 free"}
    shop.audit()


def test_a_cancellation_gives_back_once(shop: Shop) -> None:
    """Cancelled, refunded, delivered again and again: the units are free once, and the customer is told once."""
    shop.product("CUP")
    shop.stock("CUP", 5)
    order = shop.order("1", {"CUP": 3})
    run()
    shop.change(order, cancelled_at=AS_OF)
    assert run(AS_OF + timedelta(hours=1)).released == 1
    shop.change(order, refunded_minor=1000)
    for hours in (2, 3):
        assert run(AS_OF + timedelta(hours=hours)).released == 0
    levels, lines = shop.rows(schema.stock_levels), shop.rows(schema.order_lines)
    assert (levels["on_hand"][0], levels["allocated"][0]) == (5, 0)
    assert (lines["quantity_allocated"][0], lines["quantity_cancelled"][0]) == (0, 3)
    assert shop.rows(schema.allocations)["closed_reason"].tolist() == ["cancelled"]
    assert (shop.rows(schema.messages)["kind"] == "order_cancelled").sum() == 1
    shop.audit()


def test_a_refund_before_shipping_frees_the_goods(shop: Shop) -> None:
    """Nobody ships what was paid back: the next in line gets it."""
    shop.product("CUP")
    shop.stock("CUP", 1)
    order = shop.order("1", {"CUP": 1})
    shop.order("2", {"CUP": 1}, paid_at=PAID + timedelta(hours=1))
    run()
    shop.change(order, refunded_minor=1000)
    _, view, _, released, _ = run(AS_OF + timedelta(hours=1))
    assert released == 1
    assert shop.open_promises() == [("2", "A-01", 1)]
    assert reasons(view) == {}


@pytest.mark.both_databases
def test_a_cancellation_after_the_pick_asks_for_the_goods_back(shop: Shop) -> None:
    """What was picked stays promised until it is put back; a person is asked to do it."""
    shop.product("CUP")
    shop.stock("CUP", 5)
    order = shop.order("1", {"CUP": 2})
    run()
    with shop.store.begin() as connection:
        wave = shop._put(connection, schema.waves, warehouse_id=1, code="W", released_at=AS_OF)
        cart = shop._put(connection, schema.carts, wave_id=wave, number=1)
        shop._put(connection, schema.picks, cart_id=cart, stop_number=1, allocation_id=1, quantity=2,
                  quantity_picked=2, state="picked", picked_at=AS_OF)  # fmt: skip
        connection.execute(update(schema.order_lines).values(quantity_picked=2))
    shop.change(order, cancelled_at=AS_OF)
    assert run(AS_OF + timedelta(hours=1)).released == 0
    alerts = shop.rows(schema.alerts).set_index("kind")
    assert alerts.loc["cancelled_after_pick", "subject"] == "1"
    assert shop.open_promises() == [("1", "A-01", 2)]


@pytest.mark.both_databases
def test_an_oversold_sku_names_its_orders_until_stock_arrives(shop: Shop) -> None:
    """Asked, there, short, and who waits; closed when the goods are there."""
    shop.product("CUP", unit_price_minor=250, currency="GBP")
    shop.stock("CUP", 3)
    shop.order("1", {"CUP": 2})
    shop.order("2", {"CUP": 2})
    shop.order("3", {"CUP": 4})
    shortages = run().shortages
    assert shortages.oversold[["asked", "free", "short", "orders"]].to_numpy().tolist() == [[6, 1, 5, "2 3"]]
    alert = shop.rows(schema.alerts).set_index("kind").loc["oversell"]
    assert (alert["detail"], alert["value_minor"]) == ("6 asked for, 1 there: 5 short for orders 2, 3", 1250)
    shop.receive("CUP", 5)
    run(AS_OF + timedelta(hours=1))
    assert shop.rows(schema.alerts).set_index("kind").loc["oversell", "state"] == "resolved"


@pytest.mark.both_databases
def test_a_place_with_a_short_pick_is_not_promised_before_a_count(shop: Shop) -> None:
    """The book is doubted where a picker found less, until someone has counted there after the pick."""
    shop.product("CUP")
    shop.stock("CUP", 5)
    shop.order("1", {"CUP": 1})
    run()
    with shop.store.begin() as connection:
        wave = shop._put(connection, schema.waves, warehouse_id=1, code="W", released_at=AS_OF)
        cart = shop._put(connection, schema.carts, wave_id=wave, number=1)
        shop._put(connection, schema.picks, cart_id=cart, stop_number=1, allocation_id=1, quantity=1,
                  quantity_picked=0, state="short", short_reason="empty", picked_at=AS_OF)  # fmt: skip
    shop.order("2", {"CUP": 1})
    _, view, shortages, *_ = run(AS_OF + timedelta(hours=1))
    assert reasons(view) == {"2 CUP": "no stock: 0 of 1 free"}
    assert shortages.oversold.empty
    with shop.store.begin() as connection:
        count = shop._put(connection, schema.counts, warehouse_id=1, code="C", reason="short_pick")
        for hours, state in ((-1, "posted"), (1, "matched")):
            shop._put(connection, schema.count_lines, count_id=count, location_id=1, product_id=1, quantity=5,
                      counted_at=AS_OF + timedelta(hours=hours), state=state)  # fmt: skip
    run(AS_OF + timedelta(hours=2))
    assert ("2", "A-01", 1) in shop.open_promises()


def test_a_quantity_that_swings_around_the_reorder_point_gives_one_warning(shop: Shop) -> None:
    """Low below 10, well again only from 12 on (1.2 times): 9, 11, 9, 12, 9 warns twice, not three times."""
    shop.product("CUP", reorder_point=10)
    shop.stock("CUP", 20)
    told = []
    for hour, units in enumerate((9, 11, 9, 12, 9)):
        with shop.store.begin() as connection:
            connection.execute(update(schema.stock_levels).values(on_hand=units))
        shortages = run(AS_OF + timedelta(hours=hour)).shortages
        told.append((shortages.opened, shortages.closed))
    assert told == [(1, 0), (0, 0), (0, 0), (0, 1), (1, 0)]


@pytest.mark.both_databases
def test_customers_are_told_once(shop: Shop) -> None:
    """Confirmed when new and paid, kept unsent when it is old news or the channel forbids it, told of a delay once."""
    shop.product("CUP")
    shop.order("new", {"CUP": 1}, channel="web", ship_by=AS_OF - timedelta(hours=1))
    shop.order("old", {"CUP": 1}, paid_at=AS_OF - timedelta(days=300), ship_by=AS_OF - timedelta(days=299))
    shop.order("amazon", {"CUP": 1}, channel="Amazon")
    shop.order("unpaid", {"CUP": 1}, paid_at=None)
    shop.order("done", {"CUP": 1}, fulfilled_at=AS_OF)
    for hours in (0, 1):
        run(AS_OF + timedelta(hours=hours))
    messages = shop.rows(schema.messages)
    messages = messages[messages["kind"] != "stock_digest"]
    told = dict(zip(messages["dedupe_key"], messages["state"], strict=True))
    assert told == {
        "order_confirmed:HEARTH:new": "queued", "order_confirmed:HEARTH:old": "suppressed",
        "order_confirmed:HEARTH:amazon": "suppressed", "order_delayed:HEARTH:new": "queued",
        "order_delayed:HEARTH:old": "suppressed",
        **{key: state for key, state in told.items() if key == "order_delayed:HEARTH:amazon"},
    }  # fmt: skip


def test_the_feed_adds_up_and_offers_nothing_that_is_spoken_for(shop: Shop, home: Path) -> None:
    """In Shopify's layout available + committed + unavailable = on hand; what waits for goods takes them first."""
    shop.product("CUP")
    shop.product("TRAY")
    shop.stock("CUP", 10)
    shop.stock("CUP", 2, "B-01", condition="damaged")
    shop.order("1", {"CUP": 3})
    shop.order("2", {"CUP": 2, "TRAY": 1})
    run()
    rows = pd.read_csv(next(home.rglob("shopify-inventory-HEARTH.csv"))).set_index("SKU")
    cup = rows.filter(regex="editable|On hand").loc["CUP"]
    assert list(cup) == [0, 2, 5, 5, 12, 12]
    assert rows.loc["CUP", "Location"] == "London"


@pytest.mark.parametrize("hour", [8, 20])
def test_an_order_without_a_promise_gets_one(shop: Shop, hour: int) -> None:
    """Paid before the cut-off of a working day: a working day later; after it, the weekend passes first."""
    shop.product("CUP")
    shop.order("1", {"CUP": 1}, paid_at=datetime(2026, 3, 5, hour, tzinfo=AS_OF.tzinfo), service_level=" standard ")
    run()
    day = {8: 6, 20: 9}[hour]
    assert shop.rows(schema.orders)["ship_by"][0] == pd.Timestamp(2026, 3, day, 17, tz="UTC")


@pytest.mark.both_databases
def test_an_order_shipped_elsewhere_is_left_alone(shop: Shop) -> None:
    """What the shop had fulfilled already asks for nothing and is not touched by a late cancellation."""
    shop.product("CUP")
    shop.stock("CUP", 5)
    order = shop.order("1", {"CUP": 2}, fulfilled_at=PAID)
    with shop.store.begin() as connection:
        done = dict.fromkeys(("allocated", "picked", "packed", "shipped"), 2)
        connection.execute(update(schema.order_lines).values({f"quantity_{name}": n for name, n in done.items()}))
    shop.change(order, cancelled_at=AS_OF)
    before = shop.rows(schema.order_lines)
    allocated, view, shortages, released, _ = run()
    assert (allocated.promises, released, len(view.waiting_lines), shortages.opened) == (0, 0, 0, 0)
    assert shop.rows(schema.order_lines).equals(before)
    assert astuple(allocated) == (0, 0)


def position(sku: str, warehouse: str = "MAIN") -> list[object]:
    """The row of the newest stock-positions.csv: on hand, unavailable, allocated, kept back, available, incoming."""
    [*_, newest] = sorted(settings().folder("outgoing").rglob("stock-positions.csv"))
    rows = pd.read_csv(newest, dtype=dict.fromkeys(UNITS, "Int64"))
    row = rows.loc[(rows["sku"] == sku) & (rows["warehouse"] == warehouse), UNITS]
    return [None if one is pd.NA else one for one in row.to_numpy().ravel()]


@pytest.mark.both_databases
def test_every_unit_has_a_place_in_the_position(shop: Shop, home: Path) -> None:
    """On hand is allocated, unavailable, kept back or available; a kit is as many as its scarcest part makes."""
    shop.product("CUP")
    shop.product("TRAY")
    shop.product("SET", components={"CUP": 2, "TRAY": 1})
    shop.stock("CUP", 9)
    shop.stock("CUP", 2, "B-01", condition="damaged")
    shop.stock("CUP", 4, "Q-01", purpose="quarantine")
    shop.stock("TRAY", 3, "A-02")
    with shop.store.begin() as connection:
        for document, sku, units, days in (("PO-1", 1, 5, 2), ("PO-2", 1, 6, 9), ("PO-2", 2, 8, 9), ("PO-0", 1, 9, -9)):
            shop._put(connection, schema.incoming_lines, product_id=sku, warehouse_id=1, document=document,
                      quantity=units, expected_at=AS_OF + timedelta(days=days))  # fmt: skip
    shop.order("1", {"CUP": 2})
    shop.order("2", {"CUP": 8, "TRAY": 5})
    run()
    assert position("CUP") == [15, 6, 2, 0, 7, 11]
    assert position("TRAY") == [3, 0, 0, 0, 3, 8]
    assert position("SET") == [None, None, None, None, 3, 6]
    promise = pd.read_csv(next(home.rglob("available-to-promise.csv")), keep_default_na=False)
    told = {sku: list(zip(rows["promisable_from"], rows["units"], strict=True)) for sku, rows in promise.groupby("sku")}
    assert told == {
        "CUP": [("", 0), ("2026-03-09T09:00:00Z", 4), ("2026-03-16T09:00:00Z", 10)],
        "SET": [("", 0), ("2026-03-09T09:00:00Z", 0), ("2026-03-16T09:00:00Z", 5)],
        "TRAY": [("", 0), ("2026-03-16T09:00:00Z", 6)],
    }  # fmt: skip
