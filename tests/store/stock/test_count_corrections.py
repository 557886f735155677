"""Whatever comes after its count was posted: the book stays what was counted, and what moved later."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from tasks.steps.counting.reconcile_counts import reconcile
from tasks.store import audit
from tasks.store.schema import (
    alerts,
    allocations,
    carts,
    count_lines,
    counts,
    locations,
    merchants,
    order_lines,
    orders,
    picks,
    products,
    shipments,
    stock_levels,
    stock_moves,
    variances,
    warehouses,
    waves,
)
from tasks.store.stock.post_moves import correct_counts, post_moves

DAY = datetime(2026, 3, 6, tzinfo=UTC)
EVENING = DAY + timedelta(hours=20)
A01, MUG = 1, 1


Fact = tuple[str, int, int, int]  # what, which, when, units
Story = tuple[int, int, int, int]  # where, which, when, units
Event = tuple[str, int, int]  # what, when (a quarter of an hour), how many units


def at(slot: int) -> datetime:
    """A quarter of an hour of the day."""
    return DAY + timedelta(minutes=15 * slot)


@pytest.fixture
def shop(store: Engine) -> Engine:
    """One product, and places for it."""
    with store.begin() as connection:
        connection.execute(insert(merchants).values(id=1, code="HEARTH", name="Hearth"))
        connection.execute(insert(warehouses).values(id=1, code="MAIN", name="Main", time_zone="UTC", country="GB"))
        connection.execute(insert(locations), [{"id": n, "warehouse_id": 1, "code": f"A-{n:02}"} for n in range(1, 13)])
        connection.execute(insert(products).values(id=MUG, merchant_id=1, sku="MUG", unit_cost_minor=500,
                                                   currency="GBP", abc_class="C"))  # fmt: skip
        connection.execute(insert(waves).values(id=1, warehouse_id=1, code="W-1", released_at=DAY))
        connection.execute(insert(carts).values(id=1, wave_id=1, number=1))
    return store


class Floor:
    """What happens at the places, told to the database in any order."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def tell(self, facts: Sequence[tuple[int, Fact]]) -> None:
        """What becomes known at once: a fact of each place; counts are decided by the next run."""
        for what in ("move", "pick", "ship", "count"):
            if mine := [(place, *fact[1:]) for place, fact in facts if fact[0] == what]:
                getattr(self, what)(mine)

    def move(self, facts: Sequence[Story], kind: str = "adjust") -> None:
        """Movements, dated."""
        rows = [
            _here(place) | {
                "quantity": units, "kind": kind, "reason": None, "effective_at": pd.Timestamp(at(slot)),
                "document": f"P{place}-{number}", "recorded_at": pd.Timestamp(EVENING),
                "cause": f"{kind}:{place}:{number}",
            }
            for place, number, slot, units in facts
        ]  # fmt: skip
        post_moves(self.connection, pd.DataFrame(rows))

    def pick(self, facts: Sequence[Story]) -> None:
        """Picks of orders of their own, reported."""
        put = self.connection.execute
        for place, number, slot, units in facts:
            own = place * 100 + number
            put(insert(orders).values(id=own, merchant_id=1, order_number=f"#{own}", currency="GBP", created_at=DAY))
            put(insert(order_lines).values(order_id=own, line_number=1, sku="MUG", quantity_ordered=units,
                                           quantity_allocated=units, quantity_picked=units))  # fmt: skip
            put(insert(allocations).values(id=own, order_id=own, line_number=1, location_id=place, product_id=MUG,
                                           quantity=units, allocated_at=DAY))  # fmt: skip
            put(insert(picks).values(cart_id=1, stop_number=own, allocation_id=own, quantity=units,
                                     quantity_picked=units, state="picked", picked_at=at(slot)))  # fmt: skip
        since = [_here(place) | {"since": pd.Timestamp(at(slot))} for place, _, slot, _ in facts]
        correct_counts(self.connection, pd.DataFrame(since), pd.Timestamp(EVENING))

    def ship(self, facts: Sequence[Story]) -> None:
        """The parcels of orders left."""
        for place, number, slot, _ in facts:
            own = place * 100 + number
            self.connection.execute(insert(shipments).values(merchant_id=1, parcel=f"P{place}-{number}", order_id=own,
                                                             state="shipped", shipped_at=at(slot)))  # fmt: skip
            gone = update(allocations).where(allocations.c.id == own)
            self.connection.execute(gone.values(state="consumed", closed_at=EVENING))
        self.move([(place, number, slot, -units) for place, number, slot, units in facts], "ship")

    def count(self, facts: Sequence[Story]) -> None:
        """Two people counted and agree."""
        for place, number, slot, units in facts:
            new = insert(counts).values(warehouse_id=1, code=f"CC-{place}-{number}", reason="sheet", state="counted")
            count_id = self.connection.execute(new.returning(counts.c.id)).scalar_one()
            line = _here(place) | {"count_id": count_id, "sku": "MUG", "quantity": units, "counted_at": at(slot),
                                   "state": "counted"}  # fmt: skip
            self.connection.execute(insert(count_lines), [line | {"counter": name} for name in ("Ann", "Bob")])


def _here(place: int) -> dict[str, object]:
    return {"location_id": place, "product_id": MUG, "condition": "available", "lot": ""}


events = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(1, 70), st.integers(-6, 6).filter(bool)),
        st.tuples(st.just("sale"), st.integers(1, 50), st.integers(1, 4)),
    ),
    max_size=7,
)
counted = st.lists(st.tuples(st.integers(1, 70), st.integers(-3, 3)), min_size=1, max_size=3, unique_by=lambda c: c[0])


def told(events: Sequence[Event], counted: Sequence[tuple[int, int]]) -> Iterator[Fact]:
    """Every fact as it would reach us: what, which, when, units. A sale is a pick and, an hour later, a ship."""
    for number, (what, slot, units) in enumerate(events, start=1):
        if what == "move":
            yield "move", number, slot, units
        else:
            yield "pick", number, slot, units
            yield "ship", number, slot + 4, units
    for number, (slot, off) in enumerate(counted, start=1):
        yield "count", number, slot, max(0, in_bin(events, slot) + off)


def in_bin(events: Sequence[Event], slot: int) -> int:
    """What lies in the bin at that moment; picked units are not there any more."""
    return 200 + sum(units if what == "move" else -units for what, when, units in events if when <= slot)


def wiped(connection: Connection, places: int) -> None:
    """Nothing is known but an opening of 200 units at each place."""
    connection.execute(text("DROP TRIGGER IF EXISTS i2_no_move_is_deleted"))
    for table in (variances, count_lines, counts, stock_moves, stock_levels, picks, shipments, allocations,
                  order_lines, orders, alerts):  # fmt: skip
        connection.execute(delete(table))
    Floor(connection).move([(place, 0, 0, 200) for place in range(1, places + 1)], "opening")


def books_after(shop: Engine, facts: Sequence[Sequence[Fact]]) -> list[int]:
    """What the ledger says of each place in the end, its facts having come in that order; a run after every fact."""
    with shop.begin() as connection:
        wiped(connection, len(facts))
    for at_once in itertools.zip_longest(*facts):
        with shop.begin() as connection:
            Floor(connection).tell([(place, fact) for place, fact in enumerate(at_once, start=1) if fact is not None])
        reconcile.fn(None, EVENING)
    with shop.begin() as connection:
        assert audit.levels_off_the_ledger(connection).empty
        level = stock_levels.c
        return list(
            connection.scalars(select(level.on_hand).where(level.product_id == MUG).order_by(level.location_id))
        )


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(events, counted, st.randoms(use_true_random=False)), min_size=12, max_size=12))
def test_the_book_is_what_was_last_counted_and_moved_later(
    sqlite_shop: Engine, stories: list[tuple[list[Event], list[tuple[int, int]], Any]]
) -> None:
    """Whatever order movements, picks, parcels and counts become known in, and whenever each count was posted."""
    facts, truths = [], []
    for events_of, counted_of, order in stories:
        known = list(told(events_of, counted_of))
        order.shuffle(known)
        known.sort(key=lambda fact: fact[0] == "ship")  # a parcel is only known by its pick
        facts.append(known)
        slot, units = max((slot, units) for what, _, slot, units in known if what == "count")
        later = sum(units if what == "move" else -units for what, when, units in events_of if when > slot)
        truths.append(units + later)
    assert books_after(sqlite_shop, facts) == truths


@pytest.fixture
def sqlite_shop(shop: Engine) -> Engine:
    """Only on SQLite: the tables below show the same statements on both."""
    if shop.dialect.name != "sqlite":
        pytest.skip("the tables below run on both")
    return shop


@pytest.mark.parametrize(
    ("facts", "book", "reasons"),
    [
        # a sale told after the count that saw it: nothing was missing
        ([("count", 1, 30, 197), ("move", 1, 20, -3)], 197, ["RECOUNTED", "OUTBOUND_NOT_RECORDED"]),
        # a receipt told late: nothing was found
        ([("count", 1, 30, 205), ("move", 1, 20, 5)], 205, ["RECOUNTED", "INBOUND_NOT_RECORDED"]),
        # after the count: the count stands, and so does the sale
        ([("count", 1, 30, 197), ("move", 1, 40, -3)], 194, ["RECOUNTED"]),
        # between two counts: only the later one had seen it
        ([("count", 1, 30, 198), ("count", 2, 50, 195), ("move", 1, 40, -3)], 195,
         ["RECOUNTED", "RECOUNTED", "OUTBOUND_NOT_RECORDED"]),
        # before both: the first is corrected, the second notices nothing
        ([("count", 1, 30, 198), ("count", 2, 50, 195), ("move", 1, 20, -2)], 195,
         ["RECOUNTED", "RECOUNTED", "OUTBOUND_NOT_RECORDED"]),
        # picked before the count, told after it, and shipped later
        ([("count", 1, 30, 196), ("pick", 1, 20, 4)], 200, ["RECOUNTED", "OUTBOUND_NOT_RECORDED"]),
        ([("count", 1, 30, 196), ("pick", 1, 20, 4), ("ship", 1, 40, 4)], 196, ["RECOUNTED", "OUTBOUND_NOT_RECORDED"]),
        # counted as picked and not shipped; that the parcel had left before changes nothing more
        ([("pick", 1, 20, 4), ("count", 1, 30, 196), ("ship", 1, 24, 4)], 196, []),
        # the same movement again
        ([("count", 1, 30, 197), ("move", 1, 20, -3), ("move", 1, 20, -3)], 197,
         ["RECOUNTED", "OUTBOUND_NOT_RECORDED"]),
    ],
)  # fmt: skip
def test_a_late_fact_corrects_the_count_it_was_missing_from(
    shop: Engine, facts: list[Fact], book: int, reasons: list[str]
) -> None:
    """Dated at the count, in the transaction in which the fact comes in; what no count missed corrects nothing."""
    with shop.begin() as connection:
        Floor(connection).move([(A01, 0, 0, 200)], "opening")
    for fact in facts:
        with shop.begin() as connection:
            Floor(connection).tell([(A01, fact)])
        if fact[0] == "count":
            reconcile.fn(None, EVENING)
    with shop.begin() as connection:
        assert connection.scalar(select(stock_levels.c.on_hand)) == book
        assert audit.levels_off_the_ledger(connection).empty
        posted = select(stock_moves.c.reason).where(stock_moves.c.kind == "count").order_by(stock_moves.c.id)
        assert list(connection.scalars(posted)) == reasons
