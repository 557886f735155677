"""Carts under way: a cancelled order and a short pick change what they must, print it, and touch nothing else."""

import json
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from floor import AS_OF, Shop
from planned_floor import FLOOR, configure
from pypdf import PdfReader
from sqlalchemy import Engine

from tasks.steps.ordering.allocate_orders import allocate_stock, release_cancelled
from tasks.steps.picking.plan_waves import ReleasedWaves, release_waves
from tasks.steps.picking.print_pick_lists import write_pick_lists
from tasks.steps.picking.replan_carts import ReplannedCarts, replan_carts
from tasks.store import schema
from tasks.store.database.engine import engine
from tasks.store.database.frames import staged
from tasks.store.receiving.loader import Intake
from tasks.store.receiving.loaders.picks import load_picks


@pytest.fixture
def shop(store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Goods in both zones of a floor with a plan; two carts of two positions each."""
    cart = {"name": "small", "positions": 2, "weight_g_max": 90000, "volume_ml_max": 90000, "lines_max": 9}
    configure(tmp_path, monkeypatch, floor=FLOOR, carts=[cart])
    made = Shop(store)
    for sku, place in (("CUP", "A-02"), ("TRAY", "B-20"), ("BOWL", "D-30"), ("VASE", "G-05"), ("LAMP", "J-34")):
        made.product(sku, weight_g=300, volume_ml=500)
        made.stock(sku, 20, place)
    return made


def run(hours: float) -> tuple[ReleasedWaves, ReplannedCarts, int]:
    """What allocate-orders and plan-waves do, so many hours later."""
    at = AS_OF + timedelta(hours=hours)
    release_cancelled.fn(at)
    allocate_stock.fn(at)
    changed = replan_carts.fn(at)
    planned = release_waves.fn(None, None, at)
    return planned, changed, write_pick_lists.fn(planned, at)


def tell(*picks: tuple[str, str, int], hours: float = 1) -> None:
    """Pickers report order, SKU and units taken, a minute after one another."""
    at = pd.Timestamp(AS_OF + timedelta(hours=hours))
    rows = [
        {"row_number": row, "merchant_id": 1, "order_number": order, "sku": sku, "location": None, "quantity": units,
         "short_reason": None, "picker": "Ann", "picked_at": at + timedelta(minutes=row)}
        for row, (order, sku, units) in enumerate(picks, 2)
    ]  # fmt: skip
    frame = pd.DataFrame(rows).astype({"location": "str", "short_reason": "str"})
    frame["picked_at"] = frame["picked_at"].dt.as_unit("s")
    with engine().begin() as connection, staged(connection, frame) as table:
        assert load_picks(connection, table, Intake(1, "picks", "picks.csv", at.to_pydatetime())).refused.empty


def stops(shop: Shop) -> dict[int, list[tuple[int, str, str, str]]]:
    """Stop, order, place and state of every pick, by cart."""
    picks, promises, places, orders = (
        shop.rows(one) for one in (schema.picks, schema.allocations, schema.locations, schema.orders)
    )
    rows = picks.merge(promises, left_on="allocation_id", right_on="id", suffixes=("", "_promise"))
    rows["place"] = rows["location_id"].map(places.set_index("id")["code"])
    rows["order"] = rows["order_id"].map(orders.set_index("id")["order_number"])
    rows = rows.sort_values(["cart_id", "stop_number", "id"])
    told: dict[int, list[tuple[int, str, str, str]]] = {}
    for row in rows.to_dict("records"):
        stop = (int(row["stop_number"]), str(row["order"]), str(row["place"]), str(row["state"]))
        told.setdefault(int(row["cart_id"]), []).append(stop)
    return told


def test_a_cancelled_order_leaves_its_cart_and_nothing_else_moves(shop: Shop, home: Path) -> None:
    """The rest of its cart keeps order and numbers, a list says what is gone, the other cart is not touched."""
    for number in ("1", "2", "3"):
        shop.order(number, {"CUP": 1, "BOWL": 1, "LAMP": 1})
    run(0)
    before, carts = stops(shop), shop.rows(schema.carts)
    assert sorted(before) == [1, 2]
    mine = next(cart for cart, of_cart in before.items() if {"1", "2"} <= {order for _, order, _, _ in of_cart})
    shop.change(2, cancelled_at=AS_OF)
    planned, changed, files = run(1)
    assert (len(planned.waves), changed, files) == (0, ReplannedCarts(1, 0), 3)
    after = stops(shop)
    assert after == before | {
        mine: [(n, order, place, "cancelled" if order == "2" else "open") for n, order, place, _ in before[mine]]
    }
    now = shop.rows(schema.carts)
    assert now["revision"].tolist() == [2 if cart == mine else 1 for cart in now["id"]]
    assert now[now["id"] != mine].equals(carts[carts["id"] != mine])
    paper = next(home.rglob("*-R2.pdf"))
    text = "".join(page.extract_text() for page in PdfReader(paper).pages)
    assert "Revision 2: removed: order 2 (stops 1, 2, 3)" in text
    held = shop.everything()
    assert run(2)[1:] == (ReplannedCarts(0, 0), 0)
    assert shop.everything() == held


def test_what_replaces_a_short_pick_goes_to_the_order_s_cart(shop: Shop, home: Path) -> None:
    """Other units go to the cart while it walks: at the order's position, the stops ahead in the shortest order."""
    shop.order("1", {"CUP": 1, "BOWL": 2, "VASE": 1})
    shop.order("2", {"CUP": 1, "TRAY": 1, "LAMP": 1})
    run(0)
    assert [order for _, order, _, _ in stops(shop)[1]].count("1") == 3
    shop.stock("BOWL", 9, "H-10")
    tell(("1", "CUP", 1), ("2", "CUP", 1), ("2", "TRAY", 1), ("1", "BOWL", 0))
    planned, changed, files = run(1.5)
    assert (len(planned.waves), changed, files) == (0, ReplannedCarts(1, 1), 3)
    walked = [(stop, place) for stop, _, place, state in stops(shop)[1] if state == "open"]
    assert walked == [(4, "J-34"), (5, "H-10"), (6, "G-05")]
    position = shop.rows(schema.picks).groupby("allocation_id")["position"].first()
    assert position.nunique() == 2
    said = json.loads(next(home.rglob("*-R2.json")).read_text(encoding="utf-8"))
    cart = said["carts"][0]
    assert (said["layout"], said["version"], cart["revision"]) == ("pick-list", 1, 2)
    assert [stop["location"] for stop in cart["stops"]] == [place for _, place in walked]
    assert "new: 2 × BOWL of order 1" in cart["changed"]
    assert run(2)[1:] == (ReplannedCarts(0, 0), 0)


def test_a_cart_that_is_done_gets_nothing_more(shop: Shop) -> None:
    """The last pick was short: what replaces it waits for the next wave."""
    shop.order("1", {"CUP": 1, "BOWL": 2})
    run(0)
    shop.stock("BOWL", 9, "H-10")
    tell(("1", "CUP", 1), ("1", "BOWL", 0))
    planned, changed, _ = run(1.5)
    assert (len(planned.waves), changed) == (1, ReplannedCarts(0, 0))
