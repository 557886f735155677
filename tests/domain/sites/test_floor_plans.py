"""A floor plan in YAML: what is refused and how it is said, where places lie, and how long a cart takes."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from planned_floor import FLOOR
from project import ROOT

from config.read import ConfigError, read
from tasks.domain.picking.routing.durations import cart_s
from tasks.domain.picking.routing.floor_picture import svg
from tasks.domain.picking.routing.warehouse_floor import batching_floor, planned_floor, site_floor, with_floor_positions
from tasks.domain.sites.floor_plans import FloorPlan, Speeds
from tasks.domain.sites.sites import Picking

PLACES = pd.DataFrame(
    [(1, "A", "02", "1", 99.0, 5.0), (2, "A", "07", "4", None, None), (3, None, None, None, 24.5, 3.0),
     (4, None, None, None, 41.0, 3.0), (5, "X", "01", None, 4.0, 3.0), (6, "B", None, None, 7.0, None),
     (7, "B", None, None, 7.0, 36.5), (8, "B", None, "7", 7.0, 36.0)],
    columns=["location_id", "aisle", "bay", "level", "x_m", "y_m"],
).assign(warehouse="MAIN", location=lambda rows: "L" + rows["location_id"].astype("str"), zone=None)  # fmt: skip
for name in ("aisle", "bay", "level", "zone"):
    PLACES[name] = PLACES[name].astype("str")


def plan(folder: Path, **changes: Any) -> FloorPlan:
    """The plan with some keys said otherwise, read as the program reads it."""
    file = folder / "MAIN.yaml"
    file.write_text(yaml.safe_dump(FLOOR | changes), encoding="utf-8")
    return read(file, FloorPlan)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"start": "door"}, "start: found 'door', expected the name of a depot: dock, bench"),
        ({"one_way": {"Z": "to_back"}}, "one_way: found 'Z', expected an aisle of the plan: A, B"),
        ({"one_way": {"B": "upwards"}}, "one_way.B: found 'upwards', expected 'to_back' or 'to_front'"),
        ({"one_way": dict.fromkeys("ABCDEFGHIJ", "to_back")}, "one_way: found no aisle that may be walked to_front"),
        ({"cross_aisles_m": [0, 36, 24]}, "cross_aisles_m: found 24.0 m after 36.0 m, expected each further"),
        ({"cross_aisles_m": [0]}, "cross_aisles_m: found 1, expected two or more"),
        ({"aisles": [{"names": ["A", "A"], "first_m": 1, "apart_m": 2}]}, "aisles: found A twice, expected each"),
        ({"aisles": [{"names": ["A"], "first_m": 1, "apart_m": 0}]}, "aisles.0.apart_m: found 0.0, expected more"),
        ({"aisle": []}, "aisle: found a key that is not known, expected aisles"),
        ({"depots": [{"name": "dock", "across_m": 1, "along_m": 3}], "drop_off": ""},
         "depots: found dock at 3.0 m along, expected it on a cross-aisle"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_says_which_key(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    """The file, the key, what was found and what was expected."""
    with pytest.raises(ConfigError) as error:
        plan(tmp_path, **changes)
    assert str(error.value).startswith(f"{tmp_path / 'MAIN.yaml'}: {told}")


def test_a_place_lies_where_its_aisle_and_bay_say(tmp_path: Path) -> None:
    """By the aisle's name, not by x; without y by its bay; without an aisle by the nearest one; otherwise nowhere."""
    told = with_floor_positions(PLACES, plan(tmp_path)).set_index("location_id")
    on = told[told["off"] == ""]
    assert on[["across_m", "along_m", "zone", "lifts"]].to_numpy().tolist() == [
        [4, 5, "small", 0], [4, 7, "small", 2], [24, 3, "large", 0],
    ]  # fmt: skip
    assert told.loc[[4, 5, 6, 7, 8], "off"].str.removeprefix("is not on the floor: ").tolist() == [
        "aisle: found nothing, expected one of the floor plan",
        "aisle: found 'X', expected one of the floor plan",
        "y_m: found nothing, expected metres along the aisle, or a bay with a number",
        "y_m: found 36.5, expected 0.0 to 36.0, between the cross-aisles",
        "level: found '7', expected one of 1, 2, 3, 4",
    ]


def test_the_coordinates_are_the_floor_where_there_is_no_plan() -> None:
    """As ever: one block from the first place to the last, the depot at 0/0."""
    site = site_floor(PLACES, None)
    assert site.floor.crosses_m == (2.0, 37.5)
    assert site.off["off"].tolist() == ["has no coordinates", "has no coordinates"]
    assert site.floor.gate_at == (0.0, 0.0)


def test_carts_are_put_together_on_a_floor_of_two_blocks_at_most(tmp_path: Path) -> None:
    """Two-way, with front, middle and back, and the depots where they were."""
    floor = planned_floor(plan(tmp_path))
    assert (floor.blocks, floor.one_way[1:3], floor.gate_at, floor.end_at) == (3, (1, -1), (2.0, -4.0), (30.0, -4.0))
    assert floor.gate_m[0] == 2 + 4
    coarse = batching_floor(floor)
    assert (coarse.crosses_m, coarse.one_way, coarse.gate_m) == ((0.0, 24.0, 36.0), (), floor.gate_m)


def test_a_cart_takes_as_long_as_its_parts() -> None:
    """20 m, two aisles, three stops of which one is two levels up, seven units, and the cart itself."""
    stops = pd.DataFrame(
        [(1, 1, 0, 2, 0), (1, 2, 0, 1, 2), (1, 2, 0, 1, 2), (1, 3, 4, 3, 0)],
        columns=["cart", "stop", "subaisle", "quantity", "lifts"],
    )
    speeds = Speeds(walk_m_s=0.5, turn_s=2, stop_s=10, pick_s=3, lift_s=7, set_up_s=100)
    told = cart_s(stops, pd.Series({1: 20.0}), speeds)
    assert told.to_dict() == {1: 40 + 2 * 2 + 3 * 10 + 2 * 7 + 7 * 3 + 100}


def test_the_floor_the_manual_draws_is_the_one_it_describes(tmp_path: Path) -> None:
    """The YAML of waves.md is a plan, its picture is that plan's, and its `picking` is what holds without one."""
    pages = ROOT / "docs" / "operate"
    examples = re.findall(r"```yaml\n(.*?)```", (pages / "waves.md").read_text(encoding="utf-8"), re.DOTALL)
    floor, picking = (yaml.safe_load(example) for example in examples)
    assert floor["floor"] == FLOOR
    told = plan(tmp_path)
    names = [name for name, _ in sorted(told.aisles_placed(), key=lambda aisle: aisle[1])]
    assert (pages / "floor.svg").read_text(encoding="utf-8") == svg(planned_floor(told), aisles=names)
    (tmp_path / "picking.yaml").write_text(yaml.safe_dump(picking["picking"]), encoding="utf-8")
    assert read(tmp_path / "picking.yaml", Picking) == Picking()
