"""Waves by zone, on a floor with a plan: who walks where, what meets at the wall, and two planners at once."""

import json
from pathlib import Path

import pandas as pd
import pytest
from floor import AS_OF, Shop
from killed_runs import context, finish
from planned_floor import FLOOR, configure, planner
from sqlalchemy import Engine

from tasks.steps.ordering.allocate_orders import allocate_stock
from tasks.steps.picking.plan_waves import ReleasedWaves, release_waves
from tasks.steps.picking.print_pick_lists import write_pick_lists
from tasks.store import schema

GOODS = (("CUP", "A-02"), ("TRAY", "B-20"), ("BOWL", "D-30"), ("VASE", "G-05"), ("LAMP", "J-34"))


@pytest.fixture
def shop(store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Goods in both zones; a wall of two positions."""
    configure(tmp_path, monkeypatch, floor=FLOOR, picking={"waves": "zones", "walk": "s-shape", "wall_positions": 2})
    made = Shop(store)
    for sku, place in GOODS:
        made.product(sku, weight_g=300, volume_ml=500)
        made.stock(sku, 40, place)
    return made


def plan() -> ReleasedWaves:
    """Allocate and release."""
    allocate_stock.fn(AS_OF)
    return release_waves.fn(None, None, AS_OF)


def test_each_zone_is_picked_on_its_own_and_orders_meet_at_the_wall(shop: Shop, home: Path) -> None:
    """No cart leaves its zone; an order of both zones has one place at the wall; what the wall cannot take waits."""
    shop.order("single", {"CUP": 1})
    shop.order("both", {"CUP": 1, "LAMP": 2})
    shop.order("small", {"CUP": 1, "TRAY": 1, "BOWL": 1})
    shop.order("large", {"VASE": 1, "LAMP": 1})
    shop.order("both too", {"TRAY": 1, "VASE": 1}, ship_by=AS_OF)
    shop.order("one more", {"TRAY": 1, "VASE": 1})
    planned = plan()
    write_pick_lists.fn(planned, AS_OF)
    assert dict(zip(planned.left_out["order_number"], planned.left_out["reason"], strict=True)) == {
        "one more": "the wall is full: 2 positions, and others come first"
    }
    assert shop.rows(schema.waves)["kind"].tolist() == ["single_line", "zone"]
    said = json.loads(next(home.rglob("*ROYALMAIL-2.json")).read_text(encoding="utf-8"))
    found: dict[str, set[tuple[str, str, int | None]]] = {"small": set(), "large": set()}
    for cart in said["carts"]:
        found[cart["zone"]] |= {(pick["order_number"], stop["location"], pick["wall_position"])
                                for stop in cart["stops"] for pick in stop["picks"]}  # fmt: skip
    assert found == {
        "small": {("both", "A-02", 2), ("both too", "B-20", 1), ("small", "A-02", None), ("small", "B-20", None),
                  ("small", "D-30", None)},
        "large": {("both", "J-34", 2), ("both too", "G-05", 1), ("large", "G-05", None), ("large", "J-34", None)},
    }  # fmt: skip


def test_what_habit_costs_is_told(shop: Shop) -> None:
    """The S-shape is walked because the warehouse says so; the metres beyond the shortest tour are in the table."""
    for sku, place in (("FORK", "D-02"), ("DISH", "D-34"), ("KNIFE", "E-34")):
        shop.product(sku)
        shop.stock(sku, 1, place)
    shop.order("1", {"CUP": 1, "FORK": 1, "DISH": 1, "KNIFE": 1})
    planned, cart = plan(), shop.rows(schema.carts).iloc[0]
    assert (cart["walk_m"], cart["shortest_m"], cart["least_m"]) == (168, 112, 112)
    assert planned.waves["habit_m"].tolist() == [56]
    assert cart["walk_s"] > cart["walk_m"]


@pytest.mark.both_databases
def test_a_place_off_the_plan_is_reported_and_keeps_its_order_back(shop: Shop, home: Path) -> None:
    """Which key, what was found and expected: in the reason of the order, and in a list of all such places."""
    for sku, place, facts in (("RUG", "Z-01", {}), ("RING", "C-99", {}), ("HAT", "F-03", {"level": "9"})):
        shop.product(sku)
        shop.stock(sku, 1, place, **facts)
    shop.order("1", {"RUG": 1})
    planned = plan()
    write_pick_lists.fn(planned, AS_OF)
    told = pd.read_csv(next(home.rglob("off-the-floor.csv"))).to_numpy().tolist()
    assert told == [
        ["MAIN", "C-99", "is not on the floor: y_m: found 99.0, expected 0.0 to 36.0, between the cross-aisles"],
        ["MAIN", "F-03", "is not on the floor: level: found '9', expected one of 1, 2, 3, 4"],
        ["MAIN", "Z-01", "is not on the floor: aisle: found 'Z', expected one of the floor plan"],
    ]
    assert planned.left_out["reason"].tolist() == [f"location Z-01 {told[2][2]}"]


def test_two_planners_at_once_take_no_line_twice(shop: Shop) -> None:
    """Two processes release the same orders at the same moment: every promise is picked, and once."""
    for number in range(6):
        shop.order(str(number), dict.fromkeys([sku for sku, _ in GOODS[number % 4 : number % 4 + 2]], 1))
    allocate_stock.fn(AS_OF)
    together = context().Barrier(2)
    assert [finish(process) for process in [planner(together), planner(together)]] == [0, 0]
    picks = shop.rows(schema.picks)
    assert sorted(picks["allocation_id"]) == shop.rows(schema.allocations)["id"].tolist()
    assert picks["position"].gt(0).all()
