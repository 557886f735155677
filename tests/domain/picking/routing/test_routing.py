"""Where aisles run, and which orders share a cart."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.picking.batching.cart_batches import batch_onto_carts, cart_kinds, oversize_reason
from tasks.domain.picking.routing.floor import Floor, floor_of, walkable
from tasks.domain.sites.sites import Cart

UNHURRIED = settings(deadline=None, max_examples=15)
FLOOR = Floor((0.0, 4.0, 8.0, 12.0, 16.0), (0.0, 10.0))


def test_aisles_run_where_their_places_lie_apart() -> None:
    """Along y or along x, whichever the coordinates say; both racks of an aisle share its middle."""
    along_y = pd.DataFrame({"aisle": ["A", "A", "B", None], "x_m": [1.0, 3.0, 9, 20], "y_m": [5.0, 30, 12, 4]})
    turned = along_y.rename(columns={"x_m": "y_m", "y_m": "x_m"})
    for floor in (along_y, turned):
        told = walkable(floor)
        assert told["across_m"].tolist() == [2, 2, 9, 20]
        assert told["along_m"].tolist() == [5, 30, 12, 4]
        assert floor_of(told) == Floor((2.0, 9.0, 20.0), (3.0, 31.0), gate_m=(5.0, 12.0, 23.0))


def orders_of(sizes: list[tuple[int, int, int]], ship_by: list[int] | None = None) -> pd.DataFrame:
    """Orders in order of priority."""
    orders = pd.DataFrame(sizes, columns=["lines", "weight_g", "volume_ml"]).astype("int64")
    return orders.assign(order_id=range(len(sizes)), ship_by=ship_by or 0, service_level="standard")


def lines_of(orders: pd.DataFrame) -> pd.DataFrame:
    """A place a line, here and there on the floor."""
    rows = orders.loc[orders.index.repeat(orders["lines"]), ["order_id"]].reset_index(drop=True)
    at = rows.index.to_numpy()
    return rows.assign(subaisle=at * 7 % 5, along_m=(at * 3 % 10).astype("float64"))


CARTS = (Cart("small", 2, 1000, 1000, 3), Cart("big", 3, 9000, 9000, 9))


@UNHURRIED
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4000), st.integers(0, 4000)), max_size=15))
def test_no_cart_is_overloaded_and_no_order_is_lost(sizes: list[tuple[int, int, int]]) -> None:
    """I5: each order on one cart, at one position of its own, within every limit; single lines apart."""
    orders = orders_of(sizes)
    told = batch_onto_carts(orders.assign(kind=cart_kinds(orders, CARTS)), lines_of(orders), FLOOR, CARTS, seed=1)
    assert len(told) == len(orders)
    for _, cart in told.groupby("cart"):
        limits = CARTS[int(cart["kind"].iloc[0])]
        assert set(cart["kind"]) == {cart["kind"].iloc[0]}
        assert sorted(cart["position"]) == list(range(1, len(cart) + 1))
        assert len(cart) <= limits.positions
        assert cart["lines"].sum() <= limits.lines_max
        assert cart["weight_g"].sum() <= limits.weight_g_max
        assert cart["volume_ml"].sum() <= limits.volume_ml_max
        assert (cart["lines"] == 1).all() or (cart["lines"] > 1).all()
    assert sorted(told["cart"].unique()) == list(range(1, told["cart"].nunique() + 1))


def test_what_is_sorted_when_packed_goes_into_one_position() -> None:
    """A tote for single-line orders takes no other; its orders share a position, those of the other cart do not."""
    tote = Cart("tote", 40, 9000, 9000, 40, sort_while_picking=False, single_line_only=True)
    orders = orders_of([(1, 100, 100), (2, 100, 100), (1, 100, 100), (1, 100, 100), (2, 100, 100)])
    kinds = cart_kinds(orders, (tote, CARTS[1]))
    told = batch_onto_carts(orders.assign(kind=kinds), lines_of(orders), FLOOR, (tote, CARTS[1]), seed=1)
    assert told[["kind", "position"]].to_numpy().tolist() == [[0, 1], [1, 1], [0, 1], [0, 1], [1, 2]]
    assert oversize_reason(pd.Series({"lines": 2, "weight_g": 1, "volume_ml": 1}), (tote,)) == "no cart holds it"


@UNHURRIED
@given(st.lists(st.tuples(st.integers(2, 4), st.integers(0, 400), st.integers(0, 400)), max_size=12), st.data())
def test_no_order_waits_for_a_less_urgent_one(sizes: list[tuple[int, int, int]], data: st.DataObject) -> None:
    """Metres never come before urgency: no cart is begun for an order before every more urgent one is on a cart."""
    ship_by = sorted(data.draw(st.lists(st.integers(0, 2), min_size=len(sizes), max_size=len(sizes))))
    orders = orders_of(sizes, ship_by)
    told = batch_onto_carts(orders.assign(kind=0), lines_of(orders), FLOOR, CARTS[1:], seed=1)
    assert told.groupby("cart")["ship_by"].min().is_monotonic_increasing


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"lines": 10, "weight_g": 1, "volume_ml": 1}, "no cart holds it: lines 10, at most 9"),
        ({"lines": 1, "weight_g": 9001, "volume_ml": 9002},
         "no cart holds it: weight_g 9001, at most 9000; volume_ml 9002, at most 9000"),
    ],
)  # fmt: skip
def test_an_order_too_big_says_by_how_much(order: dict[str, int], reason: str) -> None:
    """Each limit that is exceeded, and the most any cart takes."""
    assert cart_kinds(pd.DataFrame([order]), CARTS).isna().all()
    assert oversize_reason(pd.Series(order), CARTS) == reason
