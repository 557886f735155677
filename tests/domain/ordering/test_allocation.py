"""Whose order gets which unit: held against a slow clerk who serves one order after the other with a pencil."""

from collections import Counter, defaultdict
from datetime import UTC, datetime

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.ordering.allocation import (
    AllocationRules,
    PlaceOrder,
    Precedence,
    Promises,
    allocate,
    explode,
    prioritised,
)
from tasks.domain.ordering.backorders import waiting_lines
from tasks.domain.ordering.order_states import Standing
from tasks.domain.ordering.ship_by import ShipByRules
from tasks.domain.states import Purpose
from tasks.domain.stock.availability import BufferRules, promisable_places

PAID = pd.Timestamp(datetime(2026, 3, 5, 10, tzinfo=UTC))
UNHURRIED = settings(deadline=None, max_examples=40)
KIT, PARTS = 9, {0: 2, 1: 1}  # one kit is two of product 0 and one of product 1
RULE = AllocationRules(
    priority=(Precedence.SHIP_BY, Precedence.SERVICE_LEVEL, Precedence.PAID_AT), service_levels=("Express", "Standard"),
    warehouses=("MAIN", "NORTH"), partial=False, split=True, purposes=(Purpose.PICK, Purpose.RESERVE),
    places=(PlaceOrder.LOT, PlaceOrder.SMALLEST), buffer=BufferRules(),
    ship_by=ShipByRules("Standard", {}, 1, 24),
)  # fmt: skip
NOBODY = pd.DataFrame({name: [] for name in ("order_id", "line_number", "location_id", "product_id", "lot")}).astype(
    {"order_id": "int64", "line_number": "int64", "location_id": "int64", "product_id": "int64", "lot": "str"}
)


def rules(*, partial: bool = False, split: bool = True) -> AllocationRules:
    """The usual rules, with a choice."""
    return AllocationRules(**{**vars(RULE), "partial": partial, "split": split})


Order = list[tuple[int, int]]  # product and units of each line


def lines_of(orders: list[Order]) -> pd.DataFrame:
    """Open lines of orders that rank by their number."""
    rows = [
        {
            "order_id": number, "line_number": line, "merchant": "HEARTH", "order_number": f"{number:03}",
            "product_id": product, "need": units, "quantity_allocated": 0, "standing": Standing.SERVABLE,
            "hold_reason": None, "service_level": "Standard", "paid_at": PAID, "ship_by": PAID, "created_at": PAID,
            "sku": str(product), "unit_price_minor": 100,
        }
        for number, order in enumerate(orders)
        for line, (product, units) in enumerate(order, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"product_id": "Int64"})


def places_of(places: list[tuple[int, int, int, str]]) -> pd.DataFrame:
    """Places: product, warehouse, units on hand, purpose."""
    rows = [
        {
            "product_id": product, "location_id": number, "warehouse_id": warehouse, "lot": "", "on_hand": units,
            "allocated": 0, "location": f"L{number:02}", "purpose": purpose, "blocked": False,
            "expires_on": None,
        }
        for number, (product, warehouse, units, purpose) in enumerate(places)
    ]  # fmt: skip
    columns = ["product_id", "location_id", "warehouse_id", "lot", "on_hand", "allocated", "location", "purpose",
               "blocked", "expires_on"]  # fmt: skip
    numbers = dict.fromkeys(("product_id", "location_id", "warehouse_id", "on_hand", "allocated"), "int64")
    return pd.DataFrame(rows, columns=columns).astype(
        {**numbers, "blocked": bool, "lot": "str", "location": "str", "expires_on": "datetime64[s]"}
    )


def parts() -> pd.DataFrame:
    """Four products and the kit."""
    rows = [(one, one, 1) for one in range(4)] + [(KIT, part, units) for part, units in PARTS.items()]
    return pd.DataFrame(rows, columns=["product_id", "part_id", "quantity"])


def serve(orders: list[Order], places: pd.DataFrame, rule: AllocationRules, kept: int = 0
          ) -> tuple[Promises, pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Allocate; gives also the lines and what they want."""
    lines = prioritised(lines_of(orders), rule)
    wants = explode(lines, parts(), NOBODY[["order_id", "line_number", "product_id"]].assign(units=0))
    back = pd.Series(kept, index=range(4))
    free = promisable_places(places, back, rule.purposes, [str(one) for one in rule.places], PAID)
    had = NOBODY.assign(warehouse_id=1)
    return allocate(lines, wants, free, [1, 2], had, NOBODY, rule), lines, wants


def clerk(orders: list[Order], places: pd.DataFrame, kept: int) -> dict[int, int]:
    """The warehouse from which each order is served whole, one order after the other; no order is split."""
    free: dict[tuple[int, int], int] = Counter()
    for key, units in zip(
        zip(places["warehouse_id"], places["product_id"], strict=True), places["on_hand"], strict=True
    ):
        free[key] += units
    free = defaultdict(int, {key: max(0, units - kept) for key, units in free.items()})
    served = {}
    for number, order in enumerate(orders):
        wanted: Counter[int] = Counter()
        for product, units in order:
            for part, per in PARTS.items() if product == KIT else [(product, 1)]:
                wanted[part] += units * per
        for warehouse in (1, 2):
            if all(free[warehouse, part] >= units for part, units in wanted.items()):
                served[number] = warehouse
                for part, units in wanted.items():
                    free[warehouse, part] -= units
                break
    return served


some_lines = st.tuples(st.sampled_from([0, 1, 2, KIT]), st.integers(1, 4))
some_orders = st.lists(st.lists(some_lines, min_size=1, max_size=3), min_size=1, max_size=8)
purposes = st.sampled_from(["pick", "reserve"])
some_places = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 2), st.integers(-2, 9), purposes), max_size=10)


@UNHURRIED
@given(some_orders, some_places.filter(lambda places: all(units >= 0 for _, _, units, _ in places)), st.integers(0, 2))
def test_whole_orders_are_served_as_a_clerk_would(
    orders: list[Order], places: list[tuple[int, int, int, str]], kept: int
) -> None:
    """Order by order, from the preferred warehouse that has all of it; those the clerk cannot serve get nothing."""
    stock = places_of(places)
    promised, _, _ = serve(orders, stock, rules(split=False), kept)
    warehouse = promised.promises.merge(stock[["location_id", "warehouse_id"]], on="location_id")
    assert dict(zip(warehouse["order_id"], warehouse["warehouse_id"], strict=True)) == clerk(orders, stock, kept)


@UNHURRIED
@given(some_orders, some_places, st.booleans(), st.booleans(), st.integers(0, 2))
def test_never_more_than_there_is_and_never_more_than_was_asked(
    orders: list[Order], places: list[tuple[int, int, int, str]], partial: bool, split: bool, kept: int
) -> None:
    """I3 per place and per warehouse, I6 per line; whole orders unless in part; what is missing has a reason."""
    stock = places_of(places)
    promised, lines, wants = serve(orders, stock, rules(partial=partial, split=split), kept)
    taken = promised.promises.merge(stock[["location_id", "warehouse_id", "on_hand"]], on="location_id")
    assert (taken.groupby("location_id")["quantity"].sum() <= taken.groupby("location_id")["on_hand"].first()).all()
    pool = taken.groupby(["product_id", "warehouse_id"])["quantity"].sum()
    there = stock.groupby(["product_id", "warehouse_id"])["on_hand"].sum() - kept
    assert (pool <= there.reindex(pool.index).clip(lower=0)).all()
    served = promised.served.reindex(lines.index).fillna(0)
    assert (served <= lines["need"]).all()
    if not partial:
        whole = (served == lines["need"]).groupby(lines["order_id"])
        assert (whole.all() | ~(served > 0).groupby(lines["order_id"]).any()).all()
    of_part = wants.assign(units=wants["line"].map(served) * wants["per"]).groupby("product_id")["units"].sum()
    assert taken.groupby("product_id")["quantity"].sum().to_dict() == of_part[of_part > 0].to_dict()
    left = stock.groupby("product_id")["on_hand"].sum()
    short = lines.assign(need=(lines["need"] - served).astype("int64"))
    short = short[short["need"] > 0].reset_index(drop=True)
    want = explode(short, parts(), NOBODY[["order_id", "line_number", "product_id"]].assign(units=0))
    waits = waiting_lines(short, want, left, rules(partial=partial, split=split))
    assert waits["missing"].sum() == (lines["need"] - served).sum()
    assert (waits["reason"] != "").all()


@UNHURRIED
@given(some_orders, some_places, st.randoms(use_true_random=False))
def test_the_same_lines_in_any_order_give_the_same_promises(
    orders: list[Order], places: list[tuple[int, int, int, str]], shuffle: object
) -> None:
    """I10: the answer depends on what is asked, not on the order in which the database tells it."""
    lines = lines_of(orders)
    mixed = lines.sample(frac=1, random_state=shuffle.randrange(99))  # type: ignore[attr-defined]
    assert prioritised(mixed, RULE).equals(prioritised(lines, RULE))
    stock = places_of(places)
    upside_down = stock.iloc[::-1].reset_index(drop=True)
    one, other = serve(orders, stock, RULE)[0], serve(orders, upside_down, RULE)[0]
    assert one.promises.equals(other.promises)


def test_priority_is_a_rule() -> None:
    """Ship-by first, then the service level, then who paid first, then the order number; none of them may be known."""
    lines = lines_of([[(0, 1)]] * 5).assign(
        ship_by=pd.Series([None, PAID, PAID, PAID, PAID]).astype("datetime64[s, UTC]"),
        service_level=pd.Series(["Express", "standard", None, "EXPRESS ", "Pigeon"], dtype="str"),
        paid_at=[PAID, PAID, PAID - pd.Timedelta(hours=1), PAID, PAID],
    )  # fmt: skip
    assert prioritised(lines, RULE)["order_id"].tolist() == [3, 2, 1, 4, 0]
    by_payment = AllocationRules(**{**vars(RULE), "priority": (Precedence.PAID_AT,)})
    assert prioritised(lines, by_payment)["order_id"].tolist() == [2, 0, 1, 3, 4]


def test_in_part_each_line_gets_what_there_is() -> None:
    """With `partial`, an order takes what is there; without `split`, from the one warehouse that gives the most."""
    stock = places_of([(0, 1, 2, "pick"), (0, 2, 3, "pick"), (1, 1, 1, "pick")])
    order = [[(0, 6), (1, 1)]]
    assert serve(order, stock, rules(partial=True))[0].promises["quantity"].tolist() == [2, 3, 1]
    assert serve(order, stock, rules(partial=True, split=False))[0].promises["quantity"].tolist() == [2, 1]
    assert serve(order, stock, rules())[0].promises.empty


def test_a_place_below_zero_takes_from_the_others() -> None:
    """Three on hand here and minus two there are one unit that can be promised."""
    stock = places_of([(0, 1, 3, "pick"), (0, 1, -2, "pick")])
    assert serve([[(0, 1)], [(0, 1)]], stock, rules())[0].promises["quantity"].tolist() == [1]
