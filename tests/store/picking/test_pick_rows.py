"""What pickers report: which planned picks it settles, what is given up, what is refused."""

from datetime import timedelta

import pandas as pd
import pytest
from floor import AS_OF, Shop
from sqlalchemy import Engine, update

from tasks.steps.ordering.allocate_orders import allocate_stock, release_cancelled
from tasks.steps.picking.plan_waves import release_waves
from tasks.store import schema
from tasks.store.database.engine import engine
from tasks.store.database.frames import staged
from tasks.store.receiving.loader import Intake, Loaded
from tasks.store.receiving.loaders.picks import load_picks

TOLD_AT = pd.Timestamp(AS_OF + timedelta(hours=1))
ROW = {"merchant_id": 1, "order_number": "1", "sku": "CUP", "location": None, "quantity": 2, "short_reason": None,
       "picker": "Ann", "picked_at": TOLD_AT}  # fmt: skip


@pytest.fixture
def shop(store: Engine) -> Shop:
    """Two cups for order 1 and a set of two cups and a tray for order 2, all in waves."""
    made = Shop(store)
    for sku in ("CUP", "TRAY"):
        made.product(sku)
    made.product("SET", components={"CUP": 2, "TRAY": 1})
    made.stock("CUP", 9, "A-01")
    made.stock("TRAY", 9, "A-02")
    made.order("1", {"CUP": 2})
    made.order("2", {"SET": 1})
    allocate_stock.fn(AS_OF)
    release_waves.fn(None, None, AS_OF)
    return made


def load(*rows: dict[str, object]) -> Loaded:
    """Load reports as a file of their own; each says only where it is not ROW."""
    frame = pd.DataFrame([ROW | row for row in rows])
    for name in ("location", "short_reason", "picker"):
        frame[name] = frame[name].astype("str")
    frame["picked_at"] = pd.to_datetime(frame["picked_at"], utc=True).dt.as_unit("s")
    frame.insert(0, "row_number", range(2, len(rows) + 2))
    with engine().begin() as connection, staged(connection, frame) as table:
        return load_picks(connection, table, Intake(1, "picks", "picks.csv", AS_OF + timedelta(hours=2)))


def reasons(loaded: Loaded) -> list[str]:
    """Why rows were refused."""
    return loaded.refused.sort_values("row_number")["reason"].tolist()


def lines(shop: Shop) -> list[list[int]]:
    """Units allocated and picked of each line."""
    return shop.rows(schema.order_lines)[["quantity_allocated", "quantity_picked"]].to_numpy().tolist()


def test_a_pick_is_settled_once(shop: Shop) -> None:
    """The pick, its line and who did it; the same report again is unchanged, another one about it is refused."""
    assert load({}).loaded == 1
    pick = shop.rows(schema.picks).iloc[0]
    assert (pick["state"], pick["quantity_picked"], pick["picker"]) == ("picked", 2, "Ann")
    assert lines(shop) == [[2, 2], [1, 0]]
    again = load({})
    assert (again.loaded, again.unchanged, len(again.refused)) == (0, 1, 0)
    assert load({"picked_at": TOLD_AT + timedelta(hours=1)}).unchanged == 1
    assert reasons(load({"quantity": 1, "picked_at": TOLD_AT + timedelta(hours=1)})) == [
        "quantity: found '1', expected the 2 reported before"
    ]
    shop.audit()


def test_a_kit_is_picked_when_each_of_its_components_is(shop: Shop) -> None:
    """Reports name the components; the line counts whole kits; the wave closes with its last pick."""
    load({"order_number": "2"})
    assert lines(shop) == [[2, 0], [1, 0]]
    load({"order_number": "2", "sku": "TRAY", "quantity": 1, "location": "A-02"})
    assert lines(shop) == [[2, 0], [1, 1]]
    assert shop.rows(schema.waves)["state"].tolist() == ["open"]
    load({})
    assert shop.rows(schema.waves)["state"].tolist() == ["closed"]


def test_a_short_pick_gives_up_what_was_not_there(shop: Shop) -> None:
    """The rest is free again at once, with its reason; the picked unit stays promised."""
    load({"quantity": 1})
    pick = shop.rows(schema.picks).iloc[0]
    assert (pick["state"], pick["quantity_picked"], pick["short_reason"]) == ("short", 1, "not said")
    mine = shop.rows(schema.allocations).query("order_id == 1")
    assert mine[["quantity", "state"]].to_numpy().tolist() == [[1, "open"], [1, "released"]]
    assert mine["closed_reason"].tolist()[1] == "short_pick"
    assert lines(shop)[0] == [1, 1]
    shop.audit()


def test_an_empty_place_gives_up_all_of_it(shop: Shop) -> None:
    """Nothing taken: the promise is released whole, and other units are promised from another place."""
    load({"quantity": 0, "short_reason": "empty"})
    assert lines(shop)[0] == [0, 0]
    shop.stock("CUP", 5, "B-01")
    allocate_stock.fn(AS_OF + timedelta(hours=3))
    assert ("1", "B-01", 2) in shop.open_promises()
    release_waves.fn(None, None, AS_OF + timedelta(hours=3))
    assert load({"quantity": 2, "picked_at": TOLD_AT + timedelta(hours=3)}).loaded == 1
    assert load({"quantity": 0, "short_reason": "empty"}).unchanged == 1
    assert lines(shop)[0] == [2, 2]
    shop.audit()


def test_the_rest_of_a_short_pick_comes_from_the_same_place_only_after_shipping(shop: Shop) -> None:
    """One line has one open promise a place: what a count gives back there waits, and is taken elsewhere at once."""
    load({"quantity": 1})
    with shop.store.begin() as connection:
        connection.execute(update(schema.picks).values(state="picked"))  # the place is no longer doubted
    assert len(shop.open_promises()) == 3
    allocate_stock.fn(AS_OF + timedelta(hours=3))
    assert len(shop.open_promises()) == 3
    shop.stock("CUP", 1, "A-00")
    allocate_stock.fn(AS_OF + timedelta(hours=4))
    assert ("1", "A-00", 1) in shop.open_promises()
    shop.audit()


def test_a_component_that_is_short_is_asked_for_alone(shop: Shop) -> None:
    """The kit's other component stays promised: a new promise asks only for what is missing."""
    load({"order_number": "2", "quantity": 0}, {"order_number": "2", "sku": "TRAY", "quantity": 1})
    assert lines(shop)[1] == [0, 0]
    shop.stock("CUP", 5, "B-01")
    allocate_stock.fn(AS_OF + timedelta(hours=3))
    of_kit = shop.rows(schema.allocations).query("order_id == 2 and state == 'open'")
    assert sorted(of_kit["quantity"]) == [1, 2]
    assert lines(shop)[1] == [1, 0]
    shop.audit()


def test_what_nobody_planned_is_refused(shop: Shop) -> None:
    """An unknown order, SKU or place, and more than was planned; each says what was found and expected."""
    shop.order("9", {"CUP": 1})
    loaded = load(
        {"order_number": "77"}, {"order_number": "9"}, {"sku": "LAMP"}, {"location": "Z-99"},
        {"order_number": "2", "quantity": 3}, {"order_number": "2", "sku": "SET"},
    )  # fmt: skip
    assert reasons(loaded) == [
        "order_number: found '77', expected an order of the merchant",
        "order_number: found '9', expected an order a wave was planned for",
        "sku: found 'LAMP', expected a SKU planned for the order",
        "location: found 'Z-99', expected the place planned for the SKU",
        "quantity: found '3', expected at most the 2 planned",
        "sku: found 'SET', expected a SKU planned for the order",
    ]
    assert (loaded.loaded, loaded.unchanged) == (0, 0)


def test_goods_of_a_cancelled_pick_are_to_be_put_back(shop: Shop) -> None:
    """The order was cancelled while the picker walked: the report is refused and says what to do."""
    shop.change(1, cancelled_at=AS_OF)
    release_cancelled.fn(AS_OF + timedelta(minutes=30))
    assert "put the goods back" in reasons(load({}))[0]
    shop.audit()


def test_one_report_may_settle_several_stops(shop: Shop) -> None:
    """Without a place, units fill the planned stops in walking order; the last one is the one that is short."""
    shop.stock("TRAY", 1, "A-03")
    shop.order("3", {"TRAY": 9})
    allocate_stock.fn(AS_OF)
    release_waves.fn(None, None, AS_OF + timedelta(minutes=1))
    assert load({"order_number": "3", "sku": "TRAY", "quantity": 8}).loaded == 1
    told = shop.rows(schema.picks).iloc[3:]
    assert told[["quantity", "quantity_picked", "state"]].to_numpy().tolist() == [[8, 8, "picked"], [1, 0, "short"]]
    shop.audit()
